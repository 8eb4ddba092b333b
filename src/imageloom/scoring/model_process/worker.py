"""The process that keeps models warm for a server, which must not load torch itself.

Its parent is ``imageloom.scoring.model_process.client``; how the two speak,
``system.helper_answers`` says. The setup is ``{"cache": FOLDER, "features": FOLDER, "roots":
[FOLDER, ...]}``.
"""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from imageloom.data.previews.cache import ThumbnailCache
from imageloom.data.previews.reach import Reach
from imageloom.scoring.model_process.kept import KeptFiles
from imageloom.scoring.model_process.models import WarmModels
from imageloom.scoring.model_process.values import AlikePictures, Guesses, PictureLook
from imageloom.system.helper_answers import Answer, answer_parent

MAX_MEMORY_BYTES: Final = 8 * 1024**3
"""For torch, two models and a picture; a ResNet-152 at work takes 2 GiB."""

_WORK: Final[Mapping[str, Callable[..., Guesses | PictureLook | AlikePictures]]] = {
    "predict": WarmModels.predict,
    "explain": WarmModels.explain,
    "nearest": WarmModels.nearest,
}


def main() -> None:
    """Serve the parent that started this process."""
    answer_parent(_prepare, memory_bytes=MAX_MEMORY_BYTES)


def _prepare(setup: dict[str, Any]) -> Answer:
    cache = ThumbnailCache(Path(setup["cache"]))
    reach = Reach(tuple(map(Path, setup["roots"])))
    models = WarmModels(KeptFiles(cache.folder), cache, Path(setup["features"]), reach)
    cache.prepare()
    return lambda name, arguments: dataclasses.asdict(_WORK[name](models, **arguments))


if __name__ == "__main__":
    main()
