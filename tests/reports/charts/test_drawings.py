"""Each drawing is read back as XML: what stands where, and what it says."""

import re
from xml.etree import ElementTree

import pytest

from imageloom.reports.charts import (
    Mark,
    ReliabilityBin,
    Series,
    dot_map,
    heat_map,
    line_chart,
    reliability_diagram,
)


def drawn(markup):
    return ElementTree.fromstring(markup)


def titles(svg):
    return [title.text for title in svg.iter("title")]


def lines(*series, **more):
    return drawn(line_chart(series, title="Loss", show="{:.2f}".format, tick="{:g}".format, **more))


def test_every_point_of_a_line_tells_its_value():
    svg = lines(Series("Valid loss", ((1, 0.75), (2, 0.5))))
    assert "Valid loss, epoch 1: 0.75" in titles(svg)
    assert "Valid loss, epoch 2: 0.50" in titles(svg)


def test_a_drawing_has_a_title_and_a_description_for_screen_readers():
    svg = lines(Series("Valid loss", ((1, 0.75), (2, 0.5))))
    assert (svg.get("role"), svg.find("title").text) == ("img", "Loss")
    assert "0.75 at epoch 1, 0.50 at epoch 2" in svg.find("desc").text


def test_lines_are_told_apart_by_style_and_named_in_a_legend():
    svg = lines(Series("a", ((1, 1), (2, 2)), 0), Series("b", ((1, 2), (2, 1)), 1))
    assert [line.get("class") for line in svg.iter("polyline")] == ["line s0", "line s1"]
    assert {"a", "b"} <= {text.text for text in svg.iter("text")}


def test_higher_values_stand_higher():
    svg = lines(Series("a", ((1, 1.0), (2, 3.0))))
    (x1, y1), (x2, y2) = (
        map(float, pair.split(",")) for pair in svg.find(".//polyline").get("points").split()
    )
    assert x1 < x2
    assert y1 > y2


def test_a_first_epoch_that_would_hide_the_rest_makes_the_axis_logarithmic():
    losses = [99.8, 14.2, 0.17, 0.06, 0.05, 0.04]
    svg = lines(Series("Valid loss", tuple(enumerate(losses, 1))))
    heights = [float(at.split(",")[1]) for at in svg.find(".//polyline").get("points").split()]
    assert "logarithmic axis" in [text.text for text in svg.iter("text")]
    assert heights[4] - heights[2] > 0.1 * (heights[5] - heights[0])  # 0.17 and 0.05 are apart


def test_a_straight_axis_says_nothing_of_logarithms():
    svg = lines(Series("Valid loss", ((1, 2.3), (2, 1.4))))
    assert "logarithmic axis" not in [text.text for text in svg.iter("text")]


def test_the_best_epoch_is_marked():
    svg = lines(Series("a", ((1, 1), (4, 2))), mark=Mark(3, "best: epoch 3"))
    assert "best: epoch 3" in [text.text for text in svg.iter("text")]


def test_long_series_are_thinned_without_losing_a_peak():
    points = tuple((step / 100, 1.0) for step in range(20_000))
    points = (*points[:777], (7.77, 99.0), *points[778:])
    svg = lines(Series("a", points))
    assert len(titles(svg)) < 500
    assert any("99.00" in title for title in titles(svg))


@pytest.mark.parametrize("value", [0.0, 1.0, -5.0, 1e-300, 1e300])
def test_a_constant_line_of_one_epoch_can_be_drawn(value):
    assert len(list(lines(Series("a", ((1, value),))).iter("circle"))) == 2


def test_names_of_strangers_are_text_in_a_drawing():
    svg = lines(Series("</svg><script>alert(1)</script>", ((1, 1),)))
    assert not list(svg.iter("script"))


def test_cells_say_what_they_count_and_empty_ones_are_not_drawn():
    svg = drawn(heat_map([[8, 2], [0, 5]], ["cat", "dog"], [10, 5], title="Confusion"))
    assert "2 of 10 pictures of cat were scored as dog (20.0%)" in titles(svg)
    cells = [rect.get("class") for rect in svg.iter("rect")]
    assert cells == ["frame", "hit", "miss", "hit"]


def test_deeper_colour_means_a_larger_share_of_the_row():
    svg = drawn(heat_map([[90, 10], [1, 1]], ["a", "b"], [100, 2], title="Confusion"))
    hits = [float(r.get("fill-opacity")) for r in svg.iter("rect") if r.get("class") == "hit"]
    assert hits == [pytest.approx(0.08 + 0.92 * 0.9, abs=0.01), pytest.approx(0.54, abs=0.01)]


def test_counts_stand_in_cells_that_have_room():
    texts = {t.text for t in drawn(heat_map([[12345]], ["a"], [12345], title="")).iter("text")}
    assert "12k" in texts
    many = [[123456 if row == column else 0 for column in range(30)] for row in range(30)]
    svg = drawn(heat_map(many, [f"c{n}" for n in range(30)], [123456] * 30, title=""))
    assert "123k" not in {text.text for text in svg.iter("text")}


def test_long_names_are_shortened_and_whole_on_hover():
    name = "a" * 30 + "b" * 30
    svg = drawn(heat_map([[1]], [name], [1], title=""))
    assert name in titles(svg)
    assert any(text.text == "a" * 12 + "…" + "b" * 9 for text in svg.iter("text"))


def test_a_thousand_classes_are_one_picture_of_dots():
    cells = [(n, n, 0.9) for n in range(1000)] + [(10, 999, 0.04)]
    markup = dot_map(cells, 1000, title="All")
    assert len(markup) < 30_000
    paths = {path.get("class"): path.get("d") for path in drawn(markup).iter("path")}
    assert paths["miss"] == "M997 8h5v5h-5z"  # five classes wide, its middle on row 10, column 999
    assert len(re.findall("M", paths["hit"])) == 1000


def test_a_dot_of_few_classes_is_exactly_its_cell():
    (path,) = drawn(dot_map([(3, 7, 0.5)], 120, title="All")).iter("path")
    assert path.get("d") == "M7 3h1v1h-1z"


def test_bars_of_a_reliability_diagram_say_confidence_and_accuracy():
    bins = [
        ReliabilityBin(0.0, 0.5, 0, 0.0, 0.0),
        ReliabilityBin(0.5, 1.0, 40, 0.8, 0.65),
    ]
    svg = drawn(reliability_diagram(bins, title="Reliability"))
    words = "40 pictures scored with 50% to 100%: mean confidence 80.0%, right in 65.0%."
    assert titles(svg) == ["Reliability", words, "40 pictures"]
    gap = next(rect for rect in svg.iter("rect") if rect.get("class") == "gap")
    assert float(gap.get("height")) == pytest.approx(0.15 * 300)


def test_a_bar_of_one_picture_is_told_in_the_singular():
    svg = drawn(reliability_diagram([ReliabilityBin(0.5, 1.0, 1, 0.8, 1.0)], title="R"))
    assert titles(svg)[-1] == "1 picture"


def test_a_reliability_diagram_without_pictures_is_empty():
    svg = drawn(reliability_diagram([ReliabilityBin(0.0, 1.0, 0, 0.0, 0.0)], title="R"))
    assert not list(svg.iter("rect"))
