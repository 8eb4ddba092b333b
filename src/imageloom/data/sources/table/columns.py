"""Which columns of a table hold the files, labels and groups, and which one was meant."""

import difflib
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple

from imageloom.data.params import ConvertParams
from imageloom.errors import ImageloomError, InvalidDatasetError, NotExpectedLabelColumnError
from imageloom.system.wording import some

Word = Literal["column", "key"]

FILE: Final = "file"
LABEL: Final = "label"
LABELS: Final = "labels"  # as good a name where there may be several
# What others call the two, in small letters and without blanks, hyphens and underscores.
_FILE_WORDS: Final = frozenset(
    (
        *("filename", "filenames", "filepath", "files", "path", "paths", "image", "images"),
        *("imagefile", "imagefilename", "imagename", "imagepath", "img", "imgfile", "imgname"),
        *("imgpath", "picture", "pictures", "photo", "photopath", "bild", "datei", "fichier"),
        *("bilddatei", "bildname", "dateiname", "dateipfad", "foto", "pfad"),
    )
)
_LABEL_WORDS: Final = frozenset(
    (
        *("class", "classes", "classid", "classlabel", "classname", "category", "categoryid"),
        *("categoryname", "target", "targets", "species", "breed", "labels", "labelid"),
        *("labelname", "tag", "y", "truth", "groundtruth", "gt", "annotation", "diagnosis"),
        *("klasse", "classe", "clase", "choice", "choices", "art", "spezies", "kategorie"),
    )
)
_PART_WORDS: Final = frozenset(
    ("split", "part", "partition", "phase", "set", "subset", "dataset", "datasplit", "usage")
)
_CLOSE: Final = 0.75  # of difflib's ratio; 'lable' and 'label' reach 0.8, 'file' and 'fold' 0.5
_COMPARED: Final = 1000  # columns at most, to tell which was meant
_SHOWN: Final = 10


class _Table(NamedTuple):
    """A table without its rows; ``word`` is what it calls its columns."""

    manifest: Path
    names: Sequence[str]
    word: Word


@dataclass(frozen=True)
class Columns:
    """Names of the columns or keys to read.

    Attributes:
        file: With the file names.
        label: With the classes, or None when the pictures are unlabelled.
        group: With the groups, or None.
        part: With what may be parts of the dataset, such as train and test, or None.
    """

    file: str
    label: str | None
    group: str | None = None
    part: str | None = None


def find_columns(
    manifest: Path, names: Sequence[str], params: ConvertParams, *, word: Word = "column"
) -> Columns:
    """Return the columns to read; a column that was asked for must be there.

    Without a label column the pictures are unlabelled, but only when no column is left that could
    have been meant.

    Args:
        manifest: For messages.
        names: Of all columns or keys, without outer white space.
        params: The names asked for.
        word: What the table calls them.

    Raises:
        InvalidDatasetError: Two have one name, or there is none, or none for files or groups.
        NotExpectedLabelColumnError: There is none for the labels, and others are left.
    """
    if not names:
        raise InvalidDatasetError(
            f"{manifest} names no pictures.", hint="Add rows.", reason="no-pictures"
        )
    _refuse_repeated(manifest, names)
    table = _Table(manifest, names, word)
    asked = params.file_column or FILE
    if asked not in names:
        meant = _meant_files(names, params)
        raise _missing(table, asked, meant)
    group = params.group_column
    if group is not None and group not in names:
        meant = {"group": meant_columns(group, names)}
        raise _missing(table, group, meant)
    label = _label_column(table, params)
    part = next((one for one in part_columns(names) if one not in (asked, label, group)), None)
    if part is None and params.part is not None:
        hint = "Name the column of the parts 'split', or take all rows without --part."
        raise _missing(table, "split", {}, hint)
    return Columns(asked, label, group, part)


def part_columns(names: Sequence[str]) -> list[str]:
    """Return the columns that are called as those which tell parts of a dataset apart."""
    return [name for name in names if _plain(name) in _PART_WORDS]


def file_columns(names: Sequence[str], params: ConvertParams) -> list[str]:
    """Return the column of the files, or without one those that people call so."""
    asked = params.file_column or FILE
    return [asked] if asked in names else meant_columns(asked, names, words=_FILE_WORDS)


def label_name(names: Sequence[str], params: ConvertParams) -> str:
    """Return the name that the column of the labels must have."""
    if params.label_column is not None:
        return params.label_column
    return LABELS if params.labels == "several" and LABELS in names else LABEL


def _label_column(table: _Table, params: ConvertParams) -> str | None:
    asked = label_name(table.names, params)
    if params.labels == "none":
        return None
    if asked in table.names:
        return asked
    left = _left(table.names, params)
    if params.label_column is None and not left:
        return None
    meant = {"label": _meant_labels(left, params)}
    hint = " With --labels none the pictures are taken without labels."
    if params.labels == "source" and LABELS in left:
        hint = f" Where a picture may have several, with --labels several instead.{hint}"
    raise _missing(table, asked, meant, hint, NotExpectedLabelColumnError)


def _left(names: Sequence[str], params: ConvertParams) -> list[str]:
    parts = part_columns(names) if params.part is not None else []
    # Tables of pandas have a column without a name, which numbers the rows.
    taken = (params.file_column or FILE, params.group_column, "", *parts)
    return [name for name in names if name not in taken]


def _meant_labels(left: Sequence[str], params: ConvertParams) -> list[str]:
    found = meant_columns(params.label_column or LABEL, left, words=_LABEL_WORDS)
    parts = part_columns(left)
    others = [name for name in left if name not in parts]
    return found or (others if len(others) == 1 else [])


def _meant_files(names: Sequence[str], params: ConvertParams) -> dict[str, list[str]]:
    """Return which columns were meant for the files, and at once for labels of another name."""
    files = file_columns(names, params)
    left = [name for name in _left(names, params) if name not in files]
    is_labelled = label_name(names, params) in names or params.labels == "none"
    labels = [] if is_labelled or not files else _meant_labels(left, params)
    return {"file": files} | ({"label": labels} if labels else {})


def meant_columns(
    asked: str, names: Sequence[str], *, words: frozenset[str] = frozenset()
) -> list[str]:
    """Return the columns that a person may have meant by a name that is not there.

    Args:
        asked: The name.
        names: Those that are there.
        words: What else people call it.
    """
    plain = {_plain(name): name for name in names[:_COMPARED]}
    same = plain.get(_plain(asked))
    close = [same] if same is not None else []
    if same is None:
        nearest = difflib.get_close_matches(_plain(asked), plain, n=1, cutoff=_CLOSE)
        close = [plain[one] for one in nearest]
    return close or [name for one, name in plain.items() if one in words]


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter not in " _-.")


def _flag(what: str, meant: Sequence[str]) -> str:
    names = " or ".join(f"--{what}-column {shlex.quote(name)}" for name in meant)
    return names or f"--{what}-column and the name of the one that holds the {what}s"


def _use(meant: Mapping[str, Sequence[str]]) -> str:
    flags = " ".join(_flag(what, columns) for what, columns in meant.items())
    return f"Use 'imageloom data convert' with {flags}." if flags else ""


def _refuse_repeated(manifest: Path, names: Sequence[str]) -> None:
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        raise InvalidDatasetError(
            f"{manifest} has two columns of the same name: {some(list(map(repr, repeated)))}.",
            hint="Rename one of the two.",
            reason="repeated-column",
            details={"columns": repeated},
        )


def _missing(
    table: _Table,
    asked: str,
    meant: Mapping[str, Sequence[str]],
    hint: str = "",
    error: type[ImageloomError] = InvalidDatasetError,
) -> ImageloomError:
    found = some(list(map(repr, table.names)), most=_SHOWN)
    details: dict[str, str | list[str]] = {"column": asked, "columns": list(table.names[:100])}
    if meant and all(meant.values()):
        details["option"] = " ".join(_flag(what, columns[:1]) for what, columns in meant.items())
    return error(
        f"{table.manifest} has no {table.word} {asked!r}. It has {found}.",
        hint=_use(meant) + hint,
        reason="missing-column",
        details=details,
    )
