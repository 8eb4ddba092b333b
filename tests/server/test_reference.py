"""The reference of the API."""

import json
import re
from pathlib import Path

from imageloom.cli.reference.api import api_description


def test_every_address_and_form_of_the_api_stands_in_the_reference(page):
    text = page.get("/docs").text
    description = page.get("/api/openapi.json").json()
    for path in description["paths"]:
        assert f"</span>{path}</h3>" in text
    for name in description["components"]["schemas"]:
        assert f"id='{name}'" in text
    links = set(re.findall(r"href='#([^']+)'", text))
    assert links <= set(re.findall(r"id='([^']+)'", text))


def test_the_reference_says_what_each_attribute_is(page):
    text = page.get("/docs").text
    assert "Folder that relative paths in parameters start from." in text
    assert "<script" not in text


def test_the_page_is_built_from_what_the_api_is():
    file = Path(__file__).parents[2] / "web" / "openapi.json"
    assert json.loads(file.read_text(encoding="utf-8")) == api_description(), "run 'make docs'"
