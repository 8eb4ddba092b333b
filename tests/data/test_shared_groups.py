"""Groups whose pictures come into several parts make figures too good, so they are told."""

import pytest

from imageloom.data.images.check import compare
from imageloom.data.images.findings import notices_on
from imageloom.data.images.shared_groups import notice_on_shared_groups, shared_groups
from imageloom.data.images.split import split
from imageloom.data.params import SplitParams

from .made_index import images_of

ANIMALS = [f"animal {number // 4}" for number in range(40)]


def test_a_split_that_tears_groups_says_how_many_and_what_keeps_them():
    images = images_of(["a"] * 20 + ["b"] * 20, groups=ANIMALS)
    first, second = split(images, SplitParams(fraction=0.5))
    both = set(groups_of(first)) & set(groups_of(second))
    (notice,) = first.notices
    assert notice.startswith(f"{len(both)} of 10 groups are torn between the parts: 'animal ")
    assert notice.endswith("Keep groups together with --by-group.")
    assert second.notices == first.notices


@pytest.mark.parametrize("groups", [ANIMALS, None])
def test_a_split_that_tears_no_group_says_nothing(groups):
    images = images_of(["a"] * 20 + ["b"] * 20, groups=groups)
    for part in split(images, SplitParams(fraction=0.5, by_group=groups is not None)):
        assert not any("torn" in notice for notice in part.notices)


def test_pictures_without_a_group_are_no_group_that_is_torn():
    images = images_of(["a"] * 20, groups=[None] * 19 + ["x"])
    for part in split(images, SplitParams(fraction=0.5)):
        assert not any("torn" in notice for notice in part.notices)


def test_validation_pictures_of_groups_that_training_has_are_counted():
    training = images_of(["a"] * 4, groups=["x", "x", "y", None])
    validation = images_of(["a"] * 4, groups=["y", "x", None, "z"], contents="pqrs")
    assert shared_groups(training, validation) == ["y", "x"]
    assert compare(training, validation).groups == ("y", "x")
    (notice,) = notice_on_shared_groups(training, validation)
    assert notice.startswith(
        "2 of 4 validation pictures (50 %) are of 2 groups that training has too: 'y', 'x'. "
    )
    assert list(notice_on_shared_groups(images_of(["a"]), images_of(["a"]))) == []


def test_groups_that_look_the_same_and_pictures_without_one_are_told_at_conversion():
    groups = ["Tier 1", "tier 1", "K\u00e4fer", "Ka\u0308fer", "Tier  2", "Tier 2", "3", None]
    twins, *rest = reversed(notices_on(images_of(["a"] * 8, groups=groups)))
    assert twins == (
        "3 groups have several spellings, which a split takes for different groups: 'Tier 1' and "
        "'tier 1', 'K\u00e4fer' and 'Ka\u0308fer', 'Tier  2' and 'Tier 2'."
    )
    (without,) = rest
    assert without.startswith("1 picture has no group: a split takes each for a group of its own")
    assert notices_on(images_of(["a"] * 2, groups=["x", "y"])) == ()
    assert notices_on(images_of(["a"] * 2)) == ()


def groups_of(images):
    return images.index.column("group").to_pylist()
