"""The graph of a run as SVG: one box for each node, with its state as colour, sign and text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from imageloom.charts import Markup, element, join
from imageloom.run_report.layers import layers
from imageloom.spec.node_state import NodeState

_BOX_WIDTH: Final = 190.0
_BOX_HEIGHT: Final = 54.0
_GAP_X: Final = 26.0
_GAP_Y: Final = 46.0
_MARGIN: Final = 4.0
_LETTERS: Final = 24  # that fit in a box

SIGNS: Final = {
    NodeState.WAITING: "\u2026",
    NodeState.RUNNING: "\u25b6",
    NodeState.CACHED: "\u21ba",
    NodeState.COMPLETED: "\u2713",
    NodeState.COMPLETED_WITH_WARNINGS: "!",
    NodeState.FAILED: "\u2717",
    NodeState.CANCELLED: "\u25a0",
    NodeState.NOT_RUN: "\u2013",
}


@dataclass(frozen=True)
class Box:
    """A node as it is drawn.

    Attributes:
        node: Its id.
        title: What stands in the box.
        state: Its state.
        link: Anchor of its section in the report.
    """

    node: str
    title: str
    state: NodeState
    link: str


@dataclass(frozen=True)
class Wire:
    """An edge as it is drawn.

    Attributes:
        source: The node it comes from.
        target: The node it goes to.
        title: What it joins, in words.
        leave: Where it leaves the box above, from 0 at its left to 1 at its right.
        enter: Where it enters the box below, likewise.
        colour: ``#rrggbb``, of its port type; empty when the type is not known.
    """

    source: str
    target: str
    title: str
    leave: float = 0.5
    enter: float = 0.5
    colour: str = ""


Corner = tuple[float, float]


def graph_drawing(boxes: Sequence[Box], wires: Sequence[Wire], *, title: str) -> Markup:
    """Return the drawing.

    Args:
        boxes: The nodes.
        wires: The edges between them; no cycle.
        title: What a screen reader says; the table of nodes says the rest.
    """
    corners, width, height = _corners(boxes, wires)
    lines = [
        _wire(wire, corners[wire.source], corners[wire.target])
        for wire in wires
        if wire.source in corners and wire.target in corners
    ]
    return element(
        "div",
        element(
            "svg",
            element("title", title),
            *lines,
            *(_box(box, *corners[box.node]) for box in boxes),
            class_="chart graph",
            viewBox=f"0 0 {width:g} {height:g}",
            style=f"width: {width:g}px",
            role="img",
        ),
        class_="scroll",
    )


def _corners(
    boxes: Sequence[Box], wires: Sequence[Wire]
) -> tuple[Mapping[str, Corner], float, float]:
    """Return the upper left corner of every box, and the size of the whole."""
    needs: dict[str, list[str]] = {box.node: [] for box in boxes}
    for wire in wires:
        if wire.source in needs and wire.target in needs:
            needs[wire.target].append(wire.source)
    rows = layers(needs)
    step_x, step_y = _BOX_WIDTH + _GAP_X, _BOX_HEIGHT + _GAP_Y
    widest = max(map(len, rows), default=0) * step_x
    corners = {
        node: (
            _MARGIN + (widest - len(row) * step_x) / 2 + column * step_x,
            _MARGIN + number * step_y,
        )
        for number, row in enumerate(rows)
        for column, node in enumerate(row)
    }
    return corners, widest - _GAP_X + 2 * _MARGIN, len(rows) * step_y - _GAP_Y + 2 * _MARGIN


def _wire(wire: Wire, source: Corner, target: Corner) -> Markup:
    x1, y1 = source[0] + _BOX_WIDTH * wire.leave, source[1] + _BOX_HEIGHT
    x2, y2 = target[0] + _BOX_WIDTH * wire.enter, target[1]
    bend = _GAP_Y / 2
    path = f"M{x1:g} {y1:g}C{x1:g} {y1 + bend:g} {x2:g} {y2 - bend:g} {x2:g} {y2:g}"
    return element(
        "path",
        element("title", wire.title),
        d=path,
        class_="wire",
        stroke=wire.colour or None,
    )


def _box(box: Box, x: float, y: float) -> Markup:
    shown = box.title if len(box.title) <= _LETTERS else box.title[: _LETTERS - 1] + "\u2026"
    return element(
        "a",
        element("title", f"{box.title}: {box.state.value}"),
        element("rect", x=x, y=y, width=_BOX_WIDTH, height=_BOX_HEIGHT, rx=9),
        element("text", shown, x=x + 14, y=y + 23, class_="name"),
        element("text", f"{SIGNS[box.state]} {box.state.value}", x=x + 14, y=y + 42),
        href=f"#{box.link}",
        class_=state_class(box.state),
    )


def state_class(state: NodeState) -> str:
    """Return the class of the style sheet for a state."""
    return "state-" + state.value.replace(" ", "-")


def state_mark(state: NodeState) -> Markup:
    """Return a state as text with its sign and colour."""
    return join([element("span", f"{SIGNS[state]} {state.value}", class_=state_class(state))])
