import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageloom.reports.charts import Markup, element, escape, join


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<b>", "&lt;b&gt;"),
        ("\"&'", "&quot;&amp;&#x27;"),
        ("line\nbreak", "line\\x0abreak"),
        ("nul\0", "nul\\x00"),
        ("\u202egpj.exe", "\\x202egpj.exe"),
        ("\ud800", "\\xd800"),
        ("café 👨‍👩‍👧", "café 👨‍👩‍👧"),
    ],
)
def test_text_is_shown_literally(text, shown):
    assert escape(text) == shown


def test_children_and_attributes_are_escaped_and_markup_is_not():
    inner = element("b", "<i>")
    assert element("td", inner, "<x>", title='"><script>') == (
        '<td title="&quot;&gt;&lt;script&gt;"><b>&lt;i&gt;</b>&lt;x&gt;</td>'
    )


def test_attribute_names_follow_python_names():
    made = element("line", class_="a", stroke_width=1.50, viewBox="0 0", x=None, y=2)
    assert made == '<line class="a" stroke-width="1.5" viewBox="0 0" y="2"></line>'


def test_void_elements_have_no_end():
    assert element("br") == "<br>"


def test_joined_text_is_escaped_too():
    assert join(["<", element("b"), ">"]) == "&lt;<b></b>&gt;"


@given(st.text())
def test_no_text_can_open_a_tag_or_leave_an_attribute(text):
    escaped = escape(text)
    assert isinstance(escaped, Markup)
    assert not set("<>\"'\n\0") & set(escaped)
