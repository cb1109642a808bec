"""progress_line.py COMMAND…: on a terminal the command ends, shows how far it is, and wipes that line away."""

import os
import pty
import sys

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
output = b""
while True:
    try:
        data = os.read(terminal, 4096)
    except OSError:  # The other side is gone.
        break
    if not data:
        break
    output += data
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
text = output.decode(errors="replace")
shown = text.count("simulating")
wiped = text.rfind("\r\x1b[K") > text.rfind("CTAs/s")
print(f"exit code {status}, {shown} progress lines, wiped: {wiped}")
print("PASS" if status == 0 and shown > 0 and wiped else "FAIL\n" + text[-2000:])
