"""The package `wanren`, what `wanren run` puts before a Python program, and the assembler that frameworks find."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = sys.argv.pop(1)
sys.path.insert(0, PACKAGE)

import wanren  # noqa: E402
from wanren import _place  # noqa: E402

PTX = os.path.join(HERE, "count.ptx")


def wanren_run(*words, **keywords):
    return subprocess.run(
        [_place.program(), "run", "--quiet", "--timing", "off", "--", *words],
        capture_output=True,
        text=True,
        check=False,
        **keywords,
    )


class Chips(unittest.TestCase):
    def test_figures_have_values_units_and_origins(self):
        chip = wanren.chip("a100")
        self.assertEqual(chip["package.dies"].value, 1)
        self.assertEqual(chip["hbm.bandwidth_per_die"].unit, "GB/s")
        self.assertEqual(chip["hbm.bandwidth_per_die"].origin, "datasheet")
        self.assertIn("A100", chip.title)
        self.assertIn("br100", wanren.chips())

    def test_an_unknown_chip_is_named(self):
        with self.assertRaisesRegex(ValueError, "no-such-chip"):
            wanren.chip("no-such-chip")


class Runs(unittest.TestCase):
    def launch(self, **options):
        return wanren.run(
            ["python", os.path.join(HERE, "launch.py"), PTX], stdout=subprocess.PIPE, text=True, **options
        )

    def test_a_run_has_the_report(self):
        run = self.launch(chip="a100")
        self.assertEqual(len(run.kernels), 3)
        self.assertEqual(run.kernels[0]["name"], "count")
        self.assertGreater(run.busy_us, 0)
        self.assertGreater(run.energy_j, 0)

    def test_figures_can_be_changed(self):
        slow = self.launch(chip="a100", set={"hbm.bandwidth_per_die": "100GB/s"})
        self.assertGreater(slow.busy_us, self.launch(chip="a100").busy_us)

    def test_what_fails_says_so(self):
        with self.assertRaisesRegex(wanren.Failed, "ended with 3") as failed:
            wanren.run(["python", "-c", "raise SystemExit(3)"])
        self.assertEqual(failed.exception.exit_code, 3)
        with self.assertRaisesRegex(wanren.Failed, "no CUDA call"):
            wanren.run(["python", "-c", "pass"], stderr=subprocess.DEVNULL)

    def test_a_block_is_measured(self):
        done = subprocess.run(
            [_place.program(), "run", "--quiet", "--", sys.executable, os.path.join(HERE, "launch.py"), PTX],
            capture_output=True,
            text=True,
            check=True,
        )
        block = json.loads(done.stdout)
        self.assertTrue(block["right"])
        self.assertEqual(block["kernels"], 2)
        self.assertEqual(block["all_kernels"], 3)
        self.assertGreater(block["copies"], 0)
        self.assertGreater(block["busy_us"], 0)
        self.assertGreater(block["time_us"], block["busy_us"])
        self.assertGreater(block["energy_j"], 0)
        self.assertIn("count", block["table"])

    def test_outside_a_run_the_remedy_is_named(self):
        code = f"import sys; sys.path.insert(0, {PACKAGE!r}); import wanren\nwith wanren.measure(): pass"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        self.assertIn("wanren run -- python", done.stderr)


class Customisation(unittest.TestCase):
    def test_the_users_own_still_runs(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "sitecustomize.py"), "w", encoding="utf-8") as file:
                file.write("print('mine')\n")
            done = wanren_run(
                sys.executable, "-c", "import wanren; print('then')", env={**os.environ, "PYTHONPATH": folder}
            )
        self.assertEqual(done.stdout, "mine\nthen\n")

    def test_frameworks_find_the_assembler(self):
        code = "import os; print(os.environ['TRITON_PTXAS_PATH'], os.environ['TRITON_LIBCUDA_PATH'])"
        ptxas, libraries = wanren_run(sys.executable, "-c", code).stdout.split()
        self.assertTrue(os.access(ptxas, os.X_OK))
        self.assertTrue(os.path.exists(os.path.join(libraries, "libcuda.so.1")))
        done = wanren_run(sys.executable, "-c", code, env={**os.environ, "TRITON_PTXAS_PATH": "/mine"})
        self.assertEqual(done.stdout.split()[0], "/mine")


class Ptxas(unittest.TestCase):
    def ptxas(self, *words):
        return subprocess.run(
            [_place.program("wanren-ptxas"), *words], capture_output=True, text=True, check=False
        )

    def test_version_reads_as_frameworks_expect(self):
        self.assertRegex(self.ptxas("--version").stdout, r"release \d+\.\d+, V")

    def test_output_loads_and_verbose_tells_registers(self):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "count.cubin")
            done = self.ptxas("-lineinfo", "-v", "--gpu-name=sm_90a", "--regAllocOptLevel=2", PTX, "-o", out)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stderr, r"Compiling entry function 'count' for 'sm_90a'")
            self.assertRegex(done.stderr, r"Used \d+ registers")
            self.assertRegex(done.stderr, r"0 bytes spill stores")
            run = wanren_run(sys.executable, os.path.join(HERE, "launch.py"), out)
            self.assertTrue(json.loads(run.stdout)["right"])

    def test_what_is_wrong_has_a_place(self):
        with tempfile.TemporaryDirectory() as folder:
            bad = os.path.join(folder, "bad.ptx")
            with open(bad, "w", encoding="utf-8") as file:
                file.write(".version 8.0\n.target sm_80\n.visible .entry k() {\n  fly.u32 %r1;\n}\n")
            done = self.ptxas(bad, "-o", os.path.join(folder, "out"))
            self.assertEqual(done.returncode, 255)
            self.assertIn("bad.ptx:4", done.stderr)
        self.assertIn("--no-such", self.ptxas("--no-such", PTX).stderr)
        self.assertIn("no-file.ptx", self.ptxas("no-file.ptx").stderr)


if __name__ == "__main__":
    unittest.main()
