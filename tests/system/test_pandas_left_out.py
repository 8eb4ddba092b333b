"""A process of ours imports no pandas, and pyarrow does in it what it does with pandas."""

import subprocess
import sys

import pytest

pytest.importorskip("pandas", reason="pyarrow imports it where it is installed")

LEAVE_OUT = """
import sys
from imageloom.system.pandas_left_out import leave_pandas_out
finders = list(sys.meta_path)
"""
ARRAYS = """
assert pc.add(pa.array([1, None]), 2).to_pylist() == [3, None]
assert pa.table({"a": ["x"]}).column("a").to_numpy()[0] == "x"
assert pa.array([[1.5], []]).flatten().to_numpy().tolist() == [1.5]
assert pa.array([float("nan")]).null_count == 0
"""
WITHOUT = """
import importlib.util
assert "pandas" not in sys.modules
assert importlib.util.find_spec("pandas") is not None
assert finders == sys.meta_path
assert type(pa.__loader__) is type(pa.__spec__.loader) is type(pc.__loader__)
frame = pa.table({"a": [1, 2]}).to_pandas()  # whoever wants it has it
assert type(frame) is sys.modules["pandas"].DataFrame
assert pa.array(frame["a"]).to_pylist() == [1, 2]
"""
BEFORE, AFTER = (
    "leave_pandas_out({})\nimport pyarrow as pa, pyarrow.compute as pc\n",
    ("import pyarrow as pa, pyarrow.compute as pc\nleave_pandas_out({})\n"),
)
# What may have pandas' values: a missing one is a null.
THERE = """
leave_pandas_out({})
import pyarrow as pa
assert pa.array(pd.Series([float("nan")])).null_count == 1
assert pa.array([pd.NaT, 1], from_pandas=True).null_count == 1
"""
OF_EXTENSIONS = """
leave_pandas_out({"IMAGELOOM_EXTENSIONS": "/folder"})
import pyarrow as pa
assert pa.array([1]).to_pylist() == [1]
import pandas as pd
"""
WORKS = """
import sys
sys.argv[1:] = ["data", "check", "none"]
from imageloom.__main__ import main
try:
    main()
except SystemExit as end:
    assert end.code == 1
from imageloom.data.images.index import index_from_rows
index_from_rows([])
assert "pandas" not in sys.modules
"""


def run(program):
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("leave_out", [BEFORE, AFTER])
def test_arrays_are_made_without_pandas_which_is_there_for_whoever_asks(leave_out):
    run(LEAVE_OUT + leave_out + ARRAYS + WITHOUT)


def test_pandas_that_is_there_stays_known():
    run(LEAVE_OUT + "import pandas as pd" + THERE)


def test_extensions_may_use_pandas():
    run(LEAVE_OUT + OF_EXTENSIONS + THERE)


def test_a_command_imports_no_pandas():
    run(WORKS)
