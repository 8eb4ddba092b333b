"""Class lists: which names are allowed, and whether two lists are the same set."""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

from imageloom.errors import ImageloomError, InvalidDatasetError
from imageloom.preprocessing.similar_names import (
    difference,
    has_unseen,
    look_alikes,
    looks,
    quoted,
    twin_form,
    visible_form,
)
from imageloom.system.wording import count, some


def check_class_names(names: Sequence[str], error: type[ImageloomError]) -> tuple[str, ...]:
    """Return class names as a tuple, or say what is wrong with them.

    Names are text for ever: ``007``, ``NA`` and ``1e5`` stay as they are.

    Raises:
        ImageloomError: Of class ``error``: an empty or blank name, ``.`` or ``..``, a name that
            stands twice, or two that a person cannot tell apart (``Cat`` and ``cat``, or one
            name in two Unicode forms).
    """
    seen: dict[str, str] = {}
    for name in names:
        if not isinstance(name, str) or not name.strip() or name in (".", ".."):
            raise error(
                f"{name!r} cannot be the name of a class.",
                hint="Give every class a name with at least one visible character.",
                reason="bad-class-name",
            )
        twin = seen.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
        if twin != name:
            raise _twins(twin, name, error)
    if len(set(names)) != len(names):
        repeated = sorted(name for name, times in Counter(names).items() if times > 1)
        raise error(
            f"Class names stand twice: {some(list(map(repr, repeated)))}.", reason="repeated-class"
        )
    return tuple(names)


def check_new_class_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return notices on the class names of a source of pictures, or say what is wrong with them.

    Stricter than ``check_class_names``, which also reads the names of models and tables that were
    made before: names that look the same to a person are refused where they come from.

    Raises:
        InvalidDatasetError: As ``check_class_names``; or a name without a visible character, or
            two that differ only in white space or in characters that nobody sees.
    """
    check_class_names(names, InvalidDatasetError)
    seen: dict[str, str] = {}
    for name in names:
        if why := _unusable(name):
            raise InvalidDatasetError(
                f"The class {quoted(name)} {why}.",
                hint="Give every class a name of characters that can be seen.",
                reason="bad-class-name",
            )
        twin = seen.setdefault(twin_form(name), name)
        if twin != name:
            raise _twins(twin, name, InvalidDatasetError)
    return (*_unseen(names), *_look_alikes(names))


def _unusable(name: str) -> str:
    try:
        name.encode("utf-8", "surrogateescape")  # bytes of a folder's name need not be UTF-8
    except UnicodeEncodeError:
        return "holds half a character"
    if "\0" in name:
        return "holds NUL"
    return "" if visible_form(name) else "has no character that can be seen"


def _twins(one: str, other: str, error: type[ImageloomError]) -> ImageloomError:
    return error(
        f"The classes {quoted(one)} and {quoted(other)} differ only in {difference(one, other)}.",
        hint="Rename one of the two, or merge them.",
        reason="twin-classes",
        details={"classes": [one, other]},
    )


def _unseen(names: Sequence[str]) -> Iterator[str]:
    found = [quoted(name) for name in names if has_unseen(name)]
    if found:
        yield (
            f"{count(len(found), 'class name has', 'class names have')} white space or characters "
            f"in it that nobody sees: {some(found)}. It stays part of the name."
        )


def _look_alikes(names: Sequence[str]) -> Iterator[str]:
    pairs = look_alikes(names)
    if pairs:
        yield (
            f"{count(len(pairs), 'pair of classes looks', 'pairs of classes look')} alike, but "
            f"letters of two scripts make them different classes: {some(pairs)}. Rename them if "
            "they are meant to be one."
        )


def check_same_classes(training: Sequence[str], other: Sequence[str], *, what: str) -> None:
    """Refuse a second class list that is not the same set as the training one.

    Args:
        training: Classes of the training pictures, or of a model.
        other: Classes of the other pictures.
        what: What the other pictures are, as in ``the validation pictures``.

    Raises:
        InvalidDatasetError: The sets differ; the message names the classes.
    """
    missing = sorted(set(training) - set(other))
    extra = sorted(set(other) - set(training))
    if not missing and not extra:
        return
    parts = []
    if missing:
        parts.append(f"lack {_classes(missing)}")
    if extra:
        parts.append(f"have {_classes(extra)}, which training lacks")
    raise InvalidDatasetError(
        f"{what[0].upper()}{what[1:]} {' and '.join(parts)}.",
        hint=_same_hint(missing, extra),
        reason="classes-differ",
        details={"missing": missing[:100], "extra": extra[:100]},
    )


def _same_hint(missing: Sequence[str], extra: Sequence[str]) -> str:
    by_looks = {looks(name): name for name in missing}
    for name in extra:
        twin = by_looks.get(looks(name))
        if twin is not None:
            return (
                f"{quoted(twin)} and {quoted(name)} differ only in {difference(twin, name)}: "
                "rename one of the two."
            )
    return (
        "Both need the same classes: add pictures, remove the class, or split one folder with "
        "'imageloom data split', which keeps every class on both sides."
    )


def _classes(names: Sequence[str]) -> str:
    return f"the {'class' if len(names) == 1 else 'classes'} {some(list(map(quoted, names)))}"
