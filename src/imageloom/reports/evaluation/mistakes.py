"""The mistakes of which the model was surest, with their pictures."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

from imageloom.reports.charts import Markup, element, join
from imageloom.reports.evaluation.thumbnails import Thumbnail, make_thumbnail
from imageloom.reports.page import Section, name, paragraph
from imageloom.reports.words import percent
from imageloom.scoring.evaluation import Evaluation, Mistake

Thumbnailer = Callable[[str], Thumbnail | str]


def thumbnailer(root: Path | None, *, wanted: bool) -> Thumbnailer | None:
    """Return what turns a file name into a picture, or None when none are wanted or known."""
    return None if root is None or not wanted else functools.partial(make_thumbnail, root)


def without_pictures(thumbnail: Thumbnailer | None) -> Markup:
    """Return a note on how to see the pictures that are not shown, or nothing."""
    if thumbnail is not None:
        return Markup()
    return paragraph(
        "Shown without pictures. To see them, give ",
        element("code", "imageloom evaluate"),
        " the folder they lie in with ",
        element("code", "--images"),
        ".",
        style="note",
    )


def mistakes_section(evaluation: Evaluation, thumbnail: Thumbnailer | None) -> Section:
    """Return the section with the mistakes, surest first."""
    if not evaluation.mistakes:
        body = paragraph("There is none.")
    else:
        body = join(
            [
                paragraph(
                    "The model was wrong here and sure of it. Look for wrong labels, for "
                    "pictures that show two classes, and for what these pictures have in common."
                ),
                without_pictures(thumbnail),
                gallery(evaluation.mistakes, thumbnail),
            ]
        )
    return Section("mistakes", "Most confident mistakes", body)


def gallery(
    mistakes: Sequence[Mistake],
    thumbnail: Thumbnailer | None,
    *,
    said: str = "scored as",
    truth: str = "is",
) -> Markup:
    """Return pictures that were given another class than their label as cards.

    Args:
        mistakes: The pictures.
        thumbnail: Makes them small, or None for cards without pictures.
        said: What stands before the class that was given.
        truth: What stands before the label.
    """
    cards = (_card(mistake, thumbnail, said, truth) for mistake in mistakes)
    return element("ul", *cards, class_="gallery")


def _card(mistake: Mistake, thumbnail: Thumbnailer | None, said: str, truth: str) -> Markup:
    return picture_card(
        mistake.file,
        thumbnail,
        alt=f"{mistake.label}, scored as {mistake.scored_label}",
        lines=[
            (said, mistake.scored_label, mistake.probability, "said"),
            (truth, mistake.label, mistake.label_probability, "truth"),
        ],
    )


def picture_card(
    file: str,
    thumbnail: Thumbnailer | None,
    *,
    alt: str,
    lines: Sequence[tuple[str, str, float, str]],
) -> Markup:
    """Return one picture of a gallery with what is said of it.

    Args:
        file: Its name in the table.
        thumbnail: Makes it small, or None for a card without it.
        alt: What it shows, for who cannot see it.
        lines: Words, a class, its probability, and the style: ``said`` or ``truth``.
    """
    rows = (_line(said, label, value, style=style) for said, label, value, style in lines)
    words = element("div", *rows, element("div", name(file), class_="file"), class_="words")
    if thumbnail is None:
        return element("li", words)
    return element("li", element("div", _picture(file, thumbnail, alt), class_="picture"), words)


def _picture(file: str, thumbnail: Thumbnailer, alt: str) -> Markup:
    made = thumbnail(file)
    if isinstance(made, str):
        return element("span", made, class_="absent")
    return element(
        "img",
        src=made.address,
        width=made.width,
        height=made.height,
        alt=alt,
        class_="tiny" if made.tiny else None,
    )


def _line(words: str, label: str, probability: float, *, style: str) -> Markup:
    parts = element("span", words), element("span", percent(probability)), element("b", name(label))
    return element("div", *parts, class_=style)
