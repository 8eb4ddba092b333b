"""Class lists: which names are allowed, and whether two lists are the same set."""

import unicodedata
from collections import Counter
from collections.abc import Sequence

from imageloom.errors import ImageloomError, InvalidDatasetError
from imageloom.wording import some


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
            raise error(
                f"The classes {twin!r} and {name!r} differ only in {_difference(twin, name)}.",
                hint="Rename one of the two, or merge them.",
                reason="twin-classes",
                details={"classes": [twin, name]},
            )
    if len(set(names)) != len(names):
        repeated = sorted(name for name, count in Counter(names).items() if count > 1)
        raise error(
            f"Class names stand twice: {some([*map(repr, repeated)])}.", reason="repeated-class"
        )
    return tuple(names)


def _difference(one: str, other: str) -> str:
    same_form = unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)
    return "their Unicode form (NFC and NFD)" if same_form else "upper and lower case"


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
        parts.append(f"lack {_some(missing)}")
    if extra:
        parts.append(f"have {_some(extra)}, which training lacks")
    raise InvalidDatasetError(
        f"{what[0].upper()}{what[1:]} {' and '.join(parts)}.",
        hint="Both need the same classes: add pictures, remove the class, or split one folder "
        "with 'imageloom data split', which keeps every class on both sides.",
        reason="classes-differ",
        details={"missing": missing[:100], "extra": extra[:100]},
    )


def _some(names: Sequence[str]) -> str:
    return f"the class{'es' if len(names) > 1 else ''} {some([*map(repr, names)])}"
