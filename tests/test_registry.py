"""The registry refuses what would hide a mistake."""

import pytest

from imageloom.errors import UnknownNameError
from imageloom.registry import Registry, import_attribute


def fruit() -> Registry[int]:
    registry: Registry[int] = Registry("fruit")
    for price, name in enumerate(("apple", "pear", "plum"), start=1):
        registry.declare(name, price)
    return registry


def test_items_come_in_order_of_declaration():
    registry = Registry("fruit")
    for name in ("pear", "apple"):
        registry.declare(name, name.upper())
    assert registry.names() == ("pear", "apple")
    assert list(registry) == ["PEAR", "APPLE"]


def test_declaring_a_name_twice_is_a_mistake_in_code():
    registry = fruit()
    with pytest.raises(ValueError, match="fruit 'apple' is declared twice"):
        registry.declare("apple", 9)
    assert registry.get("apple") == 1


def test_a_miss_names_the_nearest_and_all_known():
    with pytest.raises(UnknownNameError, match="no fruit called 'appel'") as caught:
        fruit().get("appel")
    assert caught.value.hint == "Did you mean apple? Known: apple, pear, plum."
    assert caught.value.details["known"] == ["apple", "pear", "plum"]


def test_a_miss_far_from_everything_suggests_nothing():
    with pytest.raises(UnknownNameError) as caught:
        fruit().get("xyzzy")
    assert caught.value.hint == "Known: apple, pear, plum."


def test_an_empty_registry_says_that_nothing_is_known():
    with pytest.raises(UnknownNameError) as caught:
        Registry("fruit").get("apple")
    assert caught.value.hint == "Known: none."


def test_membership_and_length():
    registry = fruit()
    assert "pear" in registry
    assert "fig" not in registry
    assert len(registry) == 3


def test_late_imports_reach_only_our_own_modules():
    assert import_attribute("imageloom.errors", "printable")("\t") == "\\x09"
    with pytest.raises(ValueError, match=r"'os.path' is not a module of imageloom"):
        import_attribute("os.path", "join")
    with pytest.raises(ValueError, match="not a module"):
        import_attribute("imageloom_evil", "join")
