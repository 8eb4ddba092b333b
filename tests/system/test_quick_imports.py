import gc
import subprocess
import sys

import pytest

from imageloom.system.quick_imports import garbage_left_alone, imported_when_used

OF_TIMM = """
import sys
from imageloom.models.families.timm import find
find("timm/resnet18")
assert "wandb" not in sys.modules
from timm.utils import summary
from_timm = summary.wandb.init
import wandb
assert from_timm is wandb.init
"""


def test_garbage_is_looked_for_again_as_before():
    assert gc.isenabled()
    with garbage_left_alone():
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with garbage_left_alone():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.fixture
def dear(tmp_path, monkeypatch):
    """A module that notes down that it was imported."""
    (tmp_path / "dear_module.py").write_text(
        "import pathlib\npathlib.Path(__file__).with_name('imported').touch()\nPRICE = 7\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path / "imported"
    sys.modules.pop("dear_module", None)


def load_dear():
    import dear_module

    return dear_module


def test_what_is_asked_of_a_module_imports_it_and_not_before(dear):
    with imported_when_used("dear_module", load_dear):
        import dear_module as given
    assert not dear.exists()
    assert "dear_module" not in sys.modules
    assert given.PRICE == 7
    assert dear.exists()
    import dear_module as real

    assert given is not real
    assert real.PRICE == 7


def test_what_is_asked_inside_comes_from_the_module_too(dear):
    with imported_when_used("dear_module", load_dear):
        from dear_module import PRICE
    assert PRICE == 7
    assert sys.modules["dear_module"].PRICE == 7


def test_a_module_that_is_there_or_lacks_is_left_as_it_is(dear):
    import dear_module

    with imported_when_used("dear_module", load_dear):
        assert sys.modules["dear_module"] is dear_module
    with imported_when_used("no_such_module_here", load_dear), pytest.raises(ModuleNotFoundError):
        import no_such_module_here  # noqa: F401


@pytest.mark.slow
def test_timm_is_imported_without_wandb_and_finds_it_when_it_asks():
    done = subprocess.run(
        [sys.executable, "-c", OF_TIMM], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
