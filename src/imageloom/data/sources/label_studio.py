"""Exports of Label Studio: ``JSON`` and ``JSON-MIN``, with one choice for each picture.

Source: Label Studio, "Export annotations" and "Label Studio JSON format of annotated tasks".
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from imageloom.data.params import ConvertParams
from imageloom.data.sources.json_manifest import read_json_manifest
from imageloom.data.sources.listing import Listing
from imageloom.data.sources.table.names_of_others import name_here
from imageloom.data.sources.table.problems import ProblemList
from imageloom.data.sources.table.rows import ManifestRow, listing_of_rows, root_of_manifest
from imageloom.errors import InvalidDatasetError, NotExpectedLabelColumnError
from imageloom.events import Control
from imageloom.system.wording import count, some

_IMAGE: Final = "image"
_CHOICE: Final = "choice"
_CHOICES: Final = "choices"
# What JSON-MIN writes beside the data and the results of a task.
_OWN_KEYS: Final = frozenset(
    ("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement")
)
_MEND: Final = "Correct the labels in Label Studio, and export again."
_SHOWN: Final = 3
_CHARS: Final = 100

Item = Mapping[str, object]
Answer = tuple[str, ...]  # the labels of an annotation: one, or of several any number


def read_label_studio(manifest: Path, params: ConvertParams, *, control: Control) -> Listing:
    """List the pictures of an export; the choice of a task is its class.

    Annotations that were cancelled do not count. Where several people labelled a task, they must
    agree, unless one annotation is its ground truth. Tasks that nobody has labelled are left out,
    unless none has a label or none is wanted; the notices count them. Where each picture may have
    several labels it has all choices of its task, and none where an annotation chose nothing.

    Args:
        manifest: The file. Names start from its folder, or from ``params.folder``.
        params: ``file_column`` and ``group_column`` name keys of a task's data, ``label_column``
            the control that was used, where there are several; and whether there may be several
            labels.
        control: Told how many pictures were read; stops between two.

    Raises:
        InvalidDatasetError: It is no such export, or a task is wrong; with one label each, a task
            has several.
        NotExpectedLabelColumnError: No task answers the question that was asked for.
        CouldNotOpenFileError: It cannot be read.
    """
    root = root_of_manifest(manifest, params)
    reading = _Reading(manifest, root, params)
    for number, item in enumerate(_items(manifest), 1):
        reading.add(number, item)
    reading.refuse_what_lacks()
    listing = listing_of_rows(
        reading.rows(),
        manifest=manifest,
        root=root,
        unit="task",
        params=params,
        control=control,
    )
    return replace(listing, notices=(*reading.notices(), *listing.notices))


@dataclass
class _Task:
    number: int
    file: str
    group: str | None
    answers: list[Answer] = field(default_factory=list)  # of each annotation that counts
    truth: Answer | None = None  # of the one that was called so
    was_skipped: bool = False

    def answer(self) -> Answer | None:
        return self.truth if self.truth is not None else next(iter(self.answers), None)


@dataclass
class _Reading:
    manifest: Path
    root: Path
    params: ConvertParams
    tasks: dict[str, _Task] = field(default_factory=dict)  # by the name of the picture
    left_out: int = 0
    skipped: int = 0

    def __post_init__(self) -> None:
        self.problems = ProblemList(self.manifest)
        self.is_labelled = self.params.labels != "none"
        self.has_several = self.params.labels == "several"

    def add(self, number: int, item: Item) -> None:
        """Note one task, or one annotation of JSON-MIN."""
        try:
            if "annotations" in item or "completions" in item:  # the second in old versions
                self._add_task(number, item)
            else:
                self._add_annotation(number, item)
        except ValueError as problem:
            self.problems.add(f"task {number:,}", str(problem))

    def _add_task(self, number: int, item: Item) -> None:
        values = item.get("data")
        if not isinstance(values, dict):
            raise ValueError("has no 'data'")
        task = self._task(number, values)
        if task.number != number:
            raise ValueError(f"names the same picture as task {task.number:,}")
        if not self.is_labelled:
            return
        annotations = item.get("annotations", item.get("completions"))
        for one in _objects(annotations, "annotations"):
            if one.get("was_cancelled") is True:
                task.was_skipped = True
                continue
            answer = self._answer(self._choices(_objects(one.get("result"), "result")))
            if answer is None:
                continue
            task.answers.append(answer)
            if one.get("ground_truth") is True:
                task.truth = answer

    def _add_annotation(self, number: int, item: Item) -> None:
        task = self._task(number, item)
        answer = self._answer(self._min_choices(item)) if self.is_labelled else None
        if answer is not None:
            task.answers.append(answer)

    def _task(self, number: int, values: Item) -> _Task:
        key = self.params.file_column or _IMAGE
        name = values.get(key)
        if not isinstance(name, str) or not name:
            keys = some([repr(one) for one, value in values.items() if isinstance(value, str)])
            raise ValueError(f"has no text {key!r}; --file-column names the key, such as {keys}")
        wanted = self.params.group_column
        group = values.get(wanted) if wanted else None
        task = _Task(number, name_here(name, self.root), None if group is None else str(group))
        return self.tasks.setdefault(name, task)

    def _answer(self, labels: list[str]) -> Answer | None:
        """Return what an annotation says; None where it chose nothing, which must be something."""
        if self.has_several:
            return tuple(sorted(set(labels)))
        if len(labels) > 1:
            names = ", ".join(map(repr, labels[:_SHOWN]))
            raise ValueError(f"has several labels, {names}; --labels several takes all")
        return tuple(labels) or None

    def _choices(self, results: list[Item]) -> list[str]:
        """Return what an annotation chose."""
        wanted = self.params.label_column
        found: dict[str, list[str]] = {}
        for one in results:
            value, name = one.get("value"), str(one.get("from_name"))
            if one.get("type") == _CHOICES and isinstance(value, dict):
                found.setdefault(name, []).extend(_texts(value.get(_CHOICES)))
        if wanted is not None:
            return found.get(wanted, [])
        if len(found) > 1:
            names = some(sorted(map(repr, found)))
            raise ValueError(f"has several questions, {names}; --label-column names one")
        return [label for labels in found.values() for label in labels]

    def _min_choices(self, item: Item) -> list[str]:
        key = self.params.label_column
        if key is None:
            taken = (self.params.file_column or _IMAGE, self.params.group_column)
            left = [name for name in item if name not in _OWN_KEYS and name not in taken]
            if _CHOICE in left:
                key = _CHOICE
            elif len(left) > 1:
                names = some(list(map(repr, left)))
                raise ValueError(f"has several keys, {names}; --label-column names the label's")
            else:
                key = left[0] if left else _CHOICE
        value = item.get(key)
        if isinstance(value, dict):
            value = value.get(_CHOICES)
        return [] if value is None else _texts(value)

    def refuse_what_lacks(self) -> None:
        """Refuse a question or a key that was asked for and that no task has.

        Raises:
            NotExpectedLabelColumnError: No task answers the question.
            InvalidDatasetError: No task's data have the key of the groups.
        """
        self.problems.raise_if_any(hint=_MEND)
        label, group, tasks = (
            self.params.label_column,
            self.params.group_column,
            self.tasks.values(),
        )
        if label is not None and self.is_labelled and not any(one.answer() for one in tasks):
            raise NotExpectedLabelColumnError(
                f"No task of {self.manifest} has a choice for {label!r}.",
                hint="--label-column names the question as the labelling setup does, such as "
                "'choice'.",
                reason="missing-column",
            )
        if group is not None and all(one.group is None for one in tasks):
            raise InvalidDatasetError(
                f"No task of {self.manifest} has {group!r} in its data.",
                hint="--group-column names a key of the data of each task.",
                reason="missing-column",
                details={"column": group},
            )

    def rows(self) -> Iterator[ManifestRow]:
        """Yield a row for each task that is wanted."""
        if self.is_labelled:
            self._refuse_disagreement()
        self.problems.raise_if_any(hint=_MEND)
        some_labelled = self.is_labelled and any(one.answer() for one in self.tasks.values())
        for task in self.tasks.values():
            answer = task.answer()
            if some_labelled and answer is None:
                self.left_out += 1
                self.skipped += task.was_skipped
                continue
            yield ManifestRow(
                task.number,
                task.file,
                label=answer[0] if answer and not self.has_several else None,
                group=task.group,
                labels=(answer or ()) if self.has_several else None,
            )

    def _refuse_disagreement(self) -> None:
        for task in self.tasks.values():
            answers = sorted(set(task.answers))
            if task.truth is None and len(answers) > 1:
                shown = [_shown(one) for one in answers[:_SHOWN]]
                what = f"was labelled {' and '.join(shown)} by several people"
                where = f"task {task.number:,}"
                self.problems.add(where, f"{what}; make one annotation its ground truth")

    def notices(self) -> Iterator[str]:
        """Yield what was left out."""
        if self.left_out:
            skipped = f", {self.skipped:,} of them skipped" if self.skipped else ""
            yield (
                f"{count(self.left_out, 'task')} of {self.manifest.name} without a label "
                f"{'was' if self.left_out == 1 else 'were'} left out{skipped}."
            )


def _items(manifest: Path) -> list[Item]:
    content = read_json_manifest(manifest, _no_export)
    if not isinstance(content, list) or not all(isinstance(one, dict) for one in content):
        raise _no_export(manifest, "is no list of tasks")
    return content


def _objects(value: object, name: str) -> list[Item]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ValueError(f"has {name!r} that is no list of objects")
    return value


def _texts(value: object) -> list[str]:
    texts: list[str] = []
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, str):
            raise ValueError(f"has a label that is no text: {json.dumps(one)[:_CHARS]}")
        texts.append(one)
    return texts


def _shown(answer: Answer) -> str:
    return " with ".join(map(repr, answer[:_SHOWN])) or "nothing"


def _no_export(manifest: Path, what: str) -> InvalidDatasetError:
    return InvalidDatasetError(
        f"{manifest} {what}.",
        hint="A .json file that begins with '[' is an export of Label Studio, as JSON or JSON-MIN. "
        "A file with one JSON object per line must be named .jsonl.",
        reason="not-label-studio",
    )
