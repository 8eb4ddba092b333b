"""What ``--only``, ``--from`` and ``--fresh`` choose."""

import pytest

from imageloom.errors import InvalidPipelineError, UnknownNameError
from imageloom.pipeline.graph.selection import choose

from .test_order import graph

# data feeds train and test; train and test feed score, score feeds evaluate; other stands alone.
PIPELINE = graph("data>train data>test train>score test>score score>evaluate other>report")
ALL = {"data", "train", "test", "score", "evaluate", "other", "report"}


@pytest.mark.parametrize(
    ("asked", "wanted", "fresh"),
    [
        ({}, ALL, set()),
        ({"only": ["score"]}, {"data", "train", "test", "score"}, set()),
        ({"only": ["train", "other"]}, {"data", "train", "other"}, set()),
        (
            {"start": ["train"]},
            {"data", "train", "test", "score", "evaluate"},
            {"train", "score", "evaluate"},
        ),
        ({"start": ["report"]}, {"other", "report"}, {"report"}),
        ({"fresh": ["train"]}, ALL, {"train"}),
        ({"only": ["score"], "fresh": ["data"]}, {"data", "train", "test", "score"}, {"data"}),
        (
            {"only": ["score"], "start": ["train"]},
            {"data", "train", "test", "score"},
            {"train", "score"},
        ),
    ],
)
def test_a_choice_wants_and_makes_anew(asked, wanted, fresh):
    selection = choose(PIPELINE, **asked)
    assert (selection.wanted, selection.fresh) == (wanted, fresh)


@pytest.mark.parametrize("how", ["only", "start", "fresh"])
def test_an_unknown_node_names_the_nearest(how):
    with pytest.raises(UnknownNameError, match=r"no node called 'tain'.* Did you mean train"):
        choose(PIPELINE, **{how: ["tain"]})


@pytest.mark.parametrize(
    "asked",
    [
        {"only": ["train"], "fresh": ["evaluate"]},
        {"only": ["train"], "start": ["score"]},
        {"start": ["train"], "fresh": ["report"]},
    ],
)
def test_what_contradicts_itself_is_refused(asked):
    with pytest.raises(InvalidPipelineError, match="is to be made anew, but only what 'train' nee"):
        choose(PIPELINE, **asked)
