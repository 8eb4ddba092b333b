import dataclasses
import html
import re
from importlib.metadata import version

import pytest
import torch

from imageloom.models.model_card import literal, trained_card
from imageloom.models.model_directory import create_model, save_trained

from .made_models import make_trained

FOREIGN = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![x](http://evil.example/x.png)",
    "`code` ```",
    "**bold** _it_ ~~gone~~",
    "# heading",
    "- item",
    "1. item",
    "a | b",
    "&lt;b&gt;",
    "https://evil.example www.evil.example a@b.example",
    "line\nbreak\ttab",
    "\u202egnp.exe",
    "\x1b[31mred",
    "$(x) \\ \\n",
    "007",
    "NA",
    "café 日本 🐈",
]


def shown(markdown):
    """What a reader of the rendered text sees: CommonMark's two escapes taken away."""
    return html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown))


@pytest.mark.parametrize("text", FOREIGN)
def test_e21_foreign_text_is_shown_as_it_is(text):
    escaped = literal(text)
    assert "<" not in escaped
    assert "\n" not in escaped
    visible = "".join(
        c if c.isprintable() else {"\n": "\\n"}.get(c, f"\\x{ord(c):02x}") for c in text
    )
    assert shown(escaped) == visible


@pytest.mark.parametrize(
    "text", ["a_b", "zero_init_residual", "resnet18", "3.11.7", "Top-1 accuracy", "0.5", "it's"]
)
def test_plain_words_stay_readable_in_the_file(text):
    assert literal(text) == text


def test_a_very_long_name_is_cut_with_a_mark():
    assert literal("x" * 1000) == "x" * 299 + "…"


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    path = tmp_path_factory.mktemp("card") / "m"
    model = make_trained(classes=("Cat", "<script>alert(1)</script>", "007"))
    model.parameters["image_size"] = None
    model.parameters["note"] = "<b>"
    save_trained(path, model)
    return (path / "README.md").read_text("utf-8")


def test_the_card_says_what_a_person_needs_to_know(card):
    assert card.startswith("# test_resnet (timm) for 3 classes\n")
    for part in (
        "0. Cat\n1. &lt;script&gt;alert(1)&lt;/script&gt;\n2. 007\n",
        "pictures of 32 x 32 pixels",
        "Training starts from random weights.",
        "- epochs: 5",
        "- Valid loss: 0.25",
        "- training: 30 pictures, digest abababababababab",
        f"- torch: {version('torch')}",
        'imageloom.score("this-directory"',
        "## Limits",
    ):
        assert part in card, part
    assert "<" not in card.replace("<b>", "")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("resnet18", {}),
        ("resnet18", {"stem": "small", "dropout": 0.2, "zero_init_residual": True}),
        ("densenet121", {"stem": "small", "dropout": 0.2}),
        ("timm/test_resnet", {"dropout": 0.2}),
    ],
)
def test_the_cards_code_for_plain_torch_gives_the_same_answers(
    tmp_path, monkeypatch, name, options
):
    model = make_trained(name, **options)
    save_trained(tmp_path / "m", model)
    card = (tmp_path / "m" / "README.md").read_text("utf-8")
    code = card.split("With PyTorch alone:")[1].split("```python\n")[1].split("```")[0]
    assert "imageloom" not in code
    monkeypatch.chdir(tmp_path / "m")
    scope = {}
    exec(code, scope)
    images_BCHW = torch.randn(1, 3, 32, 32)
    assert torch.equal(scope["network"](images_BCHW), model.network(images_BCHW))


def test_a_thousand_classes_do_not_drown_the_card():
    model = make_trained(classes=[f"class {number}" for number in range(1000)])
    card = trained_card(_record(model))
    assert "99. class 99" in card
    assert "class 100\n" not in card
    assert "... and 900 more in `model.json`." in card


def _record(model):
    from imageloom.models.record import TrainedRecord

    names = {field.name for field in dataclasses.fields(TrainedRecord)}
    return TrainedRecord(**{name: getattr(model, name) for name in names})


def test_the_card_of_an_untrained_model_says_what_to_do_next(tmp_path):
    create_model("resnet18", tmp_path / "m")
    card = (tmp_path / "m" / "README.md").read_text("utf-8")
    assert card.startswith("# ResNet-18, untrained\n")
    assert "imageloom train --model THIS_DIRECTORY" in card
    assert "- stem: standard" in card


@pytest.mark.parametrize(("thresholds", "answers_always"), [(None, True), ((0.5,) * 3, False)])
def test_only_a_model_of_one_label_answers_every_picture_with_a_class(thresholds, answers_always):
    record = dataclasses.replace(_record(make_trained()), label_thresholds=thresholds)
    assert ("answers with one of its classes for every" in trained_card(record)) is answers_always
