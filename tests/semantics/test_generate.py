"""The generator writes the cases that are here: same module for the same instruction, and bits that hold. And every case
that the reference knows has its bits."""

import contextlib
import io
import sys
import tempfile
from pathlib import Path

import generate

HERE = Path(__file__).parent
problems = []

with contextlib.redirect_stdout(io.StringIO()) as said:
    wrong, unknown = generate.check(sorted(HERE.glob("*.ptx")))
problems += wrong
if len(list(HERE.glob("*.ptx"))) - len(unknown) < 1000:
    problems.append(f"the reference knows fewer cases than it did: {len(unknown)} are beyond it")

for instruction, stem in [("add.sat.s32 %x, %a, %b", "add_sat_s32"), ("mul.wide.s32 %x, %a, %b", "mul_wide_s32"),
                          ("fma.rn.f32 %x, %a, %b, %c", "fma_rn_f32"), ("setp.lt.f32 %p, %a, %b", "setp_lt_f32"),
                          ("cvt.rmi.s32.f16 %x, %a", "cvt_rmi_s32_f16"), ("max.s16x2 %x, %a, %b", "max_s16x2"),
                          ("popc.b64 %x, %a", "popc_b64"), ("testp.finite.f64 %p, %a", "testp_finite_f64")]:
    name, text = generate.generate(instruction, None, None, 32, "sm_90", "8.1")
    here = (HERE / f"{stem}.ptx").read_text(encoding="utf-8")
    if name != stem or text[text.index(".visible"):] != here[here.index(".visible"):]:
        problems.append(f"{instruction}: another module than {stem}.ptx")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.ptx"
        file.write_text(text, encoding="utf-8")
        with contextlib.redirect_stdout(io.StringIO()):
            wrong, unknown = generate.check([file])
        problems += wrong + unknown
        # A wrong bit is found.
        head, out, rest = text.partition("// out: ")
        kind, first, more = rest.split(" ", 2)
        file.write_text(f"{head}{out}{kind} {int(first, 0) ^ 1:#x} {more}", encoding="utf-8")
        with contextlib.redirect_stdout(io.StringIO()):
            if not generate.check([file])[0]:
                problems.append(f"{instruction}: a wrong bit went unseen")

print(said.getvalue().splitlines()[0])
for problem in problems:
    print(problem)
print("FAIL" if problems else "PASS")
sys.exit(bool(problems))
