"""Reports are parsed as a browser would: what is shown, what could run, what would be loaded."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from imageloom.events import Metric
from imageloom.reports.write import (
    write_comparison_report,
    write_evaluation_report,
    write_run_report,
)
from imageloom.scoring.evaluate import compare, evaluate

from .made_tables import make_table, table_of

ATTACKS = (
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    "<img src=x onerror=alert(3)>",
    '"><svg onload=alert(4)>',
    "'onmouseover='alert(5)",
    "</style><script>alert(6)</script>",
    "</title><script>alert(7)</script>",
    "<!--",
    "]]>",
    "&lt;b&gt;&amp;",
    "javascript:alert(8)",
    "<a href=javascript:alert(9)>x",
    "<iframe srcdoc='<script>alert(10)</script>'>",
    "{{7*7}}${7*7}",
    "<plaintext>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<bdo dir=rtl>abc",
    "\N{FULLWIDTH LESS-THAN SIGN}script\N{FULLWIDTH GREATER-THAN SIGN}",
    "<details open ontoggle=alert(11)>",
)


class Reader(HTMLParser):
    """Collects what a browser would see."""

    def __init__(self, document):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text, self.scripts = [], [], [], []
        self._raw = ""
        self.feed(document)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.extend((tag, name, value) for name, value in attrs)
        self._raw = tag

    def handle_endtag(self, tag):  # noqa: ARG002 - the base class names it
        self._raw = ""

    def handle_data(self, data):
        (self.scripts if self._raw == "script" else self.text).append(data)

    @property
    def words(self):
        return " ".join(self.text)


def read(path):
    return Reader(path.read_text(encoding="utf-8"))


def run_record(**changes):
    return {
        "format_version": 1,
        "state": "completed",
        "started": "2026-09-20T10:02:11Z",
        "seconds": 3725.0,
        "best_epoch": 3,
        "epochs_done": 3,
        "asked": {"epochs": 3, "learning_rate": 0.01, "optimizer": "sgd"},
        "resolved": {"image_size": 128, "transforms": [{"kind": "center_crop", "size": 128}]},
        "model": {
            "architecture": {"variant": "resnet18"},
            "initial_weights": {"kind": "random", "name": "", "sha256": ""},
        },
        "data": {"training": {"root": "/photos/ants", "images": 244, "digest": "ab" * 32}},
        "versions": {"torch": "2.15.0"},
        **changes,
    }


def metrics_of(epochs=3):
    metrics = []
    for epoch in range(1, epochs + 1):
        metrics.append(Metric("learning rate", 0.01 / epoch, epoch - 0.5, epoch * 10 - 5))
        for name, value in {
            "Train loss": 1 / epoch,
            "Valid loss": 1.2 / epoch,
            "Top-1 validation accuracy": 1 - 0.5 / epoch,
            "Top-5 validation accuracy": 1.0,
            "Train images per second": 33.0,
        }.items():
            metrics.append(Metric(name, value, float(epoch), epoch * 10))
    return metrics


def write_run(path, table, **changes):
    write_run_report(
        path,
        run=run_record(**changes),
        metrics=metrics_of(),
        evaluation=evaluate(table),
        table=table,
    )
    return read(path)


def attacked(tmp_path):
    """Return tables whose class and file names, root and digest are all attacks."""
    files = [f"{attack}.jpg" for attack in ATTACKS]
    rows = [
        (file, label, ATTACKS[(n + 1) % len(ATTACKS)], 0.9)
        for n, (file, label) in enumerate(zip(files, ATTACKS, strict=True))
    ]
    return table_of(ATTACKS, rows, root=tmp_path / ATTACKS[0], model_digest=ATTACKS[2])


def assert_harmless(page):
    assert page.tags.count("script") == 1
    assert page.tags.count("style") == 1
    allowed = (
        "html head meta title style body header p h1 h2 h3 nav ul li a main section div dl dt dd b "
        "bdi i span strong code svg desc g rect line text path circle polyline table caption "
        "thead tbody tr th td figure figcaption details summary label input img footer script"
    )
    assert set(page.tags) <= set(allowed.split())
    for tag, name, value in page.attributes:
        assert not name.startswith("on"), (tag, name)
        assert name not in ("srcdoc", "action", "formaction", "srcset", "background")
        if name == "src":
            assert re.match(r"data:image/(jpeg|png);base64,[\w+/=]+$", value)
        if name == "href":
            assert value.startswith("#")


def test_s11_names_of_strangers_are_shown_literally_and_run_nothing(tmp_path):
    table = attacked(tmp_path)
    run = {
        "asked": {attack: attack for attack in ATTACKS},
        "model": {"architecture": {"variant": ATTACKS[0]}},
        "data": {"training": {"root": f"/x/{ATTACKS[2]}", "images": 9}},
        "versions": {"torch": ATTACKS[1]},
    }
    page = write_run(tmp_path / "run.html", table, **run)
    assert_harmless(page)
    for attack in ATTACKS:
        assert attack in page.words


def test_s11_comparisons_show_names_literally_too(tmp_path):
    table = attacked(tmp_path)
    comparison = compare(table, table, names=(ATTACKS[0], ATTACKS[2]))
    write_comparison_report(
        tmp_path / "r.html", comparison, roots=(table.root, None), thumbnails=True
    )
    page = read(tmp_path / "r.html")
    assert_harmless(page)
    assert ATTACKS[0] in page.words


def test_the_page_forbids_itself_everything_but_its_own_script(tmp_path):
    page = write_run(tmp_path / "run.html", make_table())
    policy = next(value for _, name, value in page.attributes if value and "default-src" in value)
    digest = hashlib.sha256("".join(page.scripts).encode()).digest()
    assert f"script-src 'sha256-{base64.b64encode(digest).decode()}'" in policy
    assert "default-src 'none'" in policy


def test_the_page_loads_nothing_from_elsewhere(tmp_path):
    write_run(tmp_path / "run.html", make_table())
    document = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert not re.findall(r"https?://|//[a-z]+\.|@import|url\(", document)


@pytest.mark.parametrize("num_classes", [2, 3, 10, 31, 120])
def test_a_report_of_any_number_of_classes_names_the_weakest_and_the_confused(
    tmp_path, num_classes
):
    classes = tuple(f"class {n:03d}" for n in range(num_classes))
    table = make_table(classes, rows=num_classes * 4, seed=num_classes)
    page = write_run(tmp_path / "run.html", table)
    evaluation = evaluate(table)
    assert_harmless(page)
    weakest = classes[int(np.argmin(evaluation.figures.f1_K))]
    pair = evaluation.pairs[0]
    assert {weakest, classes[pair.label], classes[pair.predicted]} <= set(page.text)


def test_the_headline_says_the_accuracy_in_words(tmp_path):
    table = table_of(("a", "b"), [(f"{n}", "a", "a" if n < 8 else "b", 0.9) for n in range(10)])
    page = write_run(tmp_path / "run.html", table)
    assert "80.0\N{NO-BREAK SPACE}%" in page.text
    assert "8 of 10 pictures right." in page.text
    assert "Always naming the most frequent class would be right for 100.0" in page.words


def test_a_run_report_tells_its_course_and_its_facts(tmp_path):
    page = write_run(tmp_path / "run.html", make_table(tuple("abcdef"), rows=60))
    assert "resnet18 on ants" in page.words
    assert "244 training pictures" in page.words
    assert "1 h 02 min" in page.words
    assert "center crop (size 128)" in page.words
    assert "best: epoch 3" in page.words
    assert "validation loss, epoch 3: 0.4" in page.words


def part(root, left_out):
    return {"root": root, "left_out": sum(left_out.values()), "left_out_reasons": left_out}


@pytest.mark.parametrize(
    ("validation", "number"),
    [(part("/photos", {"is empty": 2}), 2), (part("/other", {"is an HTML page": 1}), 3)],
    ids=["parts of one folder", "two folders"],
)
def test_a_run_report_tells_what_was_left_out_once_and_why(tmp_path, validation, number):
    data = {"training": part("/photos", {"is empty": 2}), "validation": validation}
    page = write_run(tmp_path / "run.html", make_table(), data=data)
    assert f"left out: {number} files" in page.words
    assert "left out reasons: is empty 2" in page.words


def test_a_report_of_scores_tells_what_was_left_out_and_why(tmp_path):
    table = make_table(left_out={"is an HTML page": 1})
    write_evaluation_report(tmp_path / "report.html", evaluate(table), root=None)
    page = read(tmp_path / "report.html")
    assert "Left out, and in no figure: 1 file (1: is an HTML page)." in page.words
    assert "left out 1 file" in page.words


def test_figures_of_another_precision_than_the_models_are_explained(tmp_path):
    resolved = {"resolved": {"precision": "bfloat16"}}
    page = write_run(tmp_path / "run.html", make_table(), **resolved)
    assert "the network computed in bfloat16" in page.words
    assert "computed in" not in write_run(tmp_path / "b.html", make_table()).words


def test_top_five_is_not_drawn_for_few_classes(tmp_path):
    assert "Top-5 accuracy" not in write_run(tmp_path / "a.html", make_table()).words
    six = make_table(tuple("abcdef"), rows=12)
    assert "Top-5 accuracy" in write_run(tmp_path / "b.html", six).words


def test_a_perfect_model_of_one_picture_has_a_report(tmp_path):
    table = table_of(("a", "b"), [("1.jpg", "a", "a", 1.0)])
    page = write_run(tmp_path / "run.html", table)
    assert "There is no mistake at all." in page.words


def test_a_run_without_any_record_or_metric_has_a_report(tmp_path):
    table = make_table()
    write_run_report(
        tmp_path / "r.html", run={}, metrics=[], evaluation=evaluate(table), table=table
    )
    assert "How training went" not in read(tmp_path / "r.html").words


def test_metrics_that_are_not_finite_are_not_drawn(tmp_path):
    table = make_table()
    bad = [Metric("Valid loss", value, 1.0, 1) for value in (float("nan"), float("inf"))]
    write_run_report(
        tmp_path / "r.html",
        run=run_record(),
        metrics=[*metrics_of(), *bad],
        evaluation=evaluate(table),
        table=table,
    )
    assert "nan" not in read(tmp_path / "r.html").words


def test_mistakes_are_shown_with_their_pictures_encoded_anew(tmp_path):
    pixels = np.zeros((300, 500, 3), np.uint8)
    pixels[..., 0] = 255
    secret = "GPS of my home"
    exif = Image.Exif()
    exif[0x010E] = secret
    Image.fromarray(pixels).save(tmp_path / "red.jpg", exif=exif)
    table = table_of(("a", "b"), [("red.jpg", "a", "b", 0.9)], root=tmp_path)
    write_evaluation_report(tmp_path / "r.html", evaluate(table), root=tmp_path)
    page = read(tmp_path / "r.html")
    (address,) = [value for tag, name, value in page.attributes if (tag, name) == ("img", "src")]
    content = base64.b64decode(address.split(",")[1])
    assert secret.encode() not in content
    assert len(content) < 5000


def test_without_thumbnails_no_picture_is_opened(tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "x.png")
    table = table_of(("a", "b"), [("x.png", "a", "b", 0.9)], root=tmp_path)
    write_evaluation_report(tmp_path / "r.html", evaluate(table), root=tmp_path, thumbnails=False)
    assert "img" not in read(tmp_path / "r.html").tags


def test_a_table_that_does_not_say_where_its_pictures_lie_says_how_to_see_them(tmp_path):
    table = table_of(("a", "b"), [("x.png", "a", "b", 0.9)])
    write_evaluation_report(tmp_path / "r.html", evaluate(table), root=None)
    assert "Shown without pictures." in read(tmp_path / "r.html").words
    assert "--images" in read(tmp_path / "r.html").words


def test_a_comparison_says_which_model_is_better(tmp_path):
    right = [(f"{n}", "a", "a", 0.9) for n in range(30)]
    wrong = [(f"{n}", "a", "b", 0.9) for n in range(30)]
    comparison = compare(table_of(("a", "b"), wrong), table_of(("a", "b"), right))
    write_comparison_report(tmp_path / "r.html", comparison, roots=(None, None), thumbnails=False)
    page = read(tmp_path / "r.html")
    assert "B is better. B alone is right for 30 pictures, the other alone for 0." in page.words
    assert_harmless(page)


def test_a_small_difference_is_called_chance(tmp_path):
    left = [("1", "a", "a", 0.9), ("2", "a", "b", 0.9), ("3", "a", "b", 0.9)]
    right = [("1", "a", "b", 0.9), ("2", "a", "a", 0.9), ("3", "a", "a", 0.9)]
    comparison = compare(table_of(("a", "b"), left), table_of(("a", "b"), right))
    write_comparison_report(tmp_path / "r.html", comparison, roots=(None, None), thumbnails=False)
    assert "The difference may be chance." in read(tmp_path / "r.html").words


def test_every_table_cell_stands_under_a_head_and_every_row_has_one(tmp_path):
    page = write_run(tmp_path / "run.html", make_table(tuple("abcdef"), rows=60))
    scopes = [value for tag, name, value in page.attributes if (tag, name) == ("th", "scope")]
    assert set(scopes) == {"row", "col"}
    assert len(scopes) == page.tags.count("th")
    drawings = [value for tag, name, value in page.attributes if (tag, name) == ("svg", "role")]
    assert len(drawings) == page.tags.count("svg")


def test_reports_are_small(tmp_path):
    classes = tuple(f"class {n:03d}" for n in range(120))
    write_run(tmp_path / "run.html", make_table(classes, rows=6000))
    assert (tmp_path / "run.html").stat().st_size < 1_500_000


def test_json_of_the_record_is_not_needed_to_be_complete(tmp_path):
    damaged = json.loads(json.dumps(run_record(best_epoch=None, asked=[], data="x", model=3)))
    page = write_run(tmp_path / "run.html", make_table(), **damaged)
    assert "A network" in page.words
