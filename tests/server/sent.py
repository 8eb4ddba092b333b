"""A file that is sent as the page does it: announced, in parts, finished."""

import hashlib


def digest(content):
    return hashlib.sha256(content).hexdigest()


def begin(page, content, name="photos.zip"):
    answer = page.post("/api/uploads", json={"name": name, "size_bytes": len(content)})
    assert answer.status_code == 201, answer.text
    return answer.json()


def put(page, upload, offset, content, *, sha256=None):
    return page.put(
        f"/api/uploads/{upload['id']}/parts/{offset}",
        params={"sha256": sha256 or digest(content)},
        content=content,
        headers={"content-type": "application/octet-stream"},
    )


def put_all(page, upload, content, *, start=0, end=None):
    """Send the parts from one position to another, one after the other."""
    end, size = len(content) if end is None else end, upload["part_bytes"]
    for offset in range(start, end, size):
        answer = put(page, upload, offset, content[offset : offset + size])
        assert answer.status_code == 200, answer.text
        assert answer.json() == {"there": min(offset + size, len(content))}


def finish(page, upload):
    return page.post(f"/api/uploads/{upload['id']}/finish", json={})


def send(page, content, name="photos.zip"):
    """Send a whole file; return what became of it."""
    upload = begin(page, content, name)
    put_all(page, upload, content)
    answer = finish(page, upload)
    assert answer.status_code == 200, answer.text
    return answer.json()
