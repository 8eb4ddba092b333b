"""Which libraries a process has loaded, as the kernel tells: no word of the process is needed."""

from pathlib import Path

HEAVY = ("PIL", "numpy", "pyarrow", "torch", "torchvision")


def heavy_libraries(pid):
    """Return the names of the heavy libraries of which a process has mapped compiled code."""
    found = set()
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        file = Path(line.split(maxsplit=5)[-1])
        if ".so" in file.suffixes:
            found.update(file.parts)
    return sorted(found.intersection(HEAVY))
