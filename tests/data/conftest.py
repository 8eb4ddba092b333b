# ruff: noqa: PTH103, PTH118, PTH120, PTH123 - file names are bytes, which pathlib cannot hold
import contextlib
import hashlib
import os
import stat

import pytest

from imageloom.data.convert import list_source
from imageloom.data.params import ConvertParams
from imageloom.data.sources.kind import find_source
from imageloom.events import Control


class Tree:
    """A folder of user files. After the test it must be exactly as the test made it (N1)."""

    def __init__(self, root):
        self.root = root
        self._sealed = None

    def write(self, files):
        """Write files by their paths (text or bytes); None makes an empty folder."""
        for name, content in files.items():
            path = os.path.join(os.fsencode(self.root), os.fsencode(name))
            os.makedirs(path if content is None else os.path.dirname(path), exist_ok=True)
            if content is not None:
                with open(path, "wb") as file:
                    file.write(content)
        return self.root

    def snapshot(self):
        found = {}
        for folder, _, names in os.walk(os.fsencode(self.root)):
            for name in [b".", *names]:
                path = os.path.join(folder, name)
                status = os.lstat(path)
                content = b""
                if stat.S_ISREG(status.st_mode):
                    with contextlib.suppress(PermissionError), open(path, "rb") as file:
                        content = file.read()
                found[path] = (status.st_mode, status.st_mtime_ns, hashlib.sha256(content).digest())
        return found


@pytest.fixture
def tree(tmp_path):
    """A source of pictures; see ``sealed``."""
    root = tmp_path / "source"
    root.mkdir()
    return Tree(root)


@pytest.fixture
def sealed(tree):
    """A context in which the source must not change by a byte, a name, a mode or a time."""

    @contextlib.contextmanager
    def seal():
        before = tree.snapshot()
        yield
        assert tree.snapshot() == before

    return seal


@pytest.fixture
def listed(tree, sealed):
    """Write files, and list the one of a name as a conversion would."""

    def run(files, name, **params):
        root = tree.write(files)
        with sealed():
            return list_source(find_source(root / name), ConvertParams(**params), control=Control())

    return run
