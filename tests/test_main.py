"""Ctrl+C before a command works ends it with one line, wherever Python is at that moment."""

import subprocess

import pytest

# Runs what the script runs; when the named module is imported, a person presses Ctrl+C.
PRESS = """
import os, signal, sys

class Press:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[-1]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Press())
{before}
from imageloom.__main__ import main
sys.argv = ["imageloom", "runs", "list", sys.argv[-1]]
main()
"""


def press(python, module, before=""):
    command = [python, "-c", PRESS.format(before=before), module]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("module", ["click", "imageloom.cli.runs.list", "rich.table"])
def test_ctrl_c_while_python_imports_is_one_line(python, module):
    done = press(python, module)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Stopped by Ctrl+C.\n")


@pytest.mark.slow
def test_ctrl_c_that_the_caller_ignores_stays_ignored(python):
    done = press(python, "click", "signal.signal(signal.SIGINT, signal.SIG_IGN)")
    assert (done.returncode, done.stderr) == (0, "")
