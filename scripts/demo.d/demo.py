"""The demo behind scripts/demo: runs the examples, compares four programs on four chips, draws what came out."""

import builtins
import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from programs import CHIPS, PROGRAMS
from results import cells, load, speed, verdict
from text import bound_text, bytes_text, table, time_text

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
OUT = BUILD / "demo"
WANREN = BUILD / "bin" / "wanren"


class Failed(Exception):
    pass


def print(text="", file=None, **options):  # what the demo says stays in build/demo/demo.txt
    builtins.print(text, file=file, flush=True, **options)
    if file is None:
        with open(OUT / "demo.txt", "a", encoding="utf-8") as copy:
            copy.write(text + options.get("end", "\n"))


class Line:
    """One line that says what goes on, on a terminal; nothing elsewhere."""

    def __init__(self):
        self.text, self.begin, self.stop = "", time.monotonic(), threading.Event()
        self.lock = threading.Lock()
        self.on = sys.stderr.isatty()
        if self.on:
            self.thread = threading.Thread(target=self.show, daemon=True)
            self.thread.start()

    def show(self):
        while not self.stop.wait(0.2):
            with self.lock:
                if self.text:
                    seconds = time.monotonic() - self.begin
                    sys.stderr.write(f"\r\033[K{self.text}, {seconds:.0f} s"[:118])
                    sys.stderr.flush()

    def say(self, text):
        with self.lock:
            self.text = text

    def print(self, text):
        with self.lock:
            if self.on:
                sys.stderr.write("\r\033[K")
                sys.stderr.flush()
            print(text)

    def end(self):
        self.stop.set()
        with self.lock:
            self.text = ""
            if self.on:
                sys.stderr.write("\r\033[K")
                sys.stderr.flush()


def run(command, log, what):
    """Runs it in build/demo; both outputs go to `log`. Raises Failed with the last lines."""
    with open(log, "w", encoding="utf-8") as file:
        code = subprocess.run([str(c) for c in command], cwd=OUT, stdout=file, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, check=False).returncode
    text = log.read_text(encoding="utf-8", errors="replace")
    if code != 0:
        tail = "\n  ".join(text.strip().splitlines()[-6:])
        raise Failed(f"{what} ended with code {code}:\n  {tail}\ncommand: {' '.join(map(str, command))}\nlog: {log}")
    return text


def jobs(work, line, label, done_text=None):
    """Runs {name: callable} on the host's cores; {name: result}. The first failure ends all."""
    workers = max(1, min(len(work), os.cpu_count() or 1))
    results, running = {}, []
    lock = threading.Lock()

    def one(name, call):
        with lock:
            running.append(name)
        begin = time.monotonic()
        try:
            return call(), time.monotonic() - begin
        finally:
            with lock:
                running.remove(name)

    with ThreadPoolExecutor(workers) as pool:
        futures = {pool.submit(one, name, call): name for name, call in work.items()}
        pending = set(futures)
        for future in _as_they_end(futures, lambda: line.say(
                f"{label}: {len(results)} of {len(work)} done, now {', '.join(running)}")):
            pending.discard(future)
            name = futures[future]
            try:
                results[name], seconds = future.result()
            except Failed:
                for other in pending:
                    other.cancel()
                raise
            text = done_text(name, results[name], seconds) if done_text else ""
            if text:
                line.print(text)
    return results


def _as_they_end(futures, tick):
    pending = set(futures)
    while pending:
        tick()
        try:
            for future in as_completed(pending, timeout=0.3):
                pending.discard(future)
                yield future
                tick()
        except TimeoutError:
            pass


def threads_each(count):
    return max(1, (os.cpu_count() or 1) // max(1, min(count, os.cpu_count() or 1)))


def run_examples(line, large):
    names = sorted(p.stem for p in (ROOT / "examples").glob("*.cu"))
    threads = threads_each(len(names))

    def example(name):
        def call():
            program = BUILD / "programs" / name
            command = [WANREN, "run", "--chip", "br100", "--timing", "off", "--quiet", "--threads", threads, "--",
                       program] + (["--large"] if large else [])
            text = run(command, OUT / f"{name}.txt", f"the example {name}")
            if "PASS" not in text.split():
                raise Failed(f"the example {name} did not print PASS; its output: {OUT / (name + '.txt')}")
            return text
        return call

    print(f"{len(names)} examples on a virtual BR100, results checked against the host:")
    jobs({name: example(name) for name in names}, line, "examples",
         lambda name, text, seconds: f"  PASS  {name:<16}{seconds:5.1f} s")


def compare_command(program, chips, json_path, large, sensitivity, sets=()):
    command = [WANREN, "compare", "--chips", ",".join(chips), "--json", json_path]
    if sensitivity:
        command += ["--sensitivity", "--sensitivity-runs", "0"]
    for item in (() if large else program.small_set) + tuple(sets):
        command += ["--set", item]
    command += ["--threads", threads_each(len(PROGRAMS) * len(CHIPS))]
    return command + ["--", BUILD / "programs" / program.name] + list(program.large if large else program.small)


def compare_all(line, large):
    """{title: comparison over CHIPS}. A process a program and chip, so that the cores stay busy to the end."""
    begin = time.monotonic()
    parts = {}

    def one(program, chip):
        def call():
            path = OUT / f"{program.name}.{chip}.json"
            run(compare_command(program, (chip,), path, large, True), path.with_suffix(".txt"),
                f"{program.title} on {chip}")
            chips = load(path)["chips"]
            if len(chips) != 1:
                raise Failed(f"{path} holds {len(chips)} chips where one was asked for")
            return chips[0]
        return call

    def tell(name, report, _):
        title, chip = name.split(" on ")
        parts.setdefault(title, {})[chip] = report
        if len(parts[title]) < len(CHIPS):
            return ""
        return f"  done  {title:<16}{time.monotonic() - begin:5.1f} s"

    print(f"\n{len(PROGRAMS)} programs on {', '.join(CHIPS)}, each also with all assumed figures 30 % worse and better:")
    jobs({f"{p.title} on {c}": one(p, c) for p in PROGRAMS for c in CHIPS}, line, "comparing", tell)
    comparisons = {p.title: {"chips": [parts[p.title][c] for c in CHIPS]} for p in PROGRAMS}
    for p in PROGRAMS:
        (OUT / f"{p.name}.json").write_text(json.dumps(comparisons[p.title], indent=1), encoding="utf-8")
    return comparisons


def halve_link(line, large, comparisons):
    """The one change made live: d2d.bandwidth of BR100 at half. {title: (before, after)} cells."""
    chosen = [p for p in PROGRAMS if p.name in ("stream", "bf16_gemm")]
    link = comparisons[chosen[0].title]["chips"][CHIPS.index("br100")]["chip"].get("d2d_gbs", 0)
    if not link:
        raise Failed("BR100's report has no die-to-die bandwidth")
    change = f"d2d.bandwidth={link / 2:g}GB/s"

    def changed(program):
        def call():
            path = OUT / f"{program.name}.half_link.json"
            run(compare_command(program, ("br100",), path, large, False, (change,)),
                OUT / f"{program.name}.half_link.txt", f"{program.title} with {change}")
            return load(path)
        return call

    after = jobs({p.title: changed(p) for p in chosen}, line, change)
    pairs = {}
    for p in chosen:
        pairs[p.title] = (cells(comparisons[p.title], p, CHIPS)["br100"], cells(after[p.title], p, ("br100",))["br100"])
    return change, link, pairs


def print_change(change, link, pairs):
    print(f"\nOne change on BR100: --set {change} (from {link:g} GB/s each way)")
    for title, (before, after) in pairs.items():
        if not before.ok or not after.ok:
            print(f"  {title:<14} does not run: {before.failure or after.failure}")
            continue
        over = sum(sum(k["d2d_link_bytes"]) for k in before.kernels)
        print(f"  {title:<14}{time_text(before.time_us)} -> {time_text(after.time_us)} "
              f"({after.time_us / before.time_us:.2f} times the time); {bytes_text(over)} cross between the dies; "
              f"limit: {bound_text(before.bound_by)}"
              + ("" if after.bound_by == before.bound_by else f" -> {bound_text(after.bound_by)}"))


def main():
    large = "--large" in sys.argv[1:]
    begin = time.monotonic()
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "demo.txt").write_text("", encoding="utf-8")
    line = Line()
    try:
        run_examples(line, large)
        comparisons = compare_all(line, large)
        rows = {p.title: cells(comparisons[p.title], p, CHIPS) for p in PROGRAMS}
        sizes = {p.title: p.large_size if large else p.small_size for p in PROGRAMS}
        change, link, pairs = halve_link(line, large, comparisons)
        line.say("drawing")
        import pictures  # matplotlib takes a second to load: while nobody waits for anything else
        pictures.draw_all(OUT, rows, PROGRAMS, CHIPS)
    except KeyboardInterrupt:
        line.end()
        return 130
    except Failed as error:
        line.end()
        print(f"scripts/demo: {error}", file=sys.stderr)
        return 1
    line.end()

    print("\n" + table(rows, PROGRAMS, CHIPS, sizes))
    print("Time of the kernels and its range with assumed figures 30 % better / worse and assumed policies changed; share of the claimed peak;")
    print("mean power and energy of the board; what bounds it.", end="")
    notes = [] if large else [p.note for p in PROGRAMS if p.note]
    print(" Quick sizes (--large: real ones)." if not large else "")
    for note in notes:
        print(note)
    print()
    for chip in ("br100", "br104"):
        print(f"{chip.upper()} against an A100: {verdict(rows, chip)}.")
    print_change(change, link, pairs)

    summary = {"schema_version": 1, "large": large,
               "programs": {p.name: comparisons[p.title] for p in PROGRAMS},
               "speed_against_a100": {p.name: {c: dict(zip(("nominal", "least", "most"), speed(rows[p.title][c],
                                                                                          rows[p.title]["a100"])))
                                              for c in CHIPS if rows[p.title][c].ok and rows[p.title]["a100"].ok}
                                      for p in PROGRAMS}}
    (OUT / "report.json").write_text(json.dumps(summary, indent=1), encoding="utf-8")
    print(f"\nReport: {OUT / 'report.json'}\nPictures: {OUT}/dies.png, times.png, roofline.png (and .svg)")
    print(f"{time.monotonic() - begin:.0f} s after the build")
    return 0


if __name__ == "__main__":
    sys.exit(main())
