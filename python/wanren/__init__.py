"""Wanren from Python: CUDA programs on a virtual GPU, with the time and energy that the chip would take.

    wanren run --chip a100 -- python train.py        # in a shell: the whole program

    import wanren                                    # in the program: a block of it
    with wanren.measure() as step:
        train_one_step()
    print(step.time_us, step.energy_j, step.table)

    run = wanren.run(["python", "train.py"], chip="br100")   # from another program
"""

from ._chip import Chip, Figure, chip, chips
from ._measure import Measurement, measure, report
from ._run import Failed, Run, run

__all__ = ["Chip", "Failed", "Figure", "Measurement", "Run", "chip", "chips", "measure", "report", "run"]
