"""Files of users reach a browser encoded anew, or to be saved, and never to be run (S12)."""

import base64
import io
import re

import pytest
from fastapi.responses import FileResponse, StreamingResponse
from PIL import Image

from imageloom.errors import CannotResumeError
from imageloom.files.series.names import SERIES_FOLDER, SeriesName
from imageloom.files.series.writer import SeriesWriter
from imageloom.server.app import page_folder
from imageloom.spec.job import LOG_FILE

from .conftest import all_operations
from .made_run import made_run

SCRIPT = b"<script>window.ran=1</script>"
PICTURES = {
    "/api/thumbnails/{name}",
    "/api/maps/{name}",
    "/api/runs/{run_id}/nodes/{node}/pictures/{row}/thumbnail",
    "/api/runs/{run_id}/nodes/{node}/images/{port}/pictures/{row}/thumbnail",
}
TO_SAVE = {
    "/api/runs/{run_id}/nodes/{node}/logs/{label}/file",
    "/api/runs/{run_id}/nodes/{node}/series/file",
    "/api/runs/{run_id}/nodes/{node}/model-card/file",
}
REPORTS = {"/api/runs/{run_id}/report", "/api/runs/{run_id}/nodes/{node}/report"}


def test_every_route_that_sends_a_file_is_one_of_these(app):
    sent = {
        path
        for _, path, route in all_operations(app)
        if isinstance(getattr(route, "response_class", None), type)
        and issubclass(route.response_class, (FileResponse, StreamingResponse))
        and route.response_class.media_type != "text/event-stream"
    }
    assert sent == PICTURES | TO_SAVE | REPORTS


def require_to_save(answer):
    """The answer is saved by a browser; one that opens it anyway lets nothing in it run."""
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "allow-" not in answer.headers["content-security-policy"]
    assert not answer.headers["content-type"].startswith(("text/html", "image/"))


def test_a_log_and_curves_are_saved_and_not_shown(page, studio):
    run = made_run(studio)
    folder = run.node_folder("a")
    (folder / LOG_FILE).parent.mkdir(parents=True)
    (folder / LOG_FILE).write_bytes(SCRIPT)
    name = SeriesName(SCRIPT.decode(), "<b>", "step")
    with SeriesWriter(folder / SERIES_FOLDER, [name], rank=0, error=CannotResumeError) as writer:
        writer.append({name: 1.0}, step=1, epoch=1.0)
    address = f"/api/runs/{run.id}/nodes/a"
    log = page.get(f"{address}/logs/worker/file")
    require_to_save(log)
    assert log.content == SCRIPT
    require_to_save(page.get(f"{address}/series/file"))


def test_a_report_runs_in_a_place_without_the_studios_origin(page, studio):
    run = made_run(studio)
    run.report.write_bytes(SCRIPT)
    answer = page.get(f"/api/runs/{run.id}/report")
    policy = dict(
        one.strip().partition(" ")[::2]
        for one in answer.headers["content-security-policy"].split(";")
    )
    assert policy["sandbox"] == "allow-scripts", "and not allow-same-origin"
    assert policy["default-src"] == "'none'"
    assert "connect-src" not in policy
    assert "form-action" not in policy or policy["form-action"] == "'none'"


def hostile_pictures(folder):
    """A picture with scripts in all it can carry, one with a script behind it, and none."""
    (folder / "a").mkdir(parents=True)
    (folder / "b").mkdir()
    exif = Image.Exif()
    exif[0x010E] = SCRIPT.decode()
    picture = Image.new("RGB", (64, 48), "red")
    picture.save(folder / "a" / "exif.jpg", exif=exif, comment=SCRIPT, icc_profile=SCRIPT * 10)
    content = io.BytesIO()
    picture.save(content, "PNG")
    (folder / "b" / "behind.png").write_bytes(content.getvalue() + SCRIPT)
    svg = b'<svg xmlns="http://www.w3.org/2000/svg">' + SCRIPT + b"</svg>"
    for name in ("x.svg", "x.html", "x.pdf", "svg.png", "html.jpg"):
        (folder / "a" / name).write_bytes(svg if "svg" in name else b"<!doctype html>" + SCRIPT)
    return folder


@pytest.mark.processes
def test_a_picture_is_encoded_anew_and_what_is_none_is_not_sent(page, studio):
    hostile_pictures(studio.base / "photos")
    answer = page.get("/api/places/description", params={"path": "photos"}).json()
    shown = [one for found in answer["classes"] for one in found["samples"]]
    addresses = {one["file"]: one["thumbnail"] for one in shown}
    sent = {name for name, address in addresses.items() if address is not None}
    assert {name.rpartition("/")[2] for name in sent} == {"exif.jpg", "behind.png"}, addresses
    for name in sent:
        picture = page.get(addresses[name])
        assert picture.headers["content-type"] == "image/jpeg"
        assert picture.headers["x-content-type-options"] == "nosniff"
        assert SCRIPT not in picture.content
        assert b"script" not in picture.content
        opened = Image.open(io.BytesIO(picture.content))
        assert (opened.format, dict(opened.getexif())) == ("JPEG", {})
        assert "icc_profile" not in opened.info


def test_no_file_of_a_folder_has_an_address_of_its_own(page, studio):
    (studio.base / "x.html").write_bytes(SCRIPT)
    (studio.base / "x.svg").write_bytes(SCRIPT)
    for address in ("/x.html", "/base/x.html", "/api/places/x.svg", "/assets/x.svg"):
        answer = page.get(address)
        assert SCRIPT not in answer.content, address
    text = base64.b64encode(SCRIPT)
    assert text not in page.get("/api/places").content


def test_every_component_that_the_built_page_has_brought_its_styles():
    """The page takes Mantine's styles component by component; its classes are ``m_`` and digits."""
    assets = page_folder() / "assets"
    if not assets.is_dir():
        pytest.skip("the page is not built: make page")
    asked, styled = (
        {
            name
            for file in assets.glob(f"*.{kind}")
            for name in re.findall(r"m_[0-9a-f]{6,8}", file.read_text(encoding="utf-8"))
        }
        for kind in ("js", "css")
    )
    assert len(asked) > 50
    assert asked <= styled
