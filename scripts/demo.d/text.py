"""Numbers as people read them, and the closing table."""

import textwrap

from results import peak_text


def time_text(us):
    if us >= 1e6:
        return f"{us * 1e-6:.3g} s"
    if us >= 1e3:
        return f"{us * 1e-3:.3g} ms"
    return f"{us:.3g} us" if us < 100 else f"{us:.0f} us"


def energy_text(j):
    if j >= 1:
        return f"{j:.3g} J"
    if j >= 1e-3:
        return f"{j * 1e3:.3g} mJ"
    return f"{j * 1e6:.3g} uJ"


def bytes_text(n):
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n >= size:
            return f"{n / size:.3g} {unit}"
    return f"{n:.0f} B"


def range_text(cell):
    if cell.low_us == cell.high_us:
        return ""
    down = 100 * (cell.low_us / cell.time_us - 1)
    up = 100 * (cell.high_us / cell.time_us - 1)
    return f" {down:+.0f}/{up:+.0f} %".replace("-", "−")


# Stall names as Nsight Compute has them, in words.
WAITS = {"wait": "dependencies", "long_scoreboard": "memory", "short_scoreboard": "shared memory",
         "math_pipe_throttle": "the math pipe", "tensor_pipe_throttle": "the tensor pipe", "lg_throttle": "memory queue",
         "barrier": "barriers", "branch_resolve": "branches", "no_instruction": "instructions",
         "dispatch_stall": "dispatch", "sleeping": "sleep"}


def bound_text(bound_by):
    kind, _, stall = bound_by.partition(": ")
    return f"waits for {WAITS.get(stall, stall)}" if kind == "latency" else bound_by


def cell_lines(cell, roof):
    if not cell.ok:
        return ["does not run:"] + textwrap.wrap(cell.failure, 20)[:4]
    return [
        time_text(cell.time_us) + range_text(cell),
        f"{cell.roof_pct:.1f} % of {peak_text(cell.report, roof)}",
        f"{cell.watts:.0f} W, {energy_text(cell.joules)}",
        bound_text(cell.bound_by),
    ]


def table(rows, programs, chips, sizes):
    """rows: {program title: {chip: Cell}}; sizes: {program title: text}. One screen, as text."""
    first, width = 15, 25
    line = "─" * (first + width * len(chips))
    out = [line]

    def emit(columns):
        out.append("".join(text[:w - 1].ljust(w) for text, w in
                           zip(columns, [first] + [width] * len(chips))).rstrip())

    some = {}
    for row in rows.values():
        for chip, cell in row.items():
            if cell.ok:
                some.setdefault(chip, cell.report["chip"])
    emit([""] + [some.get(c, {}).get("title", c) for c in chips])
    emit(["board limit"] + [f"{some[c]['board_limit_w']:.0f} W" if c in some else "" for c in chips])
    emit(["price"] + [(f"{some[c]['price_usd']:,.0f} USD" if some[c]["price_usd"] > 0 else "no public source")
                      if c in some else "" for c in chips])
    emit(["assumed"] + [f"{100 * some[c]['assumed_share']:.0f} % of figures" if c in some else "" for c in chips])
    for program in programs:
        out.append(line)
        left = [program.title] + textwrap.wrap(sizes[program.title], first - 1)
        right = [cell_lines(rows[program.title][c], program.roof) for c in chips]
        for i in range(max(map(len, [left] + right))):
            emit([left[i] if i < len(left) else ""] + [r[i] if i < len(r) else "" for r in right])
    out.append(line)
    return "\n".join(out)
