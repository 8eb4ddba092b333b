"""The trackers that a person always wants: ``IMAGELOOM_TRACK``, or ``track`` of settings.toml."""

import tomllib
from pathlib import Path
from typing import Final

from imageloom.errors import CouldNotOpenFileError, ParameterParsingError, unknown_name
from imageloom.settings import Settings

_KEYS: Final = ("track",)


def usual_trackers(settings: Settings) -> tuple[str, ...]:
    """Return the trackers that are taken where a training names none.

    Raises:
        CouldNotOpenFileError: The file cannot be read, or was named and is not there.
        ParameterParsingError: It is no TOML, or ``track`` is no list of texts.
        UnknownNameError: It has a key that means nothing.
    """
    if settings.track is not None:
        return tuple(filter(None, (name.strip() for name in settings.track.split(","))))
    if settings.file is None:
        return ()
    content = _read(settings.file, must_exist=settings.must_have_file)
    for name in content:
        if name not in _KEYS:
            unknown = unknown_name("setting", name, _KEYS)
            unknown.message = f"{settings.file}: {unknown.message}"
            raise unknown
    names = content.get("track", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ParameterParsingError(
            f"{settings.file}: track is {names!r}, but must be a list of texts.",
            hint='For example track = ["tensorboard"].',
            details={"parameter": "track"},
        )
    return tuple(names)


def _read(file: Path, *, must_exist: bool) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as problem:
        if not must_exist:
            return {}
        raise CouldNotOpenFileError(
            f"IMAGELOOM_SETTINGS names {file}, but there is no such file.",
            hint="Make it, or unset the variable.",
        ) from problem
    except OSError as problem:
        raise CouldNotOpenFileError(
            f"The settings in {file} could not be read: {problem.strerror or problem}."
        ) from problem
    except (ValueError, RecursionError) as problem:  # not TOML, or not UTF-8, or too deep
        raise ParameterParsingError(
            f"{file} is not a TOML file: {problem}.",
            hint='It holds lines such as track = ["tensorboard"].',
        ) from problem
