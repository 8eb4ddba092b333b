"""Forms, as httpx and curl write them."""

import httpx
import pytest

from imageloom.errors import InvalidRequestError
from imageloom.serving.multipart import files_of

HARD = b"\r\n--\r\n--x\r\n\r\n" + bytes(range(256)) + b"\r\n"


def form(files, **fields):
    request = httpx.Request("POST", "http://a/", files=files, data=fields)
    return request.headers["content-type"], request.read()


def test_files_come_back_as_httpx_sent_them():
    sent = [("a", ("one.jpg", HARD, "image/jpeg")), ("b", ("zwei ü.png", b"", "image/png"))]
    found = files_of(*form(sent, note="is no file"))
    assert [one.content for one in found] == [HARD, b""]
    assert found[0].name == "one.jpg"


def test_what_curl_sends():
    body = (
        b'------7d\r\nContent-Disposition: form-data; name="image"; filename="x.jpg"\r\n'
        b"Content-Type: image/jpeg\r\n\r\nJPEG\r\n------7d--\r\n"
    )
    (found,) = files_of("multipart/form-data; boundary=----7d", body)
    assert (found.name, found.content) == ("x.jpg", b"JPEG")


@pytest.mark.parametrize(
    ("kind", "body", "says"),
    [
        ("multipart/form-data", b"", "names no boundary"),
        ("multipart/form-data; boundary=" + "x" * 71, b"", "names no boundary"),
        ("multipart/form-data; boundary=x", b"", "has no end"),
        ("multipart/form-data; boundary=x", b"--x\r\nA: b\r\n\r\nabc", "has no end"),
        ("multipart/form-data; boundary=x", b"--x--\r\n", "holds no file"),
        ("multipart/form-data; boundary=x", b"--x\r\nno end\r\n--x--", "without an end"),
        ("multipart/form-data; boundary=x", b"--x\r\n" + b"A" * 9000 + b"\r\n\r\n\r\n--x--", "end"),
        ("multipart/form-data; boundary=x", b"--x\r\nA: b\r\n\r\n" * 1_002, "more than 1,000"),
    ],
)
def test_what_is_no_form_is_refused(kind, body, says):
    with pytest.raises(InvalidRequestError, match=says):
        files_of(kind, body)
