"""An image directory: pictures, their labels, one class list, and the transforms they carry."""

import dataclasses
import functools
import hashlib
import json
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from imageloom import __version__
from imageloom.data.images.index import (
    LABELS,
    SCHEMA,
    UNLABELLED,
    file_name,
    full_path,
    has_several,
    labels_of,
    problem_of,
    read_index,
    rows_and_labels,
    with_label_sets,
    without_labels,
    write_index,
)
from imageloom.data.images.places import refuse_among_pictures
from imageloom.data.names import ADDRESS_OF_COPY
from imageloom.errors import InvalidDatasetError, NotLabeledDatasetError
from imageloom.files.output_places import refuse_misplaced
from imageloom.files.plain_file import naming_read_failures
from imageloom.files.publish import (
    publishing_directory,
    read_json,
    to_json,
    verify_directory,
)
from imageloom.preprocessing import (
    Transforms,
    check_class_names,
    transforms_from_json,
    transforms_to_json,
)

FORMAT_VERSION: Final = 1
SEVERAL_LABELS_VERSION: Final = 2  # with several labels per picture, which version 1 does not know
RECORD: Final = "image_directory.json"
INDEX: Final = "index.arrow"
REJECTED: Final = "rejected.jsonl"
IMAGES: Final = "images"  # pictures that were unpacked from an archive lie in this sub-folder


@dataclass(frozen=True)
class Rejected:
    """A file that is not in the index, and why.

    Attributes:
        file: Path relative to the root, as text.
        reason: What is wrong with it, as a sentence without a full stop.
        hint: What to do about it; may be empty.
        label: The class it would have had, or None.
        is_picture: Whether a picture is lost with it, as far as its name and kind tell; not so with
            a pipe, or with a link to a folder.
    """

    file: str
    reason: str
    hint: str = ""
    label: str | None = None
    is_picture: bool = True


@dataclass(frozen=True)
class ImageDirectory:
    """Pictures with or without labels, as a value: every change makes a new one.

    Attributes:
        classes: Ordered class names, as text; empty when unlabelled. A label is a position in it.
        index: One row per picture (``imageloom.data.images.index.SCHEMA``, or ``SEVERAL_SCHEMA``
            where each picture may have several labels, or none).
        root: Absolute folder that the paths of the index start from. Its files are never changed.
        transforms: Operations that a reader of the pictures applies, or None for the default.
        rejected: Files that were left out, with reasons.
        notices: Things a person should know, such as "3 pictures have several frames".
        follows_links: Whether links were followed at conversion, so that paths may lead through
            them.
    """

    classes: tuple[str, ...]
    index: pa.Table
    root: Path
    transforms: Transforms | None = None
    rejected: tuple[Rejected, ...] = ()
    notices: tuple[str, ...] = ()
    follows_links: bool = False

    def __len__(self) -> int:
        return int(self.index.num_rows)

    @property
    def has_several_labels(self) -> bool:
        """Whether each picture may have several labels, or none: multi-label classification."""
        return has_several(self.index)

    @property
    def has_groups(self) -> bool:
        """Whether any picture says of what group it is, such as a patient or a camera."""
        return bool(self.index.column("group").null_count < len(self))

    @functools.cached_property
    def labels(self) -> npt.NDArray[np.int32]:
        """Labels, shape [N], each a position in ``classes`` or ``UNLABELLED``.

        Raises:
            InvalidDatasetError: Each picture may have several.
        """
        self.require_one_label("this step")
        return labels_of(self.index)

    @functools.cached_property
    def label_sets(self) -> npt.NDArray[np.bool_]:
        """Which label each picture has, shape [N, K]; only where each may have several."""
        sets_NK = np.zeros((len(self), len(self.classes)), dtype=np.bool_)
        sets_NK[rows_and_labels(self.index)] = True
        return sets_NK

    def label_names(self, position: int) -> tuple[str, ...]:
        """Return the classes of one picture: of one label one or none, of several any number."""
        if self.has_several_labels:
            found: list[int] = self.index.column(LABELS.name)[position].as_py()
        else:
            found = [label for label in (int(self.labels[position]),) if label != UNLABELLED]
        return tuple(self.classes[label] for label in found)

    @property
    def is_labelled(self) -> bool:
        """Whether every picture has a label; of several, whether it is known which it has."""
        if len(self) == 0 or not self.classes:
            return False
        return self.has_several_labels or bool((self.labels != UNLABELLED).all())

    @functools.cached_property
    def counts(self) -> dict[str, int]:
        """Pictures per class, in class order; a class without pictures counts 0."""
        several = self.has_several_labels
        labels = rows_and_labels(self.index)[1] if several else self.labels
        found = Counter(labels.tolist())
        return {name: found[position] for position, name in enumerate(self.classes)}

    @functools.cached_property
    def left_out(self) -> dict[str, int]:
        """Files that were left out, by reason, the commonest first."""
        return dict(Counter(one.reason for one in self.rejected).most_common())

    def file(self, position: int) -> str:
        """Return the path of one picture relative to the root, as text."""
        return file_name(self.index.column("path")[position].as_py())

    def path(self, position: int) -> bytes:
        """Return where one picture lies, as the bytes the file system knows."""
        return full_path(self.root, self.index.column("path")[position].as_py())

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 over class list, file names, labels, groups and the pictures' own SHA-256.

        Equal for equal contents, wherever the pictures lie and whatever transforms are carried.
        """
        digest = hashlib.sha256(json.dumps(self.classes).encode("ascii"))
        columns = ["path", "label", "sha256", "group"]
        columns += [LABELS.name] if self.has_several_labels else []
        for batch in self.index.select(columns).to_batches(100_000):
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                digest.update(repr(row).encode("utf-8", "backslashreplace"))
        return digest.hexdigest()

    def select(self, positions: npt.NDArray[np.int64]) -> Self:
        """Return the pictures at these positions, in this order, with the same class list.

        What is known of the whole is kept: the files that were left out, and the notices.
        """
        chosen = self.index.take(pa.array(positions)).combine_chunks()
        return dataclasses.replace(self, index=chosen)

    def with_transforms(self, transforms: Transforms) -> Self:
        """Return the same pictures carrying another transform list; no pixel changes."""
        return dataclasses.replace(self, transforms=transforms)

    def with_classes(self, classes: tuple[str, ...]) -> Self:
        """Return the same pictures labelled by another order of the same class names.

        Labels are joined by name, so a picture keeps its class whatever the two orders are.
        """
        if classes == self.classes:
            return self
        position = {name: index for index, name in enumerate(classes)}
        table = np.array([position[name] for name in self.classes] + [UNLABELLED], dtype=np.int32)
        if self.has_several_labels:
            rows, old = rows_and_labels(self.index)
            moved = with_label_sets(self.index, rows, table[old])
            return dataclasses.replace(self, classes=classes, index=moved)
        column = SCHEMA.get_field_index("label")
        labels = pa.array(table[self.labels], type=pa.int32())
        index = self.index.set_column(column, SCHEMA.field(column), labels)
        return dataclasses.replace(self, classes=classes, index=index)

    def without_labels(self) -> Self:
        """Return the same pictures, none of which has a label."""
        return dataclasses.replace(self, classes=(), index=without_labels(self.index))

    def require_pictures(self, purpose: str) -> None:
        """Refuse an image directory that is empty.

        Args:
            purpose: What pictures are needed for, as in ``to score``.

        Raises:
            InvalidDatasetError: There are no pictures.
        """
        if len(self) == 0:
            raise InvalidDatasetError(
                f"There are no pictures in {self.root} {purpose}.",
                hint="'imageloom data check' says what is in a folder and what was left out.",
                reason="no-pictures",
            )

    def require_one_label(self, purpose: str, *, hint: str = "") -> None:
        """Refuse pictures of which each may have several labels.

        Args:
            purpose: What cannot use them, as in ``imageloom data correct``.
            hint: What to do, where it is another thing than converting them otherwise.

        Raises:
            InvalidDatasetError: Each picture may have several labels.
        """
        if self.has_several_labels:
            raise InvalidDatasetError(
                f"The pictures in {self.root} may have several labels each, of "
                f"{len(self.classes):,} classes; {purpose} needs one class for each picture.",
                hint=hint or "Convert them with one label each, or without labels (--labels none).",
                reason="several-labels",
            )

    def require_labels(self, what: str) -> None:
        """Refuse pictures without labels where labels are needed.

        Args:
            what: What the pictures are, as in ``the training pictures``.

        Raises:
            NotLabeledDatasetError: Some or all pictures have no label.
        """
        if self.is_labelled or len(self) == 0:
            return
        missing = int((self.labels == UNLABELLED).sum())
        pictures = f"the {len(self):,} {what.removeprefix('the ')}"
        if missing == len(self):
            sentence = f"None of {pictures} in {self.root} has a label."
        else:
            have = "has" if missing == 1 else "have"
            sentence = f"{missing:,} of {pictures} in {self.root} {have} no label."
        raise NotLabeledDatasetError(
            sentence,
            hint="Put the pictures of each class in a sub-folder with the class's name, or give a "
            "manifest with a label column to 'imageloom data convert'.",
            reason="unlabelled",
            details={"unlabelled": missing, "images": len(self)},
        )

    def save(self, path: Path | str) -> None:
        """Publish the image directory at ``path``; pictures stay where they are.

        Raises:
            FailedToWriteOutputsError: ``path`` exists, lies among the pictures or inside something
                that was published, or cannot be written.
        """
        place = Path(path)
        self.refuse_outputs([place])
        with publishing_directory(place) as partial:
            self.write_into(partial, root=str(self.root))

    def refuse_outputs(self, outputs: Sequence[Path]) -> None:
        """Refuse places in the folders of these pictures, or where no output may lie at all.

        Raises:
            FailedToWriteOutputsError: As ``imageloom.files.output_places.refuse_misplaced``.
        """
        refuse_misplaced(outputs)
        refuse_among_pictures(
            outputs,
            root=self.root,
            files=self.index.column("path"),
            # Only folders named as a class of their own are looked at.
            labels_N=labels_of(self.index),
            classes=() if self.has_several_labels else self.classes,
        )

    def write_into(self, directory: Path, *, root: str) -> None:
        """Write record, index and list of rejected files into a directory being published.

        Args:
            directory: An empty or partly filled directory inside ``publishing_directory``.
            root: Where the pictures lie: absolute, or ``images`` for the sub-folder.
        """
        write_index(self.index, directory / INDEX)
        lines = [json.dumps(dataclasses.asdict(one)) + "\n" for one in self.rejected]
        (directory / REJECTED).write_text("".join(lines), encoding="utf-8")
        record = {
            "format_version": SEVERAL_LABELS_VERSION if self.has_several_labels else FORMAT_VERSION,
            "kind": "image_directory",
            "made_by": f"imageloom {__version__}",
            "classes": list(self.classes),
            "images": len(self),
            "images_per_class": self.counts,
            "root": root,
            "follows_links": self.follows_links,
            "transforms": None if self.transforms is None else transforms_to_json(self.transforms),
            "notices": list(self.notices),
            "digest": self.digest,
        }
        (directory / RECORD).write_text(to_json(record), encoding="utf-8")


def is_image_directory(path: Path) -> bool:
    """Whether a folder holds the record of an image directory."""
    return (path / RECORD).is_file()


def load_image_directory(path: Path) -> ImageDirectory:
    """Open a saved image directory and check that it is whole.

    Raises:
        InvalidDatasetError: A file is missing, damaged or made by a newer version, or the
            pictures' folder is gone.
    """
    images = read_image_directory(path)
    if not images.root.is_dir():
        address = _address_of_copy(images.root)
        if address is not None:
            raise InvalidDatasetError(
                f"The pictures of {path} should lie in the copy of {address}, which was removed "
                f"from {images.root}.",
                hint="Bring it back: convert the address once more, as with 'imageloom data "
                f"convert {shlex.quote(address)} --out again', and use {path} as before.",
                reason="root-missing",
            )
        raise InvalidDatasetError(
            f"The pictures of {path} should lie in {images.root}, which is not there.",
            hint="Were they moved? Say where they lie now: --root NEW (in Python: root; in a "
            "pipeline: the path of Dataset). Otherwise mount or restore that folder, or convert "
            "the pictures again.",
            reason="root-missing",
        )
    return images


def _address_of_copy(root: Path) -> str | None:
    """Return what the copy was of in which a folder of pictures lay that is gone."""
    for folder in root.parents:
        if folder.is_dir():
            try:
                return (folder / ADDRESS_OF_COPY).read_text(encoding="utf-8")
            except (OSError, ValueError):
                return None
    return None


def read_image_directory(path: Path) -> ImageDirectory:
    """Open a saved image directory, wherever its pictures are now.

    Raises:
        InvalidDatasetError: A file is missing, damaged or made by a newer version.
    """
    with naming_read_failures(path, InvalidDatasetError):
        return _read(path)


def _read(path: Path) -> ImageDirectory:
    verify_directory(path, InvalidDatasetError)
    record = read_json(path / RECORD, InvalidDatasetError)
    version = record.get("format_version")
    if not isinstance(version, int) or version > SEVERAL_LABELS_VERSION:
        raise InvalidDatasetError(
            f"{path} has format version {version!r}; this Imageloom reads up to "
            f"{SEVERAL_LABELS_VERSION}.",
            hint=f"It was made by {record.get('made_by')}. Update Imageloom.",
            reason="format-version",
        )
    stored = record.get("root")
    if not isinstance(stored, str) or not stored:
        raise _damaged(path / RECORD, f"root is {stored!r}, but must be a path")
    names = record.get("classes")
    if not isinstance(names, list):
        raise _damaged(path / RECORD, f"classes is {names!r}, but must be a list")
    classes = check_class_names(names, InvalidDatasetError)
    transforms = record.get("transforms")
    notices = record.get("notices")
    return ImageDirectory(
        classes=classes,
        index=_read_index(path / INDEX, len(classes)),
        root=path.absolute() / stored,  # an absolute root replaces the left side
        transforms=None
        if transforms is None
        else transforms_from_json(transforms, InvalidDatasetError),
        rejected=_read_rejected(path / REJECTED),
        notices=tuple(str(notice) for notice in notices) if isinstance(notices, list) else (),
        follows_links=record.get("follows_links") is True,
    )


def _read_index(path: Path, num_classes: int) -> pa.Table:
    try:
        index = read_index(path)
    except (pa.ArrowException, OSError) as problem:
        raise _damaged(path, f"it cannot be read: {str(problem)[:200]}") from problem
    problem_found = problem_of(index, num_classes)
    if problem_found:
        raise _damaged(path, problem_found)
    return index


def _read_rejected(path: Path) -> tuple[Rejected, ...]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        rejected = tuple(Rejected(**json.loads(line)) for line in lines)
    except (ValueError, TypeError, RecursionError) as problem:
        raise _damaged(path, f"a line is no rejected file: {str(problem)[:200]}") from problem
    for one in rejected:
        texts = (one.file, one.reason, one.hint, one.label or "")
        if not all(isinstance(text, str) for text in texts) or one.is_picture not in (True, False):
            raise _damaged(path, "a line holds a value of another type")
    return rejected


def _damaged(file: Path, what: str) -> InvalidDatasetError:
    return InvalidDatasetError(
        f"{file} is not what Imageloom writes: {what}.",
        hint="Restore the image directory, or convert the pictures again.",
        reason="damaged",
        details={"file": file.name},
    )
