"""Draws the demo's three pictures as SVG and PNG: the dies and their link, time bars, rooflines."""

import math

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle  # noqa: E402

from text import bytes_text, time_text  # noqa: E402

INK, QUIET, PAPER = "#1f2933", "#7b8794", "#ffffff"
CHIP_COLOUR = {"br104": "#f2a65a", "br100": "#d1495b", "a100": "#66a182", "h100": "#4f6d9a"}
PROGRAM_MARK = {"BF16 GEMM": "s", "STREAM triad": "o", "SGEMM": "^", "MLP training": "D"}

plt.rcParams.update({
    "font.family": "DejaVu Sans", "font.size": 9, "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": "#cbd2d9",
    "xtick.color": QUIET, "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False,
    "figure.facecolor": PAPER, "savefig.facecolor": PAPER, "svg.fonttype": "none", "svg.hashsalt": "wanren",
})


def save(figure, folder, name):
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    figure.savefig(folder / f"{name}.png", dpi=150)
    plt.close(figure)


def colour(chip):
    return CHIP_COLOUR.get(chip, "#52606d")


def times(folder, rows, programs, chips):
    """One panel a program: a bar a chip, with the range that the assumed figures leave."""
    figure, axes = plt.subplots(1, len(programs), figsize=(11, 2.9), layout="constrained")
    for axis, program in zip(axes, programs):
        row = [(chip, rows[program.title][chip]) for chip in chips]
        most = max([c.high_us for _, c in row if c.ok], default=1)
        scale, unit = (1e-3, "ms") if most >= 1000 else (1, "µs")
        for at, (chip, cell) in enumerate(reversed(row)):
            if not cell.ok:
                axis.text(0, at, " does not run", va="center", color=QUIET)
                continue
            axis.barh(at, cell.time_us * scale, color=colour(chip), height=0.62)
            low, high = cell.time_us - cell.low_us, cell.high_us - cell.time_us
            if low or high:
                axis.errorbar(cell.time_us * scale, at, xerr=[[low * scale], [high * scale]], color=INK, lw=1.1,
                              capsize=3, capthick=1.1)
            axis.text(cell.high_us * scale + most * scale * 0.03, at, time_text(cell.time_us).replace("us", "µs"),
                      va="center", fontsize=8.5)
        axis.set_yticks(range(len(row)), [chip.upper() for chip, _ in reversed(row)])
        axis.set_xlim(0, most * scale * 1.38)
        axis.set_title(program.title, loc="left", fontweight="bold", fontsize=10)
        axis.set_xlabel(unit, loc="right")
        axis.tick_params(axis="y", length=0)
        axis.xaxis.set_major_locator(plt.MaxNLocator(4))
        axis.grid(axis="x", color="#e4e7eb", lw=0.8)
        axis.set_axisbelow(True)
    figure.suptitle("Time of the kernels; whiskers: all assumed figures 30 % better and worse", x=0.005, ha="left",
                    fontsize=9, color=QUIET)
    save(figure, folder, "times")


def roofline(folder, rows, programs, chips):
    """One panel a chip: claimed roofs, and where the kernels of the programs lie."""
    figure, axes = plt.subplots(1, len(chips), figsize=(12, 3.9), sharex=True, sharey=True)
    figure.subplots_adjust(left=0.055, right=0.995, top=0.92, bottom=0.225, wspace=0.08)
    x_low, x_high = 0.02, 2e3
    lowest = 1.0
    for axis, chip in zip(axes, chips):
        some = next((rows[p.title][chip] for p in programs if rows[p.title][chip].ok), None)
        axis.set_title(chip.upper(), loc="left", fontweight="bold", fontsize=10, color=colour(chip))
        if some is None:
            axis.text(0.5, 0.5, "does not run", transform=axis.transAxes, ha="center", color=QUIET)
            continue
        spec = some.report["chip"]
        memory = spec["peak_dram_gbs"] * 1e-3  # TB/s
        for peak, text in ((spec["peak_bf16_tflops"], "BF16 tensor"), (spec["peak_fp32_tflops"], "FP32")):
            knee = peak / memory
            axis.plot([x_low, knee, x_high], [x_low * memory, peak, peak], color="#9aa5b1", lw=1.3, zorder=1)
            axis.text(x_high, peak * 1.12, f"{text} {peak:.4g} TFLOP/s", ha="right", va="bottom", fontsize=7, color=QUIET)
        axis.text(0.6, 0.6 * memory * 1.25, f"DRAM {memory:.3g} TB/s",
                  rotation=math.degrees(math.atan2(1.25 * memory, 1)), rotation_mode="anchor",
                  transform_rotates_text=True, fontsize=7, color=QUIET, ha="center", va="bottom")
        for program in programs:
            cell = rows[program.title][chip]
            if not cell.ok:
                continue
            flops = sum(k["flops"] for k in cell.kernels)
            moved = sum(k["dram_read_bytes"] + k["dram_write_bytes"] for k in cell.kernels)
            if not flops:
                continue
            x = min(flops / moved, x_high) if moved else x_high  # all of it in L2: at the right edge
            y = flops / (cell.time_us * 1e-6) * 1e-12
            lowest = min(lowest, y)
            axis.plot(x, y, PROGRAM_MARK.get(program.title, "o"), ms=7, color=colour(chip), mec=PAPER, mew=0.8, zorder=3,
                      clip_on=False)
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.grid(color="#edf0f3", lw=0.7)
        axis.tick_params(which="both", length=2, labelsize=8)
        axis.minorticks_off()
        axis.set_xlabel("FLOP per byte from or to DRAM")
    axes[0].set_ylabel("TFLOP/s")
    axes[0].set_xlim(x_low, x_high)
    axes[0].set_ylim(lowest / 3, 3e3)
    marks = [plt.Line2D([], [], marker=PROGRAM_MARK.get(p.title, "o"), ls="", color=QUIET, label=p.title)
             for p in programs]
    figure.legend(handles=marks, loc="lower center", ncols=len(marks), frameon=False)
    save(figure, folder, "roofline")


def _die(axis, x, y, number):
    """A compute die with 16 clusters, its two HBM stacks on the outer side."""
    axis.add_patch(FancyBboxPatch((x, y), 3.2, 3.2, boxstyle="round,pad=0,rounding_size=0.12", fc="#fbe9ec",
                                  ec=colour("br100"), lw=1.6))
    for i in range(16):
        axis.add_patch(Rectangle((x + 0.2 + 0.72 * (i % 4), y + 0.55 + 0.62 * (i // 4)), 0.62, 0.52, fc=colour("br100"),
                                 alpha=0.75, ec="none"))
    axis.text(x + 1.6, y + 0.27, f"die {number}: 16 SPC, 64 CU", ha="center", va="center", fontsize=8.5)
    outer = x - 1.25 if number == 0 else x + 3.55
    for stack in range(2):
        axis.add_patch(FancyBboxPatch((outer, y + 0.25 + 1.55 * stack), 0.9, 1.2,
                                      boxstyle="round,pad=0,rounding_size=0.08", fc="#dfe7ef", ec="#7b8794", lw=1.2))
        edge = (x - 0.35, x) if number == 0 else (x + 3.2, x + 3.55)
        axis.plot(edge, [y + 0.85 + 1.55 * stack] * 2, color="#7b8794", lw=5, solid_capstyle="butt", zorder=0)
        axis.text(outer + 0.45, y + 0.85 + 1.55 * stack, "HBM2E", ha="center", va="center", fontsize=7.5, rotation=90)


def _arrow(axis, x0, x1, y, width):
    axis.add_patch(FancyArrowPatch((x0, y), (x1, y), arrowstyle="-|>,head_length=7,head_width=5", lw=width,
                                   color=colour("br104"), shrinkA=0, shrinkB=0, zorder=3))


def dies(folder, rows, programs):
    """The package of BR100, once a program: bytes and rate over the link in each direction, and DRAM traffic."""
    chosen = [p for p in programs if rows[p.title]["br100"].ok and p.name in ("stream", "bf16_gemm")]
    if not chosen:
        return
    figure, axes = plt.subplots(1, len(chosen), figsize=(6.2 * len(chosen), 2.75), layout="constrained", squeeze=False)
    for axis, program in zip(axes[0], chosen):
        cell = rows[program.title]["br100"]
        seconds = cell.time_us * 1e-6
        link = cell.report["chip"]["d2d_gbs"]
        count = cell.report["chip"]["dies"]
        moved = [0] * (count * count)
        for kernel in cell.kernels:
            for i, n in enumerate(kernel["d2d_link_bytes"]):
                moved[i] += n
        _die(axis, 1.5, 0.4, 0)
        _die(axis, 8.1, 0.4, 1)
        for y, start, end, n in ((2.75, 4.8, 7.95, moved[1] if count > 1 else 0),
                                 (1.25, 8.0, 4.85, moved[count] if count > 1 else 0)):
            rate = n / seconds * 1e-9
            _arrow(axis, start, end, y, 1.5 + 9 * min(1, rate / link) if link else 1.5)
            axis.text(6.4, y + 0.32, f"{bytes_text(n)}, {rate:.0f} GB/s", ha="center", va="bottom", fontsize=8.5)
            axis.text(6.4, y - 0.32, f"{100 * rate / link:.0f} % of the link" if link else "", ha="center", va="top",
                      fontsize=7.5, color=QUIET)
        read = sum(k["dram_read_bytes"] for k in cell.kernels)
        written = sum(k["dram_write_bytes"] for k in cell.kernels)
        peak = cell.report["chip"]["peak_dram_gbs"]
        rate = (read + written) / seconds * 1e-9
        axis.text(6.4, -0.35, f"DRAM of both dies: {bytes_text(read)} read, {bytes_text(written)} written, "
                  f"{rate:.0f} of {peak:.0f} GB/s", ha="center", va="center", fontsize=8.5)
        axis.set_title(f"{program.title} on BR100, {time_text(cell.time_us)}".replace(" us", " µs"), loc="left",
                       fontweight="bold", fontsize=10)
        axis.set_xlim(0.15, 12.65)
        axis.set_ylim(-0.65, 3.7)
        axis.set_aspect("equal")
        axis.axis("off")
    save(figure, folder, "dies")


def draw_all(folder, rows, programs, chips):
    dies(folder, rows, programs)
    times(folder, rows, programs, chips)
    roofline(folder, rows, programs, chips)
