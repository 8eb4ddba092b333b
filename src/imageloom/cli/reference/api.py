"""Prints what the API answers, as OpenAPI: ``python -m imageloom.cli.reference.api``.

The page's types are generated from it.
"""

import json
import os
import sys
from pathlib import Path

from imageloom.app import Engine
from imageloom.data.previews.client import PictureHelper
from imageloom.scoring.model_process.client import ModelHelper
from imageloom.server.access import Access
from imageloom.server.app import create_app
from imageloom.server.roots import Roots
from imageloom.server.studio import Studio
from imageloom.settings import read_settings


def api_description() -> dict[str, object]:
    """Return the OpenAPI document; it depends on no workspace."""
    settings = read_settings(os.environ)
    studio = Studio(
        engine=Engine(settings),
        roots=Roots(()),
        user="",
        base=Path("/"),
        pictures=PictureHelper(settings.home, looks=settings.picture_looks),
        models=ModelHelper(settings.home, features=settings.features),
    )
    return create_app(studio, Access(token="", port=0)).openapi()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(api_description(), indent=1) + "\n")
