"""Paths as people write them, made absolute once."""

import os
from collections.abc import Callable
from pathlib import Path

import click

from imageloom.cli.flags import F, SectionOption
from imageloom.data.sources.remote.address import is_address
from imageloom.files.home import expand_home


class PathType(click.ParamType[Path]):
    """A file or folder.

    Nothing is looked up: whether something must or must not be there is for the function to say,
    with an error that has a name.
    """

    name = "path"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        """Return the absolute path."""
        text = str(value)
        if not text:
            self.fail("The path is empty.", param, ctx)
        if is_address(text):
            self.fail(
                f"{text} is an address, but this is a path of this machine. Addresses are read by "
                f"'imageloom data convert {text} --out pictures', whose result you give here.",
                param,
                ctx,
            )
        return absolute(text)


class SourceType(click.ParamType[str | Path]):
    """A file or folder, or an address such as ``s3://bucket/photos``."""

    name = "path_or_address"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | Path:
        """Return an address as it stands, anything else as an absolute path."""
        text = str(value)
        return text if is_address(text) else PathType().convert(value, param, ctx)


class NameOrPlace(click.ParamType[str | Path]):
    """The name of a network, or a model directory."""

    name = "name_or_path"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | Path:
        """Return a path when one is there or the text can be nothing else, otherwise the name."""
        text = str(value)
        # A slash alone does not make a path: timm/resnet18 is a name.
        if os.path.lexists(text) or text.startswith(("~", ".", "$", "/")):
            return absolute(text)
        return text


def absolute(text: str) -> Path:
    """Return what a person wrote as an absolute path.

    ``~`` and ``$NAME`` are resolved unless a file really has that name; ``..`` stays, because
    behind a link it is not what it seems.
    """
    if not os.path.lexists(text):
        text = os.path.expandvars(expand_home(text))
    return Path(text).absolute()


def root_option(function: F) -> F:
    """Add ``--root``, under the heading 'Input and output'."""
    return click.option(
        "--root",
        type=PathType(),
        multiple=True,
        metavar="NEW",
        help="Where the pictures of an image directory lie now, when they were moved: their folder "
        "or one above it. Each must have the SHA-256 that was recorded. May be repeated.",
        cls=SectionOption,
        section="Input and output",
    )(function)


def place_option(
    flag: str, name: str, help: str, *, required: bool = True, metavar: str = "DIR"
) -> Callable[[F], F]:
    """Add an option that is a path, under the heading 'Input and output'.

    Args:
        flag: Its spelling, ``--out``.
        name: Its name in ``Job.arguments``.
        help: One sentence.
        required: Whether click refuses to start without it.
        metavar: The word for the value in the help.
    """
    return click.option(
        flag,
        name,
        type=PathType(),
        required=required,
        help=help,
        metavar=metavar,
        cls=SectionOption,
        section="Input and output",
    )
