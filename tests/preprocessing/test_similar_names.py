"""Names that look the same are found, and the difference is named."""

import unicodedata

import pytest

from imageloom.errors import InvalidDatasetError, InvalidModelDirectoryError
from imageloom.preprocessing import (
    check_class_names,
    check_new_class_names,
    check_same_classes,
)
from imageloom.preprocessing.similar_names import difference, looks, quoted, shown

TWINS = {
    "outer space": ("ants", "ants ", "'ants' and 'ants ' differ only in white space"),
    "space before": ("ants", " ants", "'ants' and ' ants' differ only in white space"),
    "tab": ("ants", "ants\t", r"'ants\t' differ only in white space"),
    "no-break space": ("sea lion", "sea\u00a0lion", r"'sea\xa0lion' differ only in white space"),
    "double space": ("sea lion", "sea  lion", "'sea  lion' differ only in white space"),
    "ideographic space": ("ants", "ants\u3000", r"'ants\u3000' differ only in white space"),
    "inside a joined name": ("a/b", "a /b", "differ only in white space"),
    "zero-width space": ("ants", "an\u200bts", r"'an\u200bts' differ only in white space or char"),
    "soft hyphen": ("ants", "an\u00adts", r"'an\xadts' differ only in white space or characters"),
    "byte order mark": ("ants", "\ufeffants", r"'\ufeffants' differ only in white space or char"),
    "left-to-right mark": ("ants", "ants\u200e", "characters that nobody sees"),
    "variation selector": ("ants", "ants\ufe00", r"'ants\ufe00' differ only in white space or"),
    "Hangul filler": ("ants", "ants\u3164", r"'ants\u3164' differ only in white space or char"),
    "case as well": ("Ants", "ants ", "differ only in case and in white space"),
}


@pytest.mark.parametrize("kind", TWINS)
def test_classes_that_differ_in_what_nobody_sees_are_refused(kind):
    one, other, told = TWINS[kind]
    with pytest.raises(InvalidDatasetError) as refused:
        check_new_class_names(["bees", one, other])
    assert told in refused.value.message
    assert refused.value.reason == "twin-classes"
    assert refused.value.details["classes"] == [one, other]


@pytest.mark.parametrize("kind", [kind for kind in TWINS if kind != "case as well"])
def test_a_model_whose_classes_were_allowed_before_still_opens(kind):
    names = TWINS[kind][:2]
    assert check_class_names(names, InvalidModelDirectoryError) == names


@pytest.mark.parametrize("name", ["\u200b", "\u3164", "\u2800\u00ad"])
def test_b06_a_name_that_nobody_sees_is_refused(name):
    with pytest.raises(InvalidDatasetError, match="no character that can be seen"):
        check_new_class_names(["cat", name])


def test_b01_half_a_character_is_no_name_but_bytes_of_a_folder_are():
    check_new_class_names(["cat", "caf\udce9"])
    with pytest.raises(InvalidDatasetError, match=r"'c\\ud800' holds half a character"):
        check_new_class_names(["cat", "c\ud800"])


def test_b05_a_name_with_nul_is_refused():
    with pytest.raises(InvalidDatasetError, match="holds NUL"):
        check_new_class_names(["cat", "c\0"])


@pytest.mark.parametrize(
    ("name", "shown"),
    [(" bees", "' bees'"), ("sea\u00a0lion", r"'sea\xa0lion'"), ("a\u3164", r"'a\u3164'")],
)
def test_a_lone_name_with_white_space_is_taken_and_told(name, shown):
    (notice,) = check_new_class_names(["cat", name])
    assert notice.startswith("1 class name has white space or characters in it that nobody sees")
    assert shown in notice


@pytest.mark.parametrize("name", ["sea lion", "می\u200cرود", "👩\u200d🔬", "❤\ufe0f", "a/b", "é"])
def test_joiners_and_single_blanks_that_have_a_use_bring_no_notice(name):
    assert check_new_class_names(["cat", name]) == ()


@pytest.mark.parametrize(
    ("one", "other", "letter"),
    [
        ("cats", "c\u0430ts", "CYRILLIC SMALL LETTER A"),
        ("dog", "d\u03bfg", "GREEK SMALL LETTER OMICRON"),
        ("BMX", "\u0412MX", "CYRILLIC CAPITAL LETTER VE"),
        ("cats", "\uff43\uff41\uff54\uff53", "FULLWIDTH LATIN SMALL LETTER C"),
        ("cats", "\U0001d41cats", "MATHEMATICAL BOLD SMALL C"),
        ("Caf\u00e9", "\u0421af\u00e9", "CYRILLIC CAPITAL LETTER ES"),
        ("cats", "c\u0430ts ", "CYRILLIC SMALL LETTER A"),
    ],
)
def test_look_alikes_of_two_scripts_bring_a_notice_with_the_letter(one, other, letter):
    notices = check_new_class_names([one, other])
    assert any(
        quoted(one) in notice and quoted(other) in notice and letter in notice for notice in notices
    )


@pytest.mark.parametrize(
    "pair",
    [
        ("cats", "dogs"),
        ("m2", "m²"),
        ("кот", "пёс"),
        ("O", "0"),
        ("\u03a5\u0391", "\u03b3\u03b1"),  # both Greek: upsilon and gamma are told apart there
    ],
)
def test_names_that_look_different_bring_no_notice(pair):
    assert check_new_class_names(pair) == ()


def test_thousands_of_look_alikes_are_three_pairs_and_a_count():
    names = [f"{letter}{number}" for number in range(2000) for letter in "a\u0430"]
    (notice,) = check_new_class_names(names)
    assert notice.startswith("2,000 pairs of classes look alike")
    assert "and 1,997 more" in notice


def test_every_double_is_a_latin_letter_for_one_of_another_script():
    from imageloom.preprocessing.similar_names import _DOUBLES

    assert len(_DOUBLES) == 70
    for letter, double in _DOUBLES.items():
        assert unicodedata.name(chr(letter)).split()[0] in ("GREEK", "CYRILLIC")
        assert unicodedata.name(chr(double)).startswith("LATIN ")
        assert looks(chr(letter)) == chr(double).lower()


def test_different_class_lists_say_when_two_names_only_look_the_same():
    with pytest.raises(InvalidDatasetError, match=r"lack the class 'ants'.* 'ants '") as refused:
        check_same_classes(("ants", "bees"), ("ants ", "bees"), what="the validation pictures")
    assert "'ants' and 'ants ' differ only in white space" in refused.value.hint
    with pytest.raises(InvalidDatasetError, match="lack the class 'cats'") as refused:
        check_same_classes(("cats",), ("c\u0430ts",), what="the validation pictures")
    assert "CYRILLIC SMALL LETTER A" in refused.value.hint


def test_names_that_look_different_have_no_difference_to_name():
    assert difference("cat", "dog") is None
    assert difference("Cat", "cat") == "upper and lower case"
    assert difference("caf\u00e9", "cafe\u0301") == "their Unicode form (NFC and NFD)"


@pytest.mark.parametrize(
    ("name", "text"),
    [("sea lion", "sea lion"), ("ants ", "'ants '"), ("a\u200bb", r"'a\u200bb'"), ("й", "й")],
)
def test_a_table_quotes_only_names_in_which_something_is_not_seen(name, text):
    assert shown(name) == text
