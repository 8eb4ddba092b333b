"""HTML and SVG as text in which every foreign string is escaped.

``element`` is the only place where markup comes into being. What it is given as plain ``str`` is
text, whatever it looks like; only what ``element`` itself returned is markup::

    element("td", "<b>", title='"')  ->  <td title="&quot;">&lt;b&gt;</td>
"""

import html
import math
from collections.abc import Iterable
from typing import Final

Value = str | int | float | None

_VOID: Final = frozenset({"br", "img", "input", "meta"})

# Characters that a browser drops, breaks on, or turns the text around with. They are shown as
# \x0a, so that a name with a line break or a direction mark reads as what it is.
_UNPRINTABLE: Final = {
    code: f"\\x{code:02x}"
    for code in (
        *range(0x20),
        *range(0x7F, 0xA0),
        0x061C,
        *range(0x200E, 0x2010),
        *range(0x2028, 0x202F),
        *range(0x2066, 0x206A),
        *range(0xD800, 0xE000),
        0xFEFF,
    )
}


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def escape(text: str) -> Markup:
    """Return text as markup that shows it literally, in content and in quoted attributes."""
    if isinstance(text, Markup):
        return text
    return Markup(html.escape(text.translate(_UNPRINTABLE), quote=True))


def element(tag: str, /, *children: str, **attributes: Value) -> Markup:
    """Return one element.

    Args:
        tag: Name of the element, from our own code.
        children: Text, which is escaped, or markup, which is not.
        attributes: Names from our own code; ``class_`` is ``class``, ``stroke_width`` is
            ``stroke-width``. Values are escaped; numbers lose needless digits; None leaves the
            attribute out.
    """
    start = tag + "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in _VOID:
        return Markup(f"<{start}>")
    return Markup(f"<{start}>{join(children)}</{tag}>")


def join(parts: Iterable[str]) -> Markup:
    """Return the parts one after the other; plain text among them is escaped."""
    return Markup("".join(escape(part) for part in parts))


def _value(value: str | int | float) -> str:
    if isinstance(value, float):
        assert math.isfinite(value), "a drawing has finite coordinates"
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return escape(str(value))
