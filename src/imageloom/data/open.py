"""Any path that a person gives for pictures to an image directory, converted once if need be."""

import contextlib
import hashlib
import json
import os
import re
import shlex
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from imageloom.data.convert import list_source, publish_source, tell_notices
from imageloom.data.images.directory import (
    FORMAT_VERSION,
    ImageDirectory,
    is_image_directory,
    load_image_directory,
)
from imageloom.data.images.findings import left_out_notice
from imageloom.data.moved import Roots, open_moved, takes_root
from imageloom.data.params import SHORTCUT_PARAMETERS, ConvertParams
from imageloom.data.sources.kind import Source, find_source
from imageloom.data.sources.listing import Listing
from imageloom.data.sources.one_at_a_time import only_one
from imageloom.data.sources.remote.address import is_address
from imageloom.data.sources.remote.fetch import fetch
from imageloom.errors import ImageloomError, InvalidDatasetError
from imageloom.events import CancelToken, Control, Event, EventSink, Notice, ignore_events
from imageloom.files.output_places import refuse_kept_inside
from imageloom.params import describe
from imageloom.settings import Settings, read_settings

_UNUSED_DAYS: Final = 7  # another run may still read an entry made from an older state


def open_images(
    images: ImageDirectory | Path | str,
    *,
    root: Roots = (),
    convert_params: ConvertParams | None = None,
    settings: Settings | None = None,
    on_event: EventSink = ignore_events,
    cancel: CancelToken | None = None,
) -> ImageDirectory:
    """Open an image directory, or what can become one.

    A plain folder, an archive, Parquet files, a manifest or an old image directory is converted
    into ``settings.image_directories``. The second time it is only listed, and converted again when
    a name, a size or a time of modification has changed. What was left out of it, and what else was
    noted, is told every time.

    Args:
        images: An image directory, or any source of ``convert``, an address included; an
            ``ImageDirectory`` needs no opening.
        root: Where the pictures of an image directory lie now, when they were moved: their folder,
            or one above it; of several, the one that fits. Each must have the SHA-256 that was
            recorded. The image directory stays as it is; ``save`` writes another.
        convert_params: How a source is converted; by default ``ConvertParams()``. Of an image
            directory only ``labels`` plays a part.
        settings: Where conversions and downloads are kept; by default as the environment says.
        on_event: Told the progress and every notice.
        cancel: Stops a conversion.

    Raises:
        CouldNotOpenFileError: There is nothing at that path.
        FailedToWriteOutputsError: Conversions are kept inside it, or that place cannot be written.
        InvalidDatasetError: It holds no usable pictures, or is something else; the message says
            what.
        ParameterParsingError: ``root`` is given, and it is no image directory, or one that holds
            its pictures itself.
        RunInterruptedError: ``cancel`` was set.
    """
    control = Control.of(on_event, cancel)
    params = convert_params or ConvertParams()
    if root:
        return _labelled_as_asked(open_moved(images, root, control=control), params)
    if isinstance(images, ImageDirectory):
        return _labelled_as_asked(images, params)
    settings = settings or read_settings(os.environ)
    if is_address(images):
        images = fetch(images, settings, control=control)
    source = find_source(images)
    if source.kind == "image directory":
        return _labelled_as_asked(load_image_directory(source.path), params)
    kept = settings.image_directories
    refuse_kept_inside(kept, source.path, hint="Set IMAGELOOM_HOME to a folder elsewhere.")
    with _saying_where_options_belong(source.path, params):
        opened = _converted_once(source, params, kept, control)
    tell_notices(opened, control.on_event)
    if opened.rejected:
        control.tell(Notice("warning", left_out_notice(opened, source.path)))
    return opened


def _labelled_as_asked(images: ImageDirectory, params: ConvertParams) -> ImageDirectory:
    if params.labels == "none":
        return images.without_labels()
    if params.labels == "several" and images.is_labelled and not images.has_several_labels:
        raise InvalidDatasetError(
            f"The pictures in {images.root} were converted with one label each, and what else is "
            "in them is not known.",
            hint="Convert the source of their labels again, with 'imageloom data convert --labels "
            "several'.",
            reason="one-label-source",
        )
    return images


def _converted_once(
    source: Source, params: ConvertParams, kept: Path, control: Control
) -> ImageDirectory:
    listing: Listing | None = None
    if not source.is_packed:
        listing = list_source(source, params, control=control)
    folder = kept / _digest(str(source.path))[:16]
    how = json.dumps(params.output_values(), sort_keys=True)
    entry = folder / _digest(_state(source, listing), str(FORMAT_VERSION), how)[:32]
    waiting = "Another process converts the same pictures; waiting."
    with only_one(folder, control, waiting=waiting):
        kept_images = _load_kept(entry)
        if kept_images is not None:
            return kept_images
        _remove_unused(folder)
        return publish_source(source, entry, params, listing=listing, control=control)


@contextlib.contextmanager
def _saying_where_options_belong(source: Path, params: ConvertParams) -> Iterator[None]:
    """Add to a hint with options of the conversion the command that takes them.

    Whoever trains or scores on a plain folder meets errors of the conversion, but has few of its
    options at hand. Those that were given stay in the command.
    """
    try:
        yield
    except ImageloomError as problem:
        option = problem.details.get("option") or " ".join(_convert_only_flags(problem.hint))
        if not option:
            raise
        words = [shlex.quote(str(source)), "--out pictures", *_given_options(params), str(option)]
        command = f"imageloom data convert {' '.join(words)}"
        raise type(problem)(
            problem.message,
            hint=f"{problem.hint} Options of the conversion go into a command of their own, whose "
            f"result, 'pictures', you give here instead: {command}",
            reason=problem.reason,
            details=problem.details,
        ) from problem


def _given_options(params: ConvertParams) -> list[str]:
    standard = ConvertParams()
    changed = {
        one.flag: getattr(params, one.name)
        for one in describe(ConvertParams)
        if getattr(params, one.name) != getattr(standard, one.name)
    }
    return [
        flag if value is True else f"{flag} {shlex.quote(str(value))}"
        for flag, value in changed.items()
    ]


def _convert_only_flags(hint: str) -> list[str]:
    flags = [one.flag for one in describe(ConvertParams) if one.name not in SHORTCUT_PARAMETERS]
    return [f"{flag} ..." for flag in flags if re.search(rf"{flag}\b(?!-)", hint)]


def open_each(
    sources: Sequence[ImageDirectory | Path | str],
    *,
    root: Roots = (),
    convert_params: ConvertParams | None = None,
    control: Control,
) -> list[ImageDirectory]:
    """Open several, as ``open_images``; ``root`` is for those that it can be for.

    What holds for several in the same words is told once.

    Raises:
        ImageloomError: As ``open_images``.
    """
    tell = _telling_once(control.on_event)
    moved = [bool(root) and takes_root(one) for one in sources]
    if not any(moved):  # each says that ``root`` is not for it
        moved = [bool(root) for _ in sources]
    return [
        open_images(
            one,
            root=root if is_moved else (),
            convert_params=convert_params,
            on_event=tell,
            cancel=control.cancel,
        )
        for one, is_moved in zip(sources, moved, strict=True)
    ]


def _telling_once(on_event: EventSink) -> EventSink:
    told: set[Notice] = set()

    def tell(event: Event) -> None:
        if isinstance(event, Notice):
            if event in told:
                return
            told.add(event)
        on_event(event)

    return tell


def _state(source: Source, listing: Listing | None) -> str:
    """Return a text that changes when the source does."""
    if listing is not None:
        return listing.digest()
    found = [(file.name, file.stat()) for file in source.files]
    return " ".join(f"{name} {one.st_size} {one.st_mtime_ns} {one.st_ino}" for name, one in found)


def _digest(*texts: str) -> str:
    joined = "\0".join(texts).encode("utf-8", "surrogateescape")
    return hashlib.sha256(joined).hexdigest()


def _load_kept(entry: Path) -> ImageDirectory | None:
    """Return a kept image directory, or None when it is not there or not whole."""
    if not is_image_directory(entry):
        return None
    try:
        images = load_image_directory(entry)
    except InvalidDatasetError:
        shutil.rmtree(entry, ignore_errors=True)  # ours, and made again from the source
        return None
    with contextlib.suppress(OSError):
        os.utime(entry)  # its last use
    return images


def _remove_unused(folder: Path) -> None:
    """Remove what was made from earlier states of a source and not used for a week."""
    oldest = time.time() - _UNUSED_DAYS * 24 * 3600
    for entry in folder.iterdir():
        with contextlib.suppress(OSError):
            if is_image_directory(entry) and entry.stat().st_mtime < oldest:
                shutil.rmtree(entry, ignore_errors=True)
