"""The graph of a run as SVG: one box for each node, with its state as colour, sign and text."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from imageloom.reports.charts import Markup, element, join
from imageloom.run_report.layers import lay_out
from imageloom.spec.node_state import NodeState

_BOX_WIDTH: Final = 190.0
_BOX_HEIGHT: Final = 54.0
_GAP_X: Final = 26.0
_GAP_Y: Final = 46.0
_BEND_WIDTH: Final = 12.0
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
class DrawnEdge:
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


def graph_drawing(boxes: Sequence[Box], wires: Sequence[DrawnEdge], *, title: str) -> Markup:
    """Return the drawing.

    Args:
        boxes: The nodes.
        wires: The edges between them; no cycle. Those to other nodes are left out.
        title: What a screen reader says; the table of nodes says the rest.
    """
    needs: dict[str, list[str]] = {box.node: [] for box in boxes}
    wires = [wire for wire in wires if wire.source in needs and wire.target in needs]
    for wire in wires:
        if wire.source not in needs[wire.target]:
            needs[wire.target].append(wire.source)
    placed = lay_out(needs)
    corners = _corners(placed.rows, needs.keys())
    width = max((x + _width(name, needs) for name, (x, _) in corners.items()), default=0) + _MARGIN
    height = len(placed.rows) * (_BOX_HEIGHT + _GAP_Y) - _GAP_Y + 2 * _MARGIN
    drawing = element(
        "svg",
        element("title", title),
        *(_wire(wire, corners, placed.bends.get((wire.source, wire.target), [])) for wire in wires),
        *(_box(box, *corners[box.node]) for box in boxes),
        class_="chart graph",
        viewBox=f"0 0 {width:g} {height:g}",
        style=f"width: {width:g}px",
        role="img",
    )
    return element("div", drawing, class_="scroll")


def _width(name: str, nodes: Container[str]) -> float:
    return _BOX_WIDTH if name in nodes else _BEND_WIDTH


def _corners(rows: Sequence[Sequence[str]], nodes: Container[str]) -> dict[str, Corner]:
    """Return the upper left corner of every box and bend; each row stands in the middle."""
    lengths = [sum(_width(name, nodes) + _GAP_X for name in row) - _GAP_X for row in rows]
    corners = {}
    for number, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        x = _MARGIN + (max(lengths) - length) / 2
        for name in row:
            corners[name] = (x, _MARGIN + number * (_BOX_HEIGHT + _GAP_Y))
            x += _width(name, nodes) + _GAP_X
    return corners


def _wire(wire: DrawnEdge, corners: Mapping[str, Corner], bends: Sequence[str]) -> Markup:
    """Return an edge: down through the gaps, and straight past the boxes of other layers."""
    (x, y), (end_x, end_y) = corners[wire.source], corners[wire.target]
    x, y = x + _BOX_WIDTH * wire.leave, y + _BOX_HEIGHT
    path = f"M{x:g} {y:g}"
    for bend in bends:
        at = corners[bend][0] + _BEND_WIDTH / 2
        path += _curve(x, y, at, corners[bend][1])
        x, y = at, corners[bend][1] + _BOX_HEIGHT
        path += f"L{x:g} {y:g}"
    path += _curve(x, y, end_x + _BOX_WIDTH * wire.enter, end_y)
    return element(
        "path", element("title", wire.title), d=path, class_="wire", stroke=wire.colour or None
    )


def _curve(x1: float, y1: float, x2: float, y2: float) -> str:
    middle = (y1 + y2) / 2
    return f"C{x1:g} {middle:g} {x2:g} {middle:g} {x2:g} {y2:g}"


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
