"""The engine, its toys and their tests work where torch cannot be imported."""

import subprocess
from pathlib import Path

import pytest

WITHOUT_TORCH = """
import sys, pytest

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "torchvision"):
            raise ImportError(f"{name} is refused by this test")

sys.meta_path.insert(0, Refuse())
sys.exit(pytest.main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.processes
def test_a_pipeline_of_toys_runs_without_torch_and_all_tests_here_are_found(python):
    here = Path(__file__).parent
    words = ["-p", "no:cacheprovider", "-m", "not processes and not slow", "-k", "in_order_and"]
    command = [python, "-c", WITHOUT_TORCH, str(here), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert " 1 passed" in done.stdout
