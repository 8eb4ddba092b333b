"""Names that lead elsewhere, over every address of the API (S01, S02, S27)."""

import asyncio
import re
from urllib.parse import quote

import httpx
import pytest

from imageloom.app import Engine

from .conftest import HOME
from .made_run import made_run

CANARY = "the canary sings"
SECRET = "canary.txt"
TRAVERSALS = [
    "../{0}", "../../{0}", "../../../../../../{0}", "..\\{0}", "..\\..\\{0}", "....//{0}",
    "....\\/{0}", "..;/{0}", "..;x=1/{0}", "%2e%2e/{0}", "%2e%2e%2f{0}", "..%2f{0}", "..%5c{0}",
    "%252e%252e%252f{0}", "..%252f{0}", "%c0%ae%c0%ae/{0}", "..%c0%af{0}", "%e0%80%ae%e0%80%ae/{0}",
    "..%00/{0}", "{0}%00", "{0}%00.png", "./{0}", "././../{0}", "x/../../{0}", "x/../{0}",
    "{root}/{0}", "/{root}/{0}", "//{root}/{0}", "file://{root}/{0}", "file:{root}/{0}",
    "dbfs:/{root}/{0}", "\\\\server\\share\\{0}", "\\\\?\\C:\\{0}", "C:\\{0}", "C:/{0}", "c:{0}",
    "CON", "NUL", "nul.txt", "COM1", "LPT1.txt", "{0}.", "{0} ", ".{0}", "~/{0}", "~root/{0}",
    "$HOME/{0}", "`cat {0}`", "$(cat {0})", "; cat {0}", "| cat {0}", "-rf", "--help", "*", "?",
    "[a]", "{0}?x", "{0}#x", "\u2025/{0}", "\uff0e\uff0e/{0}", "\u2215{0}", "a\nb", "a\rb",
    "\x1b[31m", "..", ".", "...", " ", "\u202egpj.{0}", "x" * 5_000, "é" * 300, "last", "0" * 64,
]  # fmt: skip


@pytest.fixture
def outside(tmp_path):
    """A folder beside the roots and the workspace, with a file that nobody may see or touch."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / SECRET).write_text(CANARY)
    (tmp_path / SECRET).write_text(CANARY)
    return folder


@pytest.fixture
def run(studio):
    """A run that completed, so that what lies behind a node's name is looked for."""
    return made_run(studio)


def everything(folder):
    """Every file below a folder, with its size, but for what engines keep for themselves."""
    skipped = re.compile(r"database|/store/|\.lock$|/trash")
    return {
        str(path.relative_to(folder)): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and not skipped.search(str(path))
    }


def payloads(tmp_path):
    root = str(tmp_path).strip("/")
    return [text.replace("{0}", SECRET).replace("{root}", root) for text in TRAVERSALS]


def test_the_corpus_is_large_enough():
    assert len(set(TRAVERSALS)) >= 60


@pytest.mark.slow
def test_no_part_of_an_address_leads_out(page, studio, run, outside, tmp_path):
    before = everything(tmp_path)
    known = {"run_id": run.id, "node": "a", "label": "worker"}
    addresses = list(addresses_with(known, payloads(tmp_path), page.get("/api/openapi.json")))
    assert len(addresses) > 60 * 20
    # Thousands of them, so that each goes through the application in one thread.
    asyncio.run(ask_for_all(page, run, addresses))
    assert everything(tmp_path) == before


def addresses_with(known, texts, description):
    """Yield methods and addresses of the API with a text in one place, and the text."""
    for path, methods in description.json()["paths"].items():
        for parameter in re.findall(r"{(\w+)}", path):
            for text in texts:
                if text in (".", ".."):
                    continue  # the client takes them away itself; the next test sends them
                values = {name: known.get(name, "x") for name in re.findall(r"{(\w+)}", path)}
                for value in {quote(text, safe=""), quote(text, safe="%/;=")}:
                    address = path.format(**{**values, parameter: value})
                    for method in methods:
                        if "events" not in path:
                            yield method.upper(), address, text


async def ask_for_all(page, run, addresses):
    for method, address, text in addresses:
        url = httpx.URL(f"{HOME}{address}")
        status, kind, body = await answer_to(page, url.path, url.raw_path, method=method)
        assert status in (200, 303, 404, 405, 412, 415, 422, 428), address
        assert CANARY not in body, address
        assert status != 200 or kind.startswith("text/html") or text == run.id, address


def test_points_that_a_client_leaves_in_an_address_lead_nowhere(page, studio, run, outside):
    """Asked below the client, which would take them out."""
    for path in ("/api/runs/..", "/api/runs/../..", "/api/pipelines/.", "/../outside/canary.txt"):
        status, _, body = asyncio.run(answer_to(page, path, path.encode()))
        assert status == (404 if "api/runs" in path or "pipelines" in path else 200), path
        assert CANARY not in body


async def answer_to(page, path, raw_path, *, method="GET"):
    """Return status, kind of content and body of the answer to this very path."""
    sent = []

    asked = [{"type": "http.request", "body": b"{}", "more_body": False}]

    async def receive():
        if asked:
            return asked.pop()
        return await asyncio.Event().wait()  # the client stays until it is answered

    async def send(message):
        sent.append(message)

    headers = [(name.lower().encode(), value.encode()) for name, value in page.headers.items()]
    cookie = "; ".join(f"{name}={value}" for name, value in page.cookies.items())
    more = {b"host": b"127.0.0.1:8460", b"cookie": cookie.encode(), b"content-length": b"2"}
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": raw_path,
        "query_string": b"",
        "headers": [*headers, *more.items()],
        "server": ("127.0.0.1", 8460),
        "client": ("127.0.0.1", 1),
        "scheme": "http",
        "state": {},
    }
    await page.app(scope, receive, send)
    (kind,) = [value for name, value in sent[0]["headers"] if name == b"content-type"]
    body = b"".join(one.get("body", b"") for one in sent[1:])
    return sent[0]["status"], kind.decode(), body.decode()


@pytest.mark.slow
def test_no_query_or_name_in_json_leads_out(page, studio, run, outside, tmp_path):
    (studio.base / "pictures").mkdir()
    (studio.base / "link").symlink_to(outside)
    beside = tmp_path / f"{studio.base.name}-evil"
    beside.mkdir()
    (beside / SECRET).write_text(CANARY)
    before = everything(tmp_path)
    more = [str(outside / SECRET), str(outside), str(beside / SECRET), f"link/{SECRET}", "link"]
    for text in payloads(tmp_path) + more:
        place = page.get("/api/places", params={"path": text})
        assert place.status_code in (200, 404), text
        assert SECRET not in str(place.json().get("entries", "")), text
        for params in ({"path": text}, {"upload": text}):
            node = {"id": "data", "component": "dataset", "params": params}
            pipeline = {"format_version": 2, "kind": "pipeline", "name": text[:99], "nodes": [node]}
            answer = page.post("/api/check", json={"pipeline": pipeline})
            assert answer.status_code in (200, 422), text
            assert CANARY not in answer.text, text
        node = {"id": text[:99], "component": text, "params": {}}
        pipeline = {"format_version": 2, "kind": "pipeline", "name": "x", "nodes": [node]}
        answer = page.post("/api/runs", json={"pipeline": pipeline, "only": [text]})
        assert answer.status_code in (404, 422), text
    assert everything(tmp_path) == before


def test_a_pipeline_reads_nothing_outside_the_roots_not_even_over_a_link(
    page, studio, outside, monkeypatch
):
    """What would start is noted down instead: nothing may get so far."""
    begun = []
    monkeypatch.setattr(Engine, "start", lambda _self, run: begun.append(run))
    (studio.base / "link").symlink_to(outside)
    for path in (str(outside), "../outside", "link", "link/.", f"link/{SECRET}"):
        node = {"id": "data", "component": "dataset", "params": {"path": path}}
        pipeline = {"format_version": 2, "kind": "pipeline", "name": "x", "nodes": [node]}
        answer = page.post("/api/runs", json={"pipeline": pipeline})
        assert (answer.status_code, answer.json()["error"]["reason"]) == (404, "outside-roots")
    assert begun == []
