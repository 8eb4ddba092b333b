"""The shape of the package in numbers: ``python tests/plugins/package_shape.py``.

``tests/test_shape.py`` holds them.
"""

import ast
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import imageloom

PACKAGE = Path(imageloom.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
# What pyproject.toml sets for ruff: branches, parameters, statements.
LIMITS = "C901,PLR0913,PLR0915"


@cache
def tree_of(file: Path) -> ast.Module:
    """Return what a file says; all who ask get the same tree."""
    return ast.parse(file.read_text(encoding="utf-8"))


@cache
def trees() -> dict[str, ast.Module]:
    """Return what each module says."""
    return {_module(file): tree_of(file) for file in FILES}


def _module(file: Path) -> str:
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return ".".join((PACKAGE.name, *parts)).removesuffix(".__init__")


def top_level_modules() -> list[str]:
    """Return the files beside the folders."""
    return sorted(file.name for file in PACKAGE.glob("*.py"))


def num_lines() -> int:
    """Return the lines of all files."""
    return sum(len(file.read_bytes().splitlines()) for file in FILES)


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Yield every function and method with its module."""
    for module, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield module, node


def over_limits() -> list[str]:
    """Return where a function is over the limits, also where a comment allows it."""
    ruff = Path(sys.executable).with_name("ruff")
    found = subprocess.run(
        [ruff, "check", PACKAGE, "--ignore-noqa", "--select", LIMITS, "--output-format", "json"],
        cwd=PACKAGE.parents[1],
        capture_output=True,
        check=False,
    )
    return sorted(
        f"{Path(one['filename']).relative_to(PACKAGE)}:{one['location']['row']} {one['message']}"
        for one in json.loads(found.stdout)
    )


def undocumented() -> list[str]:
    """Return public functions, methods and classes without a docstring.

    Not those inside of functions, nor methods of private classes, nor ``__init__``, whose
    parameters the class documents.
    """
    missing = []
    for module, tree in trees().items():
        for owner in (tree, *(node for node in tree.body if _is_public_class(node))):
            for node in owner.body:  # type: ignore[attr-defined]
                if (
                    isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
                    and not node.name.startswith("_")
                    and ast.get_docstring(node) is None
                ):
                    missing.append(f"{module}.{node.name}")
    return missing


def _is_public_class(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef) and not node.name.startswith("_")


def shared_names() -> dict[str, list[str]]:
    """Return public classes of one name that stand in several modules."""
    homes = defaultdict(list)
    for module, tree in trees().items():
        for node in tree.body:
            if _is_public_class(node):
                homes[node.name].append(module)  # type: ignore[attr-defined]
    return {name: modules for name, modules in homes.items() if len(modules) > 1}


def imports() -> dict[str, set[str]]:
    """Return what each module imports when it is imported itself."""
    return {module: set(_imported(tree.body)) & trees().keys() for module, tree in trees().items()}


def _imported(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.unparse(node.test):
            yield from _imported([*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            yield from _imported([*node.body, *node.orelse, *node.finalbody])


def largest_cycle() -> list[str]:
    """Return the largest set of modules that import each other (Tarjan 1972), or none."""
    graph, order, low = imports(), {}, {}
    stack: list[str] = []
    largest: list[str] = []

    def visit(module: str) -> None:
        nonlocal largest
        order[module] = low[module] = len(order)
        stack.append(module)
        # A package runs before what is in it, and imports of its own content are no cycle.
        for other in graph[module]:
            if other.startswith(f"{module}.") or module.startswith(f"{other}."):
                continue
            if other not in order:
                visit(other)
            if other in stack:
                low[module] = min(low[module], low[other])
        if low[module] == order[module]:
            at = stack.index(module)
            component = stack[at:]
            del stack[at:]
            largest = max(largest, component, key=len)

    for module in graph:
        if module not in order:
            visit(module)
    return sorted(largest) if len(largest) > 1 else []


def over_limits_per_100() -> float:
    """Return how many of a hundred functions are over the limits."""
    return 100 * len(over_limits()) / sum(1 for _ in functions())


if __name__ == "__main__":
    sys.setrecursionlimit(10_000)
    sys.stdout.write(
        f"modules at the top          {len(top_level_modules())}\n"
        f"lines                       {num_lines():,} in {len(FILES)} files\n"
        f"functions over limits       {over_limits_per_100():.2f} per 100\n"
        f"largest import cycle        {largest_cycle() or 'none'}\n"
        f"public without a docstring  {undocumented() or 'none'}\n"
        f"public classes of one name  {shared_names() or 'none'}\n"
    )
