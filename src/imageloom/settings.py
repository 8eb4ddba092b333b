"""Where Imageloom keeps what is not the user's own output."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Folders of this installation.

    Attributes:
        home: Everything Imageloom keeps for itself; ``IMAGELOOM_HOME``, by default
            ``~/.cache/imageloom``. It may be deleted at any time.
    """

    home: Path

    @property
    def image_directories(self) -> Path:
        """Image directories made from plain folders, so that the second use is instant."""
        return self.home / "image-directories"


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings that the environment variables ask for."""
    home = environment.get("IMAGELOOM_HOME")
    if home:
        return Settings(home=Path(home).expanduser().absolute())
    cache = environment.get("XDG_CACHE_HOME") or "~/.cache"
    return Settings(home=Path(cache).expanduser().absolute() / "imageloom")
