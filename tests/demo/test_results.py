"""Checks how the demo reads comparisons: cells, ranges, verdicts, the table and the pictures."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "demo.d"))

from programs import PROGRAMS, Program  # noqa: E402
from results import Cell, cell, cells, judge, speed, verdict  # noqa: E402
from text import range_text, table  # noqa: E402


def report(name, kernels, busy_us=None, spread=None):
    busy = busy_us or sum(k["time_us"] for k in kernels)
    made = {
        "chip": {"name": name, "title": name.upper(), "dies": 2, "price_usd": 0, "board_limit_w": 300,
                 "peak_fp32_tflops": 10, "peak_bf16_tflops": 100, "peak_dram_gbs": 1000, "d2d_gbs": 400,
                 "assumed_share": 0.5},
        "totals": {"busy_us": busy}, "kernels": kernels}
    if spread:
        made["range"] = {"busy_low_us": busy * spread[0], "busy_high_us": busy * spread[1]}
    return made


def kernel(name, time_us, **more):
    return {"name": name, "time_us": time_us, "energy_j": 100e-6 * time_us, "grid": [10, 1, 1], "block": [100, 1, 1],
            "flops": 1e6, "fp32_peak_pct": 50, "tensor_peak_pct": 20, "dram_peak_pct": 10, "dram_read_bytes": 1000,
            "dram_write_bytes": 500, "d2d_link_bytes": [0, 10, 20, 0], "bound_by": "FP32 pipe", **more}


class Cells(unittest.TestCase):
    gemm = Program("GEMM", "gemm", ("mul",), "fp32", (), (), "", "")
    triad = Program("TRIAD", "stream", ("triad",), "dram", (), (), "", "", useful_bytes_per_thread=12)

    def test_counts_only_the_named_kernels(self):
        c = cell(report("x", [kernel("void mul(int)", 4), kernel("other(int)", 6)]), self.gemm, "x")
        self.assertEqual(c.time_us, 4)
        self.assertAlmostEqual(c.watts, 100)

    def test_range_of_the_run_carries_over_to_its_kernels(self):
        c = cell(report("x", [kernel("mul", 4), kernel("other", 6)], spread=(0.8, 1.5)), self.gemm, "x")
        self.assertAlmostEqual(c.low_us, 3.2)
        self.assertAlmostEqual(c.high_us, 6.0)
        self.assertEqual(range_text(c), " −20/+50 %")

    def test_stream_counts_its_own_bytes(self):
        # 1,000 threads * 12 B in 1 us are 12 GB/s, 1.2 % of 1,000 GB/s.
        self.assertAlmostEqual(cell(report("x", [kernel("triad", 1)]), self.triad, "x").roof_pct, 1.2)

    def test_share_of_peak_is_weighted_by_time(self):
        c = cell(report("x", [kernel("mul", 1, fp32_peak_pct=80), kernel("mul", 3, fp32_peak_pct=40)]), self.gemm, "x")
        self.assertAlmostEqual(c.roof_pct, 50)

    def test_failing_chip_says_why(self):
        row = cells({"chips": [{"chip": {"name": "a"}, "failure": "needs sm_90"}]}, self.gemm, ("a",))
        self.assertFalse(row["a"].ok)
        self.assertEqual(row["a"].failure, "needs sm_90")


class Verdicts(unittest.TestCase):
    def pair(self, ours, base):
        return {"P": {"br100": Cell("br100", "", *ours), "a100": Cell("a100", "", *base)}}

    def test_whole_interval_ahead(self):
        self.assertIn("ahead in P", verdict(self.pair((1, 0.8, 1.2), (2, 1.9, 2.2)), "br100"))

    def test_whole_interval_behind(self):
        self.assertIn("behind in P", verdict(self.pair((4, 3.5, 5), (2, 1.9, 2.2)), "br100"))

    def test_close_on_both_sides_is_on_a_par(self):
        self.assertIn("on a par in P", verdict(self.pair((1, 0.95, 1.05), (1, 0.98, 1.02)), "br100"))

    def test_no_verdict_where_the_ranking_flips(self):
        text = verdict(self.pair((1, 0.5, 2), (1, 0.9, 1.1)), "br100")
        self.assertIn("cannot be told in P (0.45–2.20x)", text)

    def test_corners_of_the_interval(self):
        nominal, least, most = speed(Cell("a", "", 2, 1, 4), Cell("b", "", 6, 4, 8))
        self.assertEqual((nominal, least, most), (3, 1, 8))
        self.assertEqual(judge(least, most), "")


class Shown(unittest.TestCase):
    def setUp(self):
        self.chips = ("br104", "br100", "a100", "h100")
        self.rows = {p.title: cells({"chips": [report(c, [kernel(k, 5) for k in p.kernels or ("k",)], spread=(0.9, 1.3))
                                               for c in self.chips]}, p, self.chips) for p in PROGRAMS}
        self.rows["SGEMM"]["a100"] = Cell("a100", failure="needs sm_90")

    def test_table_fits_a_screen_and_names_everything(self):
        text = table(self.rows, PROGRAMS, self.chips, {p.title: p.small_size for p in PROGRAMS})
        self.assertLessEqual(max(map(len, text.splitlines())), 120)
        for word in [p.title for p in PROGRAMS] + ["does not run", "needs sm_90", "−10/+30 %", "no public source"]:
            self.assertIn(word, text)

    def test_pictures_are_drawn(self):
        try:
            import pictures
        except ImportError:
            self.skipTest("python3-matplotlib is not installed")
        with tempfile.TemporaryDirectory() as folder:
            pictures.draw_all(Path(folder), self.rows, PROGRAMS, self.chips)
            for name in ("dies", "times", "roofline"):
                self.assertGreater((Path(folder) / f"{name}.png").stat().st_size, 10000)
                self.assertLess((Path(folder) / f"{name}.svg").stat().st_size, 200 << 10)


if __name__ == "__main__":
    unittest.main()
