"""Writes case files of single instructions, and checks those that are here.

  generate.py --check                     compute every case's bits anew and compare; the exit status says whether all hold
  generate.py 'add.sat.s32 %x, %a, %b'    write add_sat_s32.ptx: edge values and random ones, expected bits from reference.py
      --name NAME    another name          --note TEXT   the line that says what is expected
      --lanes N      32                    --target sm_90 --version 8.1
      --values b=0,1,31   what %b may be, where it is not every number

Sources are %a, %b, %c, %d and results %x, %y; predicates come out as 0 or 1. Case files of instructions that reference.py
does not know (matrices, approximations) are written by hand in the same form; harness.h says which."""

import argparse
import itertools
import random
import re
import struct
import sys
from pathlib import Path

import reference
from numbers_exact import FORMATS
from reference import WIDTH, HALF, IN, OUT, Unknown, Warp

HERE = Path(__file__).parent
BYTES = {"u8": 1, "u16": 2, "u32": 4, "f32": 4, "u64": 8, "f64": 8}


def text_of(kind, bits):
    return str(bits) if kind[0] == "u" and bits < 10 else hex(bits)


def bits_of(kind, text):
    if kind[0] == "f" and not text.startswith("0x"):
        return int.from_bytes(struct.pack("<f" if kind == "f32" else "<d", float(text)), "little")
    return int(text, 0) & (1 << 8 * BYTES[kind]) - 1


def compute(text):
    """The out arrays that the reference gives for a case file's text, in its form."""
    arrays = {"in": [], "out": []}
    for which, kind, values in re.findall(r"^// (in|out): (\w+) (.*)$", text, re.M):
        arrays[which].append((kind, values.split()))
    lanes = max(len(v) for _, v in arrays["in"] + arrays["out"])
    memory = {}
    for k, (kind, values) in enumerate(arrays["in"]):
        for lane in range(lanes):
            bits = bits_of(kind, values[0 if len(values) == 1 else lane])
            for i in range(BYTES[kind]):
                memory[IN + 256 * k + lane * BYTES[kind] + i] = bits >> 8 * i & 0xFF
    body = text[text.index("{\n") + 2:text.rindex("}")]
    body = re.sub(r"//.*", "", body)
    if re.search(r"^\s*\w+:|\bbra\b|\bcall\b", body, re.M):
        raise Unknown("control flow")
    statements = [" ".join(s.split()) for s in body.split(";")]
    Warp([s for s in statements if s], lanes, memory).run()
    out = []
    for k, (kind, values) in enumerate(arrays["out"]):
        size = BYTES[kind]
        got = [sum(memory.get(OUT + 256 * k + lane * size + i, 0) << 8 * i for i in range(size))
               for lane in range(len(values) if len(values) > 1 else lanes)]
        words = [v if v == "x" else text_of(kind, got[i]) for i, v in enumerate(values)] if len(values) > 1 else [
            text_of(kind, got[0])]
        out.append((kind, words, len(values) == 1 and len(set(got)) > 1))
    return out


def check(paths):
    held, unknown, wrong = 0, [], []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        try:
            out = compute(text)
        except (Unknown, KeyError, IndexError, ValueError) as why:
            unknown.append(f"{path.stem} ({why!r})")
            continue
        expected = [(kind, values.split()) for kind, values in re.findall(r"^// out: (\w+) (.*)$", text, re.M)]
        for (kind, words, varies), (_, values) in zip(out, expected):
            same = len(words) == len(values) and all(
                w == v or v != "x" and w != "x" and bits_of(kind, w) == bits_of(kind, v) for w, v in zip(words, values))
            if varies or not same:
                at = next((i for i, (w, v) in enumerate(zip(words, values)) if w != v), 0)
                wrong.append(f"{path.stem}: lane {at}: the file has {values[at]}, the reference {words[at]}")
                break
        else:
            held += 1
    print(f"{held} case files hold, {len(wrong)} do not, {len(unknown)} are beyond the reference")
    for line in wrong:
        print("WRONG", line)
    return wrong, unknown


# --- new cases ---

def edges(kind):
    """Values where an instruction is likeliest to go wrong."""
    if kind in HALF:
        half = edges(HALF[kind])
        return [a << 16 | b for a, b in zip(half, half[1:] + half[:1])]
    if kind in FORMATS:
        f = FORMATS[kind]
        one = f.round(reference.Fraction(1))
        some = [0, 1, (1 << f.mantissa) - 1, 1 << f.mantissa, one, one + 1, f.largest, f.infinity]
        return some + [x | f.sign for x in some] + [f.nan, f.infinity + 1]
    top = 1 << WIDTH[kind] - 1
    return [0, 1, 2, top - 1, top, 2 * top - 1]


def memory_type(kind):
    return kind if kind in ("f32", "f64") else {1: "u32", 8: "u8", 16: "u16", 32: "u32", 64: "u64"}[WIDTH[kind]]


def register_type(kind):
    return kind if kind in ("f32", "f64", "pred") else f"b{max(16, WIDTH[kind])}"


def roles(op, mods, kinds):
    """Types of results and sources."""
    last = kinds[-1]
    if op == "setp":
        return ["pred"], [last, last]
    if op == "set":
        return [kinds[0]], [last, last]
    if op == "testp":
        return ["pred"], [last]
    if op == "cvt":
        return [kinds[0]], [last] * (2 if kinds[0] in HALF else 1)
    if op in ("popc", "clz", "bfind"):
        return ["u32"], [last]
    if op in ("mul", "mad") and "wide" in mods:
        wide = f"{last[0]}{2 * WIDTH[last]}"
        return [wide], [last, last] + ([wide] if op == "mad" else [])
    if op in ("shl", "shr"):
        return [last], [last, "u32"]
    if op in ("bfe",):
        return [last], [last, "u32", "u32"]
    if op == "bfi":
        return [last], [last, last, "u32", "u32"]
    if op in ("dp4a", "dp2a"):
        return ["s32"], [*kinds, "s32"]
    return [last], [last] * 4


def generate(instruction, name, note, lanes, target, version, allowed=()):
    operation, operands = instruction.rstrip(";").split(None, 1)
    op, *mods = operation.split(".")
    kinds = [m for m in mods if m in WIDTH]
    sources = sorted(set(re.findall(r"%([abcd])\b", operands)))
    results = sorted(set(re.findall(r"%([xypq])\b", operands)))
    result_kinds, source_kinds = roles(op, mods, kinds)
    seed = random.Random(operation)
    per_source = {s: source_kinds["abcd".index(s)] for s in sources}
    given = {v[0]: [int(x, 0) & (1 << 64) - 1 for x in v[2:].split(",")] for v in allowed}
    columns = list(itertools.product(*(given.get(s, edges(k)) for s, k in per_source.items())))
    if len(columns) > lanes * 3 // 4:
        columns = sorted(seed.sample(columns, lanes * 3 // 4))
    while len(columns) < lanes:
        columns.append(tuple(seed.choice(given[s]) if s in given else seed.getrandbits(WIDTH[k])
                             for s, k in per_source.items()))
    stem = name or re.sub(r"\.", "_", operation)
    body, heads = [], []
    for k, (source, kind) in enumerate(per_source.items()):
        memory = memory_type(kind)
        heads.append(f"// in: {memory} " + " ".join(text_of(memory, c[k]) for c in columns))
        body += [f"  mad.wide.u32 %at, %lane, {BYTES[memory]}, %in;", f"  ld.global.{memory} %{source}, [%at+{256 * k}];"]
    body.append(f"  {operation} {operands};")
    declared = [f"  .reg .{register_type(k)} %{s};" for s, k in per_source.items()]
    stores = []
    for k, result in enumerate(results):
        kind = result_kinds[0]
        register = result
        if result in "pq":
            kind, register = "u32", "xy"[k]
            body.append(f"  selp.u32 %{register}, 1, 0, %{result};")
        declared.append(f"  .reg .{register_type(kind)} %{register};")
        memory = memory_type(kind)
        stores += [f"  mad.wide.u32 %at, %lane, {BYTES[memory]}, %out;", f"  st.global.{memory} [%at+{256 * k}], %{register};"]
        heads.append(f"// out: {memory} " + " ".join(["0"] * lanes))
    text = "\n".join([f"// {note or operation}", *heads, f".version {version}", f".target {target}", ".address_size 64", "",
                      f".visible .entry {stem}(.param .u64 in, .param .u64 out)", "{", "  .reg .u32 %lane;",
                      "  .reg .u64 %in, %out, %at;", "  .reg .pred %p, %q;", *declared, "  ld.param.u64 %in, [in];",
                      "  ld.param.u64 %out, [out];", "  mov.u32 %lane, %laneid;", *body, *stores, "  ret;", "}", ""])
    computed = iter(compute(text))
    lines = [f"// out: {(c := next(computed))[0]} " + " ".join(c[1]) if line.startswith("// out: ") else line
             for line in text.split("\n")]
    return stem, "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("instructions", nargs="*")
    parser.add_argument("--name")
    parser.add_argument("--note")
    parser.add_argument("--lanes", type=int, default=32)
    parser.add_argument("--target", default="sm_90")
    parser.add_argument("--version", default="8.1")
    parser.add_argument("--values", action="append", default=[])
    parser.add_argument("--folder", type=Path, default=HERE)
    parser.add_argument("--unknown", action="store_true", help="with --check: list what is beyond the reference")
    options = parser.parse_args()
    if options.check:
        wrong, unknown = check(sorted(options.folder.glob("*.ptx")))
        if options.unknown:
            print("\n".join(unknown))
        return 1 if wrong else 0
    if not options.instructions:
        parser.error("give --check or an instruction")
    for instruction in options.instructions:
        try:
            stem, text = generate(instruction, options.name, options.note, options.lanes, options.target, options.version,
                                  options.values)
        except Unknown as why:
            print(f"{instruction}: beyond the reference ({why}); write the case by hand", file=sys.stderr)
            return 1
        (options.folder / f"{stem}.ptx").write_text(text, encoding="utf-8")
        print(options.folder / f"{stem}.ptx")
    return 0


if __name__ == "__main__":
    sys.exit(main())
