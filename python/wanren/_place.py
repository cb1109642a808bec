"""Where Wanren's programs and libraries are."""

import os


def root() -> str:
    """The folder that has bin and lib: beside this package in a wheel, above it where it was built or installed."""
    here = os.path.dirname(os.path.abspath(__file__))
    # By name, not through links: the build tree links to the sources.
    above = os.path.normpath(os.path.join(here, *[os.pardir] * 4))
    for place in (os.path.join(here, "native"), above):
        if os.path.exists(os.path.join(place, "bin", "wanren")):
            return place
    raise RuntimeError(f"wanren: no bin/wanren beside or above {here}; install the wheel, or build the project")


def library(name: str) -> str:
    return os.path.join(root(), "lib", name)


def program(name: str = "wanren") -> str:
    return os.path.join(root(), "bin", name)


def main() -> None:
    """The command `wanren` of the wheel: the program itself takes the place of this process."""
    import sys

    path = program()
    os.execv(path, [path, *sys.argv[1:]])
