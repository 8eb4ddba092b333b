import contextlib
import importlib.machinery
import sys
import threading
import types
from multiprocessing import spawn, util

import pytest

from imageloom.data.loading.loader import BatchKey, PictureLoader, Reading
from imageloom.data.loading.user_code import user_code_left_out
from imageloom.preprocessing import Squash

# Only a main module with a path or a name can be imported again by other processes.
MAINS = {
    "a script": {"__file__": "script.py", "__spec__": None},
    "a script that is gone": {"__file__": "gone.py", "__spec__": None},
    "standard input": {"__file__": "<stdin>", "__spec__": None},
    "python -c, or a notebook": {"__spec__": None},
    "python -m": {"__spec__": importlib.machinery.ModuleSpec("raising_main", None)},
}


@pytest.fixture
def main(request, tmp_path, monkeypatch):
    """A main module that must not be imported again."""
    source = "raise RuntimeError('the main module was imported again')"
    (tmp_path / "script.py").write_text(source, encoding="utf-8")
    (tmp_path / "raising_main.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    module = types.ModuleType("__main__")
    vars(module).update(MAINS[request.param])
    if "__file__" in vars(module):
        module.__file__ = str(tmp_path / module.__file__)
    monkeypatch.setitem(sys.modules, "__main__", module)
    return module


def user_code():
    """What would run of the user's in a process that is started now."""
    sent = spawn.get_preparation_data("a process")
    folder = set() if "-P" in util._args_from_interpreter_flags() else {"folder"}
    return folder | {name for name in sent if "main" in name}


@pytest.mark.slow
@pytest.mark.parametrize("main", MAINS, indirect=True)
def test_readers_do_not_import_the_main_module(main, make_pictures):
    images = make_pictures(per_class=1)
    before = dict(vars(main))
    loader = PictureLoader(images, (Squash(size=8),), seed=1, reading=Reading(workers=1))
    with contextlib.closing(loader):
        for _ in range(2):  # the same readers serve each pass
            (batch,) = loader.batches([BatchKey(0, (0, 1, 2))])
            assert batch.labels_B.tolist() == [0, 1, 2]
    assert vars(main) == before


@pytest.mark.parametrize("main", ["a script"], indirect=True)
def test_processes_that_the_user_starts_are_as_ever(main):
    of_python, elsewhere = spawn.get_preparation_data, []
    as_ever = {"init_main_from_path", "folder"}
    with user_code_left_out():
        assert user_code() == set()
        other = threading.Thread(target=lambda: elsewhere.append(user_code()))
        other.start()
        other.join()
    assert elsewhere == [as_ever]
    assert user_code() == as_ever
    with contextlib.suppress(KeyboardInterrupt), user_code_left_out():
        raise KeyboardInterrupt
    assert spawn.get_preparation_data is of_python
