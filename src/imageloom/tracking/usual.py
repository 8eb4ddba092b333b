"""The trackers that a person always wants: ``IMAGELOOM_TRACK``, or ``track`` of settings.toml."""

from typing import Final

from imageloom.errors import ParameterParsingError, unknown_name
from imageloom.files.settings_file import read_settings_file
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
    content = read_settings_file(
        settings.file,
        "settings",
        variable="IMAGELOOM_SETTINGS",
        must_exist=settings.must_have_file,
        hint='It holds lines such as track = ["tensorboard"].',
    )
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
