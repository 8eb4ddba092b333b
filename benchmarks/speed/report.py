"""What all benchmarks of speed share: options, and a result that says how it was measured."""

import argparse
import importlib.metadata
import os
import platform
import shlex
import sys
import time
from pathlib import Path

from rounds import table

PACKAGES = [
    "torch",
    "torchvision",
    "timm",
    "fastai",
    "ultralytics",
    "opencv-python",
    "pillow",
    "simplejpeg",
]


def parser_of(text):
    """Return a parser with the options that all take, needed or not, so that one line serves all.

    Args:
        text: The script's docstring.
    """
    parser = argparse.ArgumentParser(description=text.partition("\n")[0])
    parser.add_argument("--pictures", type=Path, help="folder of JPEG photos, at any depth")
    parser.add_argument(
        "--small-pictures", type=Path, help="folder or .tar of train/CLASS/FILE, 32 x 32 pixels"
    )
    parser.add_argument("--timm-train", type=Path, help="train.py of timm's repository")
    parser.add_argument(
        "--work", type=Path, default=Path("build/bench"), help="folder for all that is written"
    )
    parser.add_argument("--out", type=Path, help="folder for the table, as a file of Markdown")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--full", action="store_true", help="the sizes of the committed results")
    return parser


def publish(what, arguments, parser, sections):
    """Print the result and, where --out says so, write it.

    Args:
        what: First part of the file's name.
        arguments: As parsed.
        parser: That parsed them.
        sections: Texts in Markdown: title first, tables, remarks.
    """
    text = "\n\n".join([*sections, surroundings(parser)]) + "\n"
    print("\n" + text)
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        file = arguments.out / f"{what}_{machine()}_{time.strftime('%Y%m')}.md"
        file.write_text(text, encoding="utf-8")
        print(f"Written to {file}")


def machine():
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_name().lower().replace(" ", "-")
    return f"cpu{len(os.sched_getaffinity(0))}"


def surroundings(parser):
    """Return command, hardware, versions and load as a table."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    rows = [
        ["Command", f"`{command(parser)}`"],
        ["Hardware", hardware()],
        ["Versions", versions()],
        ["Load at the end (1, 5, 15 minutes)", load],
    ]
    return table(["", ""], rows)


def command(parser):
    """Return the command line, without the names of this machine's folders."""
    places = {flag for one in parser._actions if one.type is Path for flag in one.option_strings}
    script = Path(sys.argv[0])
    words, name_next = ["python", f"benchmarks/{script.parent.name}/{script.name}"], ""
    for word in sys.argv[1:]:
        flag, _, value = word.partition("=")
        if name_next:
            words.append(name_next)
        elif flag in places and value:
            words.append(f"{flag}={place_name(flag)}")
        else:
            words.append(word)
        name_next = place_name(flag) if flag in places and not value and not name_next else ""
    return shlex.join(words)


def place_name(flag):
    return flag.lstrip("-").replace("-", "_").upper()


def hardware():
    import torch

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{len(os.sched_getaffinity(0))} cores of {processor()}, {memory:.0f} GiB, {gpu}"


def processor():
    """Return the processor's name, with what it has for bfloat16.

    Steps depend on it more than on anything else, and a virtual machine may lack it.
    """
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    said = {key.strip(): value.strip() for key, _, value in (one.partition(":") for one in lines)}
    has = [one for one in ("amx_bf16", "avx512_bf16") if one in said.get("flags", "").split()]
    return " with ".join(filter(None, (said.get("model name") or platform.machine(), *has)))


def versions():
    found = [f"Python {platform.python_version()}"]
    for name in ["imageloom", *PACKAGES]:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return ", ".join(found)
