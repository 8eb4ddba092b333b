"""What holds over the whole package: directions of import, late imports, and what never occurs."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from package_shape import FILES, PACKAGE, tree_of

import imageloom
from imageloom.cli.root import LazyGroup, root

HEAVY = ("torch", "torchvision", "pyarrow", "numpy", "PIL", "sklearn", "timm")

BANNED_MODULES = {
    "pickle": "runs code when it loads",
    "_pickle": "runs code when it loads",
    "cPickle": "runs code when it loads",
    "dill": "runs code when it loads",
    "cloudpickle": "runs code when it loads",
    "joblib": "runs code when it loads",
    "shelve": "is pickle",
    "marshal": "runs code when it loads",
}
BANNED_CALLS = {
    "eval": "runs text as code",
    "exec": "runs text as code",
    "compile": "runs text as code",
    "__import__": "imports by a computed name",
    "os.system": "goes through a shell",
    "os.popen": "goes through a shell",
    "torch.load": "unpickles",
    "torch.jit.load": "runs code of the file",
    "torch.export.load": "runs code of the file",
    "torch.hub.load": "runs code of a repository",
    "yaml.load": "makes any object",
    "yaml.unsafe_load": "makes any object",
    "importlib.import_module": "imports by a computed name",
    "Image.open": "opens any format, without a limit",
    "PIL.Image.open": "opens any format, without a limit",
    "tempfile.mktemp": "names a file that a stranger can make first",
    "shutil.unpack_archive": "writes wherever the archive says",
}
BANNED_METHODS = {"extractall": "writes wherever the archive says"}
ALLOWED = {
    "importlib.import_module": {"registry.py"},
    "Image.open": {"data/decoding/decode.py"},
    # The one wrapper that reads published .pth files, weights only.
    "torch.load": {"models/torch_file.py"},
    # What was written a moment before, to compare it with the model.
    "torch.export.load": {"exporting/formats/pt2.py"},
}


@cache
def calls(tree: ast.AST) -> list[tuple[ast.Call, str]]:
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [(node, ast.unparse(node.func)) for node in nodes]


def problems_in(tree: ast.Module, name: str) -> list[str]:
    """Return what a file does that S05 of the security list bans."""
    return [*_banned_imports(tree), *_banned_calls(tree, name), *_banned_settings(tree)]


def _banned_imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            if name.split(".")[0] in BANNED_MODULES:
                yield f"line {node.lineno}: imports {name}, which {BANNED_MODULES[name]}"


def _banned_calls(tree: ast.AST, file: str) -> Iterator[str]:
    for node, name in calls(tree):
        method = name.rsplit(".", 1)[-1]
        if name in BANNED_CALLS and file not in ALLOWED.get(name, ()):
            yield f"line {node.lineno}: {name} {BANNED_CALLS[name]}"
        elif "." in name and method in BANNED_METHODS:
            yield f"line {node.lineno}: {name} {BANNED_METHODS[method]}"
        if name == "torch.load" and not _has_keyword(node, "weights_only", value=True):
            yield f"line {node.lineno}: torch.load without weights_only=True unpickles anything"


def _banned_settings(tree: ast.AST) -> Iterator[str]:
    for node, name in calls(tree):
        for keyword in ("shell", "allow_pickle"):
            if _has_keyword(node, keyword, value=True):
                yield f"line {node.lineno}: {name}({keyword}=True)"
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and "MAX_IMAGE_PIXELS" in ast.unparse(node.targets[0]):
            yield f"line {node.lineno}: changes Pillow's limit of pixels for everybody"


def _has_keyword(node: ast.Call, keyword: str, *, value: bool) -> bool:
    return any(
        one.arg == keyword and isinstance(one.value, ast.Constant) and one.value.value is value
        for one in node.keywords
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_s05_no_file_does_what_runs_code_from_data(file):
    name = file.relative_to(PACKAGE).as_posix()
    assert problems_in(tree_of(file), name) == []


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from pickle import loads",
        "import joblib",
        "import torch\ntorch.load(x)",
        "import torch\ntorch.load(x, weights_only=False)",
        "eval(text)",
        "exec(text)",
        "__import__(text)",
        "import importlib\nimportlib.import_module(name)",
        "archive.extractall(place)",
        "import os\nos.system(text)",
        "import subprocess\nsubprocess.run(text, shell=True)",
        "from PIL import Image\nImage.open(path)",
        "from PIL import Image\nImage.MAX_IMAGE_PIXELS = None",
        "import numpy as np\nnp.load(path, allow_pickle=True)",
    ],
)
def test_s05_the_test_itself_finds_each(line):
    assert problems_in(ast.parse(line), "x.py") != []


def test_only_the_command_line_prints():
    printing = [
        file.relative_to(PACKAGE).as_posix()
        for file in FILES
        for _, name in calls(tree_of(file))
        if name in ("print", "click.echo", "sys.stdout.write")
    ]
    assert [name for name in printing if not name.startswith("cli/")] == []


def test_the_import_contracts_hold(repository):
    script = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [str(script), "--no-cache"], cwd=repository, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def modules_after(code: str, python: str) -> set[str]:
    """Return which heavy packages a fresh process has loaded after running some code."""
    report = f"import sys; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [python, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def command_modules(group: LazyGroup) -> Iterator[str]:
    for entry in group.entries.values():
        if isinstance(entry, LazyGroup):
            yield from command_modules(entry)
        else:
            yield entry.module


@pytest.mark.parametrize(
    "code",
    [
        "import imageloom",
        "import imageloom.cli",
        "import imageloom.errors, imageloom.params, imageloom.files.publish, imageloom.events",
        "import imageloom; imageloom.TrainParams, imageloom.ModelParams, imageloom.ConvertParams",
        "import imageloom; imageloom.SplitParams, imageloom.ScoreParams",
        "from imageloom.cli.root import run; run(['--help'])",
        "from imageloom.cli.root import run; run(['--version'])",
        "from imageloom.cli.root import run; run(['train', '--help'])",
    ],
)
def test_what_people_do_first_loads_nothing_heavy(code, python):
    assert modules_after(code, python) == set()


COMMANDS = sorted(command_modules(root))
# What every command imports is imported once, the rest in a process for each.
EACH_COMMAND = f"""
import importlib, os, sys
import imageloom.cli.call, imageloom.params
for module in sys.argv[1:]:
    if child := os.fork():
        os.waitpid(child, 0)
        continue
    importlib.import_module(module)
    print(module, *[one for one in {HEAVY!r} if one in sys.modules], flush=True)
    os._exit(0)
"""


@pytest.fixture(scope="module")
def loaded_by_commands() -> dict[str, list[str]]:
    """Which heavy packages are loaded when a command is declared; not those that cannot be."""
    done = subprocess.run(
        [sys.executable, "-c", EACH_COMMAND, *COMMANDS], capture_output=True, text=True, check=True
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    return {module: heavy for module, *heavy in lines}


@pytest.mark.parametrize("module", COMMANDS)
def test_declaring_a_command_loads_nothing_heavy(module, loaded_by_commands):
    assert loaded_by_commands[module] == []


def test_the_public_names_are_sorted_and_each_is_there():
    assert imageloom.__all__ == sorted(imageloom.__all__)
    for name in imageloom.__all__:
        assert getattr(imageloom, name) is not None, name
    assert set(imageloom.__all__) <= set(dir(imageloom))


def test_no_module_takes_the_place_of_a_public_name(repository):
    beside = {path.stem for path in (repository / "src" / "imageloom").iterdir()}
    assert beside & set(imageloom.__all__) <= {"errors"}  # which is that module


def test_type_checkers_see_the_same_public_names():
    block = next(
        node for node in tree_of(Path(imageloom.__file__)).body if isinstance(node, ast.If)
    )
    checked = {
        (alias.name, node.module)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert checked == set(imageloom._HOMES.items())
    assert {name for name, _ in checked} | {"__version__", "errors"} == set(imageloom.__all__)


def test_an_unknown_public_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'imageloom' has no attribute 'fit'"):
        imageloom.fit  # noqa: B018 - the access is the test


def test_the_version_is_that_of_the_installed_package():
    from importlib import metadata

    assert imageloom.__version__ == metadata.version("imageloom")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_every_file_says_its_purpose_in_a_sentence(file):
    purpose = (ast.get_docstring(tree_of(file)) or "").split("\n\n")[0]
    assert purpose.endswith((".", "::", ":", "?")), f"{file.name}: {purpose!r}"
    assert file.stem not in {"utils", "common", "helpers", "misc"}
