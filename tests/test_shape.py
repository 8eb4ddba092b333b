"""The shape of the package, as decision 0016 has it."""

import re
from pathlib import Path

import package_shape as shape
import pytest

MAX_TOP_LEVEL_MODULES = 14
MAX_OVER_LIMITS_PER_100 = 0.5
CONTRIBUTING = Path(__file__).parents[1] / "CONTRIBUTING.md"


def test_few_modules_stand_beside_the_folders():
    assert len(shape.top_level_modules()) <= MAX_TOP_LEVEL_MODULES


@pytest.mark.slow
def test_few_functions_are_over_the_limits():
    found = shape.over_limits()
    assert shape.over_limits_per_100() <= MAX_OVER_LIMITS_PER_100, found


def test_no_modules_import_each_other():
    assert shape.largest_cycle() == []


def test_a_cycle_would_be_found(monkeypatch):
    monkeypatch.setattr(shape, "imports", lambda: {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})
    assert shape.largest_cycle() == ["a", "b", "c"]


def test_everything_public_is_documented():
    assert shape.undocumented() == []


def test_no_two_public_classes_have_one_name():
    assert shape.shared_names() == {}


def test_the_tree_in_contributing_is_the_tree_on_disk():
    tree = re.search(r"```\nsrc/imageloom/\n(.*?)\ntests/", CONTRIBUTING.read_text(), re.DOTALL)
    assert tree is not None
    written = set(re.findall(r"[a-z_]+(?:\.py|/)", tree[1]))
    top = {f"{one.name}/" for one in shape.PACKAGE.iterdir() if (one / "__init__.py").exists()}
    files = {name for name in shape.top_level_modules() if not name.startswith("__")}
    below = {f"{one.parent.name}/" for one in shape.PACKAGE.glob("*/*/__init__.py")}
    assert top | files <= written
    assert written <= top | files | below | {
        f"{one.parent.name}/" for one in shape.PACKAGE.glob("*/*/*/__init__.py")
    }
