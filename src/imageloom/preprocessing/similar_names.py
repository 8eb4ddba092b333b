"""Class names that a person takes for the same although a computer does not."""

import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

# Unicode calls these default-ignorable or blank, but not format characters: the grapheme joiner,
# Hangul fillers, Khmer and Mongolian marks, variation selectors, the Braille blank.
_NO_INK: Final = frozenset(
    chr(code)
    for first, last in (
        (0x034F, 0x034F),
        (0x115F, 0x1160),
        (0x17B4, 0x17B5),
        (0x180B, 0x180F),
        (0x2800, 0x2800),
        (0x3164, 0x3164),
        (0xFE00, 0xFE0F),
        (0xFFA0, 0xFFA0),
        (0xE0100, 0xE01EF),
    )
    for code in range(first, last + 1)
)
# Persian and Indic words need the first two, emoji all four.
_JOINERS: Final = frozenset("\u200c\u200d\ufe0e\ufe0f")
# Greek and Cyrillic letters, each above the Latin letter that it looks like.
# Source: Unicode Technical Standard #39, confusables.txt 17.0.0; it folds I and l to one, which
# we do not, and digits are left out.
_DOUBLES: Final = str.maketrans(
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϜͿϺαγινορσυϳϸϲАВЕЅІЈКМНОРСТУХҮӀԌԜѴЬаеорсухѕіјһӏԁԛԝѡшѵүҽг",
    "ABEZHIKMNOPTYXFJMayivopoujpcABESIJKMHOPCTYXYIGWVbaeopcyxsijhldqwwwvyer",
)
_STYLES: Final = ("<wide>", "<narrow>", "<font>")  # another form of the same letter


def visible_form(name: str) -> str:
    """Return what a person sees of a name: no outer white space, one blank for any, no invisibles.

    Folders joined to one class name, such as ``a/b``, count one by one.
    """
    inked = "".join(letter for letter in name if not is_invisible(letter))
    return "/".join(" ".join(part.split()) for part in inked.split("/"))


def twin_form(name: str) -> str:
    """Return a text that is equal for names that nobody can tell apart, upper case aside."""
    return unicodedata.normalize("NFC", visible_form(name)).casefold()


def is_invisible(letter: str) -> bool:
    """Whether a character leaves no trace, not even a gap: zero-width, filler or control."""
    if letter.isspace():
        return False
    return letter in _NO_INK or unicodedata.category(letter) in ("Cf", "Cc")


def has_unseen(name: str) -> bool:
    """Whether a name has white space or characters that nobody sees in it; joiners have a use."""
    return visible_form(name) != "".join(letter for letter in name if letter not in _JOINERS)


def quoted(name: str) -> str:
    """Return a name in quotes, with every character that nobody would see written as its code."""
    text = repr(name)
    return "".join(
        f"\\u{ord(letter):04x}" if letter in _NO_INK and letter not in _JOINERS else letter
        for letter in text
    )


def shown(name: str) -> str:
    """Return a name as a table shows it: in quotes where one would not see what it holds."""
    return quoted(name) if has_unseen(name) else name


def looks(name: str) -> str:
    """Return a text that is equal for names that look alike; its letters are Latin where it can.

    Greek and Cyrillic letters become their Latin doubles, full-width and mathematical letters
    plain ones, and capitals small.
    """
    plain = (_plain(letter) for letter in unicodedata.normalize("NFD", visible_form(name)))
    return unicodedata.normalize("NFC", "".join(plain).casefold())


def odd_letters(name: str) -> tuple[str, ...]:
    """Return the letters of a name that look like Latin ones, by their Unicode names."""
    letters = dict.fromkeys(unicodedata.normalize("NFD", name))
    return tuple(unicodedata.name(letter) for letter in letters if _plain(letter) != letter)


def difference(one: str, other: str) -> str | None:
    """Return in what alone two names differ that look the same, or None when they look different.

    The text goes behind "differ only in".
    """
    for form, words in _FORMS:
        if form(one) == form(other):
            return words
    return f"letters: {_letters(one, other)}" if looks(one) == looks(other) else None


def look_alikes(names: Sequence[str]) -> list[str]:
    """Return one line for each pair of names that look alike in letters of different scripts."""
    first: dict[str, str] = {}
    lines = []
    for name in names:
        double = first.setdefault(looks(name), name)
        if double != name and not _are_of_one_script(double, name):
            lines.append(f"{quoted(double)} and {quoted(name)} ({_letters(double, name)})")
    return lines


def _are_of_one_script(one: str, other: str) -> bool:
    """Whether both are written in one script alone, in which whoever reads it sees a difference."""
    scripts = {
        unicodedata.name(letter, "").split(" ")[0] for letter in one + other if letter.isalpha()
    }
    return len(scripts) == 1


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _letters(one: str, other: str) -> str:
    parts = []
    for name in (one, other):
        odd = odd_letters(name)
        if odd:
            parts.append(f"{quoted(name)} has {', '.join(odd[:3])}")
    return "; ".join(parts)


def _plain(letter: str) -> str:
    style, _, _ = unicodedata.decomposition(letter).partition(" ")
    if style in _STYLES:
        letter = unicodedata.normalize("NFKC", letter)
    return letter.translate(_DOUBLES)


# Each form takes one more difference away; the first in which two names are equal names it.
_FORMS: Final[tuple[tuple[Callable[[str], str], str], ...]] = (
    (_composed, "their Unicode form (NFC and NFD)"),
    (lambda name: _composed(name).casefold(), "upper and lower case"),
    (lambda name: " ".join(_composed(name).split()), "white space"),
    (lambda name: _composed(visible_form(name)), "white space or characters that nobody sees"),
    (twin_form, "case and in white space or characters that nobody sees"),
)
