"""A process of ours imports no pandas, and pyarrow does in it what it does with pandas."""

import subprocess
import sys

import pytest

pytest.importorskip("pandas", reason="pyarrow imports it where it is installed")

LEAVE_OUT = "from imageloom.system.pandas_left_out import leave_pandas_out\n"
ARRAYS = """
leave_pandas_out({})
import sys
import pyarrow as pa, pyarrow.compute as pc
assert pc.add(pa.array([1, None]), 2).to_pylist() == [3, None]
assert pa.table({"a": ["x"]}).column("a").to_numpy()[0] == "x"
assert pa.array([[1.5], []]).flatten().to_numpy().tolist() == [1.5]
assert pa.array([float("nan")]).null_count == 0
assert "pandas" not in sys.modules
"""
# What may have pandas' values: a missing one is a null.
THERE = """
import pyarrow as pa
assert pa.array(pd.Series([float("nan")])).null_count == 1
assert pa.array([pd.NaT, 1], from_pandas=True).null_count == 1
"""
IMPORTED = "import pandas as pd\nleave_pandas_out({})"
OF_EXTENSIONS = "leave_pandas_out({'IMAGELOOM_EXTENSIONS': '/folder'})\nimport pandas as pd"
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


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(LEAVE_OUT + ARRAYS, id="arrays are made without it"),
        pytest.param(LEAVE_OUT + IMPORTED + THERE, id="one that is there stays known"),
        pytest.param(LEAVE_OUT + OF_EXTENSIONS + THERE, id="extensions may use it"),
        pytest.param(WORKS, id="a command imports none"),
    ],
)
def test_pandas_is_left_out_of_processes_of_ours(program):
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
