"""A client of Open Inference v2 written from its text alone, by the standard library."""

import json
import struct
import urllib.error
import urllib.request

import numpy as np


class RefusedError(Exception):
    """A server gave another answer than the probabilities."""

    def __init__(self, status, content):
        super().__init__(f"{status}: {content!r}")
        self.status = status
        self.answer = json.loads(content)


def ask(url, body=None, **headers):
    """Return status, headers and body of an answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, named), timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read()


def infer_body(tensor, raw, **more):
    """Return a request whose only tensor stands behind the JSON, and that JSON's length."""
    tensor = {**tensor, "parameters": {"binary_data_size": len(raw)}}
    header = json.dumps({"inputs": [tensor], **more}).encode()
    return header + raw, str(len(header))


def files_body(files, **more):
    raw = b"".join(struct.pack("<I", len(file)) + file for file in files)
    return infer_body({"name": "image", "shape": [len(files)], "datatype": "BYTES"}, raw, **more)


def infer(address, model, files):
    """Return the probabilities of some files, all in binary: float32 [N, K].

    Raises:
        RefusedError: with the status and the JSON of any other answer.
    """
    body, length = files_body(files, parameters={"binary_data_output": True})
    status, headers, content = ask(
        f"{address}v2/models/{model}/infer", body, Inference_Header_Content_Length=length
    )
    if status != 200:
        raise RefusedError(status, content)
    header_length = int(headers["Inference-Header-Content-Length"])
    outputs = {one["name"]: one for one in json.loads(content[:header_length])["outputs"]}
    found = outputs["probabilities"]
    size = found["parameters"]["binary_data_size"]
    raw = content[header_length : header_length + size]
    return np.frombuffer(raw, "<f4").reshape(found["shape"])
