"""Where Imageloom keeps what is not the user's own output, and what a person set for it."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.errors import NotInRangeValueError

DEFAULT_STORE_LIMIT_GIB: Final = 100.0
DEFAULT_PICTURE_CACHE_LIMIT_GIB: Final = 100.0
DEFAULT_DOWNLOADS_LIMIT_GIB: Final = 100.0
_NAMES_OF_PLACES: Final = (
    "IMAGELOOM_HOME",
    "IMAGELOOM_WORKSPACE",
    "IMAGELOOM_TARGETS",
    "IMAGELOOM_SETTINGS",
    "IMAGELOOM_EXTENSIONS",
    "IMAGELOOM_DATABASE_URL",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
)


@dataclass(frozen=True)
class Settings:
    """Folders and limits of this installation.

    Attributes:
        home: Everything Imageloom keeps for itself; ``IMAGELOOM_HOME``, by default
            ``~/.cache/imageloom``. It may be deleted at any time; but pictures at addresses must
            then be converted again, whose copies lie there.
        workspace: Runs of pipelines and their outputs; ``IMAGELOOM_WORKSPACE``, by default
            ``~/.local/share/imageloom``.
        database_url: Database that indexes the runs, as SQLAlchemy writes it;
            ``IMAGELOOM_DATABASE_URL``, by default None: a SQLite file in the workspace.
        store_limit_gib: GiB of outputs above which unneeded ones are removed;
            ``IMAGELOOM_STORE_LIMIT_GIB``.
        picture_cache_limit_gib: GiB that scaled copies of pictures may take together;
            ``IMAGELOOM_PICTURE_CACHE_LIMIT_GIB``.
        downloads_limit_gib: GiB that copies of what lies at addresses may take together;
            ``IMAGELOOM_DOWNLOADS_LIMIT_GIB``.
        extensions: Folder of a person's own components, model families and targets;
            ``IMAGELOOM_EXTENSIONS``, by default None.
        targets: File of a person's own targets; ``IMAGELOOM_TARGETS``, by default
            ``~/.config/imageloom/targets.toml``, which need not be there.
        must_have_targets: Whether that file was named, so that it must be there.
        track: Trackers that follow every training, with commas between them; ``IMAGELOOM_TRACK``,
            by default None: as ``file`` says.
        file: File of a person's further settings; ``IMAGELOOM_SETTINGS``, by default
            ``~/.config/imageloom/settings.toml``, which need not be there.
        must_have_file: Whether that file was named, so that it must be there.
    """

    home: Path
    workspace: Path
    database_url: str | None = None
    store_limit_gib: float = DEFAULT_STORE_LIMIT_GIB
    picture_cache_limit_gib: float = DEFAULT_PICTURE_CACHE_LIMIT_GIB
    downloads_limit_gib: float = DEFAULT_DOWNLOADS_LIMIT_GIB
    extensions: str | None = None
    targets: Path | None = None
    must_have_targets: bool = False
    track: str | None = None
    file: Path | None = None
    must_have_file: bool = False

    @property
    def image_directories(self) -> Path:
        """Image directories made from plain folders, so that the second use is instant."""
        return self.home / "image-directories"

    @property
    def picture_cache(self) -> Path:
        """Scaled copies of pictures, which trainings ask for with ``picture_cache``."""
        return self.home / "picture-cache"

    @property
    def downloads(self) -> Path:
        """Copies of what lies at addresses such as ``s3://``, kept up to date by each use."""
        return self.home / "downloads"

    @property
    def features(self) -> Path:
        """What models see in training pictures, to find those that are alike."""
        return self.home / "features"

    @property
    def picture_looks(self) -> Path:
        """What pictures look like in small, so that duplicates are found at once another time."""
        return self.home / "picture-looks.sqlite"

    @property
    def slots(self) -> Path:
        """Locks by which all runs on this machine share it; other machines may see the home."""
        return self.home / "slots" / platform.node()


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings that the environment variables ask for.

    Raises:
        NotInRangeValueError: A limit is not a number above 0, or a place cannot be one.
    """
    for name in _NAMES_OF_PLACES:
        if "\0" in environment.get(name, ""):
            raise _no_place(name, environment[name], "there is a NUL character in it")
    cache = environment.get("XDG_CACHE_HOME") or "~/.cache"
    config = environment.get("XDG_CONFIG_HOME") or "~/.config"
    share = environment.get("XDG_DATA_HOME") or "~/.local/share"
    targets = environment.get("IMAGELOOM_TARGETS")
    return Settings(
        home=_folder(environment, "IMAGELOOM_HOME", f"{cache}/imageloom"),
        workspace=_folder(environment, "IMAGELOOM_WORKSPACE", f"{share}/imageloom"),
        database_url=environment.get("IMAGELOOM_DATABASE_URL") or None,
        store_limit_gib=_limit(environment, "IMAGELOOM_STORE_LIMIT_GIB", DEFAULT_STORE_LIMIT_GIB),
        picture_cache_limit_gib=_limit(
            environment, "IMAGELOOM_PICTURE_CACHE_LIMIT_GIB", DEFAULT_PICTURE_CACHE_LIMIT_GIB
        ),
        downloads_limit_gib=_limit(
            environment, "IMAGELOOM_DOWNLOADS_LIMIT_GIB", DEFAULT_DOWNLOADS_LIMIT_GIB
        ),
        extensions=environment.get("IMAGELOOM_EXTENSIONS") or None,
        targets=_folder(environment, "IMAGELOOM_TARGETS", f"{config}/imageloom/targets.toml"),
        must_have_targets=bool(targets),
        track=environment.get("IMAGELOOM_TRACK"),
        file=_folder(environment, "IMAGELOOM_SETTINGS", f"{config}/imageloom/settings.toml"),
        must_have_file=bool(environment.get("IMAGELOOM_SETTINGS")),
    )


def _folder(environment: Mapping[str, str], name: str, default: str) -> Path:
    text = environment.get(name) or default
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as problem:  # '~name' of nobody
        raise _no_place(name, text, "its home folder is not known") from problem


def _no_place(name: str, text: str, why: str) -> NotInRangeValueError:
    return NotInRangeValueError(
        f"{name} is {text!r}, which is no place: {why}.",
        hint="Set it to a place that can be there, or do not set it.",
        details={"parameter": name, "value": text},
    )


def _limit(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name)
    if not text:
        return default
    try:
        limit = float(text)
    except ValueError:
        limit = 0.0
    if not 0 < limit < float("inf"):
        raise NotInRangeValueError(
            f"{name} is {text!r}, but must be a number above 0.",
            hint=f"The default is {default:g}.",
        )
    return limit
