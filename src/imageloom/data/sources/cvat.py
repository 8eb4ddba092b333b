"""Exports "CVAT for images 1.1": the tag of a picture is its class, or its tags its labels.

The XML may come from anybody. No entity is ever resolved: a file with a document type, without
which none can be declared, is refused when the parser meets it.

Source: CVAT, "XML annotation format", version 1.1.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from xml.parsers import expat

from imageloom.data.params import ConvertParams
from imageloom.data.sources.listing import Listing
from imageloom.data.sources.table.names_of_others import first_that_lies
from imageloom.data.sources.table.problems import ProblemList
from imageloom.data.sources.table.rows import ManifestRow, listing_of_rows, root_of_manifest
from imageloom.errors import CouldNotOpenFileError, InvalidDatasetError, NotExpectedLabelColumnError
from imageloom.events import Control
from imageloom.system.wording import count

_MAX_BYTES: Final = 1024 * 1024 * 1024
_CHUNK_BYTES: Final = 1024 * 1024
_IMAGES: Final = "images"  # the folder of the pictures, in an export with them
_TAG: Final = "tag"
_SHOWN: Final = 3
_MAX_TEXT: Final = 10_000  # characters of one attribute's value
_MAX_DEPTH: Final = 64  # CVAT needs four; what expat holds of each open element adds up


def read_cvat(manifest: Path, params: ConvertParams, *, control: Control) -> Listing:
    """List the pictures of an export; the one tag of a picture is its class.

    In a file without any tag, what was drawn gives the class: a picture with shapes of one label
    has that class. Pictures without either are left out, unless none has one or none is wanted;
    the notices count them. Where each may have several labels it has all of them, and one without
    any has none.

    Args:
        manifest: The file. Names start from its folder or ``images`` in it, or from
            ``params.folder``.
        params: ``label_column`` names an attribute of the tags that has the class; and whether
            there may be several labels.
        control: Told how many pictures were read; stops between two.

    Raises:
        InvalidDatasetError: It is no such export or has a document type; with one label each, a
            picture has several.
        NotExpectedLabelColumnError: Nothing has the attribute that was asked for.
        CouldNotOpenFileError: It cannot be read.
    """
    root = root_of_manifest(manifest, params)
    if params.group_column is not None:
        raise InvalidDatasetError(
            f"{manifest} has no {params.group_column!r}, for an export of CVAT tells no groups.",
            hint="Leave --group-column out, or write a table with the groups.",
            reason="missing-column",
            details={"column": params.group_column},
        )
    images = _Parser(manifest, params.label_column).read(control)
    labels = _labels(images, manifest, params)
    wanted = [
        (image, one)
        for image, one in zip(images, labels, strict=True)
        if one or params.labels == "several" or not any(labels)
    ]
    listing = listing_of_rows(
        (
            ManifestRow(
                image.number,
                image.file(root),
                label=one[0] if one and params.labels != "several" else None,
                part=image.subset,
                labels=one if params.labels == "several" else None,
            )
            for image, one in wanted
        ),
        manifest=manifest,
        root=root,
        unit="image",
        params=params,
        control=control,
    )
    return replace(
        listing, notices=(*_notices(manifest, len(images) - len(wanted)), *listing.notices)
    )


def _labels(images: list["_Image"], manifest: Path, params: ConvertParams) -> list[tuple[str, ...]]:
    """Return the labels of each picture: one or none, or of several any number."""
    if params.labels == "none":
        return [()] * len(images)
    has_tags = any(_TAG in one.labels for one in images)
    problems = ProblemList(manifest)
    labels: list[tuple[str, ...]] = []
    for image in images:
        found = sorted(image.labels.get(_TAG, {}) if has_tags else image.all_labels())
        labels.append(tuple(found))
        if len(found) > 1 and params.labels != "several":
            names = ", ".join(map(repr, found[:_SHOWN]))
            problems.add(f"image {image.number:,}", f"has several labels, {names}")
    problems.raise_if_any(
        hint="Take all tags of a picture for its labels, with --labels several; or leave one tag "
        "on each in CVAT; or take all without labels, with --labels none."
    )
    if params.label_column is not None and not any(labels):
        raise NotExpectedLabelColumnError(
            f"Nothing in {manifest} has the attribute {params.label_column!r}.",
            hint="--label-column names an attribute of the tags; without it, the tag is the class.",
            reason="missing-column",
        )
    return labels


def _notices(manifest: Path, left_out: int) -> Iterator[str]:
    if left_out:
        pictures = count(left_out, "picture", "pictures")
        were = "was" if left_out == 1 else "were"
        yield f"{pictures} of {manifest.name} without a label {were} left out."


@dataclass
class _Image:
    number: int
    name: str
    subset: str | None
    # The labels that are there, by the kind of element that says them, as keys of a dict.
    labels: dict[str, dict[str, None]] = field(default_factory=dict)

    def all_labels(self) -> set[str]:
        return {label for labels in self.labels.values() for label in labels}

    def file(self, root: Path) -> str:
        places = [self.name, f"{_IMAGES}/{self.name}"]
        if self.subset:
            places += [f"{_IMAGES}/{self.subset}/{self.name}", f"{self.subset}/{self.name}"]
        return first_that_lies(root, places)


class _Parser:
    """Takes what is needed as the elements come; nothing else of the file is kept."""

    def __init__(self, manifest: Path, attribute: str | None) -> None:
        self._manifest = manifest
        self._attribute = attribute
        self._path: list[str] = []
        self._images: list[_Image] = []
        self._text: list[str] | None = None
        self._problem: InvalidDatasetError | None = None
        self._is_video = False

    def read(self, control: Control) -> list[_Image]:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._refuse_document_type
        try:
            if self._manifest.stat().st_size > _MAX_BYTES:
                raise _no_export(self._manifest, f"has more than {_MAX_BYTES:,} bytes")
            with self._manifest.open("rb") as file:
                while chunk := file.read(_CHUNK_BYTES):
                    parser.Parse(chunk, False)
                    control.raise_if_cancelled()
                parser.Parse(b"", True)
        except OSError as problem:
            raise CouldNotOpenFileError(
                f"{self._manifest} may not be read: {problem.strerror}.", reason="not-readable"
            ) from problem
        except (expat.ExpatError, ValueError, LookupError) as problem:
            raise _no_export(self._manifest, f"is not valid XML: {problem}") from problem
        if not self._images:
            is_video = ", but tracks of a video" if self._is_video else ""
            raise _no_export(self._manifest, f"has no element 'image' in 'annotations'{is_video}")
        return self._images

    def _start(self, name: str, values: Mapping[str, str]) -> None:
        if len(self._path) == _MAX_DEPTH:
            raise _no_export(self._manifest, f"has elements in more than {_MAX_DEPTH} others")
        self._path.append(name)
        if self._path == ["annotations", "track"]:
            self._is_video = True
        elif self._path == ["annotations", "image"]:
            number = len(self._images) + 1
            self._images.append(_Image(number, values.get("name", ""), values.get("subset")))
        elif self._is_label() and self._attribute is None and "label" in values:
            self._add(self._path[2], values["label"])
        elif self._is_attribute() and values.get("name") == self._attribute:
            self._text = []

    def _end(self, _name: str) -> None:
        if self._text is not None and self._is_attribute():
            self._add(self._path[2], "".join(self._text).strip())
            self._text = None
        self._path.pop()

    def _characters(self, text: str) -> None:
        if self._text is not None and len(self._text) < _MAX_TEXT:
            self._text.append(text[:_MAX_TEXT])

    def _is_label(self) -> bool:
        return len(self._path) == 3 and self._path[:2] == ["annotations", "image"]

    def _is_attribute(self) -> bool:
        return (
            len(self._path) == 4
            and self._path[:2] == ["annotations", "image"]
            and self._path[3] == "attribute"
        )

    def _add(self, kind: str, label: str) -> None:
        if label:
            self._images[-1].labels.setdefault(kind, {})[label] = None

    def _refuse_document_type(self, *_: object) -> None:
        raise InvalidDatasetError(
            f"{self._manifest} declares a document type, which no export of CVAT does. With one, a "
            "file can grow without end, or ask for other files.",
            hint="Do not open it with other programs without looking at it; ask who made it.",
            reason="unsafe-xml",
        )


def _no_export(manifest: Path, what: str) -> InvalidDatasetError:
    return InvalidDatasetError(
        f"{manifest} {what}.",
        hint="Export from CVAT as 'CVAT for images 1.1', and give annotations.xml.",
        reason="not-cvat",
    )
