"""The frame of a report: one self-contained HTML file that loads nothing and trusts no name."""

import base64
import hashlib
import importlib.resources
from collections.abc import Sequence
from dataclasses import dataclass

from imageloom import __version__
from imageloom.reports.charts import Markup, element, join


@dataclass(frozen=True)
class Section:
    """A part of a report with an entry in its contents.

    Attributes:
        ident: Anchor, from our own code.
        heading: As it stands above the section.
        body: What is in it.
    """

    ident: str
    heading: str
    body: Markup


@dataclass(frozen=True)
class Heading:
    """The top of a report.

    Attributes:
        kind: What this is, in two words: ``Training report``.
        title: What it is about.
        facts: One line of facts.
    """

    kind: str
    title: str
    facts: str


def page(heading: Heading, sections: Sequence[Section], *, style: str = "") -> str:
    """Return a whole HTML document.

    The document forbids itself, by a content security policy, everything but its own style, its
    own script (by hash) and pictures that lie in it. So even a mistake in escaping could neither
    run code nor tell anybody that the report was opened.

    Args:
        heading: Its top.
        sections: The rest, in order.
        style: Rules of this kind of report, below those that all share; from our own code.
    """
    style, script = _resource("report.css") + style, _resource("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="generator", content=f"Imageloom {__version__}"),
        element("title", f"{heading.title} · {heading.kind}"),
        element("style", Markup(style)),
    )
    body = element(
        "body",
        _header(heading),
        _contents(sections),
        element("main", *(_section(section) for section in sections)),
        element("footer", f"Made by Imageloom {__version__}. This file loads nothing else."),
        element("script", Markup(script)),
    )
    document = join([Markup("<!doctype html>\n"), element("html", head, body, lang="en")])
    return str(document) + "\n"


def paragraph(*parts: str, style: str | None = None) -> Markup:
    """Return a paragraph of text and markup."""
    return element("p", *parts, class_=style)


def name(text: str) -> Markup:
    """Return a class or file name, whose script cannot turn the words around it."""
    return element("bdi", text)


def strong(text: str) -> Markup:
    """Return emphasised text."""
    return element("b", text)


def _header(heading: Heading) -> Markup:
    return element(
        "header",
        element("p", heading.kind, class_="eyebrow"),
        element("h1", name(heading.title)),
        element("p", heading.facts, class_="facts-line"),
    )


def _contents(sections: Sequence[Section]) -> Markup:
    links = [
        element("li", element("a", section.heading, href=f"#{section.ident}"))
        for section in sections
    ]
    return element("nav", element("ul", *links), aria_label="Contents")


def _section(section: Section) -> Markup:
    heading = element("h2", section.heading, id=f"{section.ident}-heading")
    return element(
        "section",
        heading,
        section.body,
        id=section.ident,
        aria_labelledby=f"{section.ident}-heading",
    )


def _resource(file: str) -> str:
    folder = importlib.resources.files("imageloom.reports")
    return folder.joinpath(file).read_text(encoding="utf-8")
