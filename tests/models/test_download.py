import hashlib
import http.server
import threading
import urllib.error

import pytest

from imageloom.errors import (
    FailedToDownloadFilesError,
    FailedToWriteOutputsError,
    RunInterruptedError,
)
from imageloom.events import CancelToken, Control, Progress
from imageloom.models.download import download

CONTENT = bytes(range(256)) * 4096  # 1 MiB
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/missing.pth":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[: len(CONTENT) // 2] if self.path == "/cut.pth" else CONTENT)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def site():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")


def left_in(folder):
    return [file.name for file in folder.rglob("*") if file.is_file()]


def test_a_file_arrives_whole_with_its_progress(site, tmp_path):
    events = []
    file = tmp_path / "new" / "w.pth"
    download(f"{site}/w.pth", file, sha256_prefix=SHA256[:8], control=Control(events.append))
    assert file.read_bytes() == CONTENT
    assert left_in(tmp_path) == ["w.pth"]
    assert events[-1] == Progress("Fetching w.pth", len(CONTENT), len(CONTENT), "bytes")
    assert [event.done for event in events] == sorted({event.done for event in events})


@pytest.mark.parametrize("name", ["w.pth", "cut.pth"])
def test_a_file_with_another_hash_never_appears(site, tmp_path, name):
    with pytest.raises(FailedToDownloadFilesError, match="SHA-256 does not start with 0000ffff"):
        download(f"{site}/{name}", tmp_path / "w.pth", sha256_prefix="0000ffff", control=Control())
    assert left_in(tmp_path) == []


def test_an_error_status_is_told(site, tmp_path):
    message = r"w\.pth could not be fetched from http://127\S+/missing\.pth: HTTP Error 404"
    with pytest.raises(FailedToDownloadFilesError, match=message):
        download(f"{site}/missing.pth", tmp_path / "w.pth", control=Control())
    assert left_in(tmp_path) == []


def test_e16_without_a_network_the_message_says_where_the_file_goes(tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise urllib.error.URLError("Temporary failure in name resolution")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    file = tmp_path / "checkpoints" / "w.pth"
    with pytest.raises(
        FailedToDownloadFilesError, match=r"example\.org/w\.pth: Temporary failure in name"
    ) as caught:
        download("https://example.org/w.pth", file, control=Control())
    assert f"put the file at {file}" in caught.value.hint
    assert caught.value.code == "0162"
    assert left_in(tmp_path) == []


def test_a_download_can_be_cancelled_and_leaves_nothing(site, tmp_path):
    cancel = CancelToken()
    with pytest.raises(RunInterruptedError, match="Stopped by Ctrl\\+C"):
        download(
            f"{site}/w.pth",
            tmp_path / "w.pth",
            control=Control(lambda _event: cancel.set("Ctrl+C"), cancel=cancel),
        )
    assert left_in(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_not_blamed_on_the_network(site, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FailedToWriteOutputsError, match="could not be written"):
        download(f"{site}/w.pth", tmp_path / "file" / "w.pth", control=Control())
