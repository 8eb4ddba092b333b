"""The canvas as a person sees and uses it."""

from playwright.sync_api import Locator, Page

from .studio_process import StudioProcess


def keep(studio: StudioProcess, pipeline: dict[str, object]) -> str:
    """Keep a pipeline as somebody's drawing; return the path of its view, and of it in the API."""
    return f"pipelines/{studio.ask('pipelines', {'pipeline': pipeline})['id']}"


def node(tab: Page, name: str) -> Locator:
    return tab.locator(f'.react-flow__node[data-id="{name}"]')


def nodes(tab: Page) -> Locator:
    return tab.locator(".react-flow__node")


def wire(tab: Page, ends: str) -> Locator:
    """Return a wire by its ends: ``split.first>train.training``."""
    return tab.locator(f'.react-flow__edge[data-id="{ends}"]')


def output(tab: Page, end: str) -> Locator:
    return _port(tab, end, "source")


def taken(tab: Page, end: str) -> Locator:
    """Return the port of an input."""
    return _port(tab, end, "target")


def draw_wire(tab: Page, start: Locator, end: Locator | tuple[float, float]) -> None:
    """Press on a port, move, and let go at another, or at a place of the window."""
    start.hover()  # waits until the graph no longer moves
    tab.mouse.down()
    x, y = end if isinstance(end, tuple) else middle(end)
    tab.mouse.move(x - 30, y - 20, steps=5)
    tab.mouse.move(x, y, steps=5)
    tab.mouse.up()


def middle(place: Locator) -> tuple[float, float]:
    box = place.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _port(tab: Page, end: str, side: str) -> Locator:
    name, port = end.split(".")
    return node(tab, name).locator(f'.react-flow__handle.{side}[data-handleid="{port}"]')
