"""A person's own components, model families and targets, from a folder named in the environment.

``IMAGELOOM_EXTENSIONS=FOLDER`` loads ``FOLDER/components/*.py``, ``FOLDER/families/*.py`` and
``FOLDER/targets/*.py`` as if they lay in our own packages. ``FOLDER#sha256=DIGEST`` refuses the
folder when its content is not what the digest was taken of. Nothing is loaded unless asked for.
"""

import contextlib
import functools
import logging
import os
import pkgutil
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.machinery import FileFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final

from imageloom.errors import EnvironmentUnsuitableError, library_text
from imageloom.files.home import expand_home
from imageloom.files.publish import digest_of_json, sha256_of_file
from imageloom.registry import import_submodules
from imageloom.settings import read_settings

logger = logging.getLogger(__name__)

KINDS: Final = ("components", "families", "targets")
_PIN: Final = "#sha256="


@dataclass(frozen=True)
class Extensions:
    """What a folder of extensions holds.

    Attributes:
        folder: Absolute.
        files: SHA-256 of each file that is loaded by its name: ``components/sharpen.py``.
        digest: SHA-256 over ``files``.
    """

    folder: Path
    files: Mapping[str, str]
    digest: str

    def __str__(self) -> str:
        """Return what a person should know when they are loaded."""
        names = ", ".join(self.files)
        return f"Extensions from {self.folder}, with sha256 {self.digest}: {names}"


def declare_all(package: ModuleType) -> None:
    """Import every module of one of our packages, and every extension of its kind.

    Raises:
        EnvironmentUnsuitableError: The extensions cannot be used: the folder is not there, its
            content is not the pinned one, or a file has a mistake; the message names its line.
    """
    extensions = find_extensions()
    if extensions is None:
        import_submodules(package)
        return
    folder = extensions.folder / package.__name__.rpartition(".")[2]
    if folder.is_dir() and str(folder) not in package.__path__:
        _refuse_taken_names(folder, package)
        sys.path_importer_cache[str(folder)] = FileFinder(str(folder), (_SourceLoader, [".py"]))
        package.__path__.append(str(folder))
    with _naming_the_line(extensions.folder):
        import_submodules(package)


def extensions_digest() -> str:
    """Return the SHA-256 of the extensions that are loaded; empty without any."""
    extensions = find_extensions()
    return "" if extensions is None else extensions.digest


def find_extensions() -> Extensions | None:
    """Return the extensions that the environment names, or None.

    Raises:
        EnvironmentUnsuitableError: They cannot be used.
    """
    setting = read_settings(os.environ).extensions
    return None if setting is None else _read(setting)


def extensions_changed() -> bool:
    """Whether files of the extensions changed since this process read them.

    It goes on with what it loaded, as its digest says; only a new process loads others.

    Raises:
        EnvironmentUnsuitableError: They were not read yet, and cannot be used.
    """
    loaded = find_extensions()
    if loaded is None:
        return False
    try:
        return _digests(loaded.folder) != loaded.files
    except (OSError, EnvironmentUnsuitableError):  # in the making; whoever loads them hears why
        return True


class _SourceLoader(SourceFileLoader):
    """Compiles what stands in the file: compiled files beside it are neither read nor written."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


@functools.cache  # the folder is read once, so the digest is that of what was loaded
def _read(setting: str) -> Extensions:
    text, _, pinned = setting.partition(_PIN)
    folder = expand_home(text).absolute()
    files = _digests(folder)
    if not files:
        raise EnvironmentUnsuitableError(
            f"IMAGELOOM_EXTENSIONS is {setting!r}, but there are no extensions.",
            hint="They are the files components/*.py, families/*.py and targets/*.py in a folder.",
            reason="no-extensions",
        )
    extensions = Extensions(folder, files, digest_of_json(files))
    if _PIN in setting and pinned != extensions.digest:
        raise EnvironmentUnsuitableError(
            f"The extensions in {folder} have the sha256 {extensions.digest}, but "
            f"IMAGELOOM_EXTENSIONS asks for {pinned}.",
            hint="Look at what has changed there. If it is as it should be, set the new digest.",
            reason="extensions-changed",
            details={"found": extensions.digest, "expected": pinned},
        )
    logger.warning("%s", extensions)
    return extensions


def _digests(folder: Path) -> dict[str, str]:
    return {
        f"{kind}/{file.name}": sha256_of_file(file)
        for kind in KINDS
        for file in _source_files(folder / kind)
    }


def _source_files(folder: Path) -> list[Path]:
    """Return the files that are loaded, and refuse what Python might load besides."""
    if not folder.is_dir():
        return []
    found = sorted(
        file
        for file in folder.iterdir()
        if not file.name.startswith(".") and file.name != "__pycache__"
    )
    for file in found:
        if file.suffix != ".py" or file.is_symlink() or not file.is_file():
            raise EnvironmentUnsuitableError(
                f"{file} is not a plain Python file, which is all that {folder} may hold.",
                hint="Extensions are single files. Move everything else to another folder.",
                reason="not-an-extension",
                details={"file": str(file)},
            )
    return found


def _refuse_taken_names(folder: Path, package: ModuleType) -> None:
    ours = {module.name for module in pkgutil.iter_modules(package.__path__)}
    for file in _source_files(folder):
        if file.stem in ours:
            raise EnvironmentUnsuitableError(
                f"{file} has the name of a file of {package.__name__}, so it would be passed over.",
                hint="Rename the file. What it declares needs a name of its own as well.",
                reason="name-taken",
                details={"file": str(file)},
            )


@contextlib.contextmanager
def _naming_the_line(folder: Path) -> Iterator[None]:
    """Turn whatever goes wrong in a file of the folder into an error that says where."""
    try:
        yield
    except Exception as problem:  # a person's own code may raise anything
        place = _place_of(problem, folder)
        if not place:
            raise
        raise EnvironmentUnsuitableError(
            f"The extension {place} has a mistake: {type(problem).__name__}: "
            f"{library_text(problem)}",
            hint="Mend the file, or move it out of the folder that IMAGELOOM_EXTENSIONS names.",
            reason="extension-mistake",
            details={"place": place},
        ) from problem


def _place_of(problem: Exception, folder: Path) -> str:
    """Return the innermost place in a file of the folder, or nothing if it lies elsewhere."""
    places = [
        (frame.filename, frame.lineno) for frame in traceback.extract_tb(problem.__traceback__)
    ]
    if isinstance(problem, SyntaxError):
        places.append((problem.filename or "", problem.lineno))
    inside = [place for place in places if Path(place[0]).is_relative_to(folder)]
    return f"{inside[-1][0]}, line {inside[-1][1]}," if inside else ""
