import collections

from hypothesis import given
from hypothesis import strategies as st

from imageloom.data.images.duplicates import equal_groups

from .made_index import images_of


@given(st.lists(st.integers(0, 9), max_size=40), st.integers(0, 5))
def test_the_sets_are_those_that_a_dictionary_finds(contents, skipped):
    index = images_of(["a"] * len(contents), classes=["a"], contents=contents).index.slice(skipped)
    rows = collections.defaultdict(list)
    for row, content in enumerate(contents[skipped:]):
        rows[content].append(row)
    assert list(equal_groups(index)) == [same for same in rows.values() if len(same) > 1]
