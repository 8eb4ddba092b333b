"""The docs say what the code does: generated pages are fresh, links resolve, examples exist."""

import ast
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from imageloom.cli.reference import pages as reference
from imageloom.cli.reference.transforms import operations
from imageloom.cli.root import LazyGroup, root
from imageloom.errors import ImageloomError
from imageloom.pipeline.run.jobs import SAVE_TIMEOUT_S
from imageloom.tracking.beside import END_WAIT_S, STOPPED_WAIT_S

REPOSITORY = Path(__file__).parents[1]
REFERENCE = REPOSITORY / "docs" / "reference"
PAGES = sorted(
    [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")],
    key=lambda page: page.as_posix(),
)
MADE = reference.pages()


def title(page: Path) -> str:
    return page.relative_to(REPOSITORY).as_posix()


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def fenced(page: Path, language: str) -> Iterator[str]:
    """Yield the code blocks of a page in one language."""
    yield from re.findall(rf"^```{language}\n(.*?)^```", text_of(page), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("path", sorted(MADE))
def test_the_reference_pages_are_fresh(path):
    page = REFERENCE / path
    assert page.is_file(), f"docs/reference/{path} is missing; run 'make docs'"
    assert text_of(page) == MADE[path], f"docs/reference/{path} is stale; run 'make docs'"


@pytest.mark.parametrize("folder", ["commands", "components"])
def test_no_page_is_left_of_what_is_gone(folder):
    there = {f"{folder}/{page.name}" for page in (REFERENCE / folder).glob("*.md")}
    assert there == {path for path in MADE if path.startswith(f"{folder}/")}


@pytest.mark.parametrize(("name", "command"), list(reference.commands()))
def test_every_command_and_flag_is_documented(name, command):
    page = MADE[f"commands/{name.replace(' ', '-')}.md"]
    assert f"# imageloom {name}" in page
    for param in command.params:
        if isinstance(param, click.Option):
            assert all(flag in page for flag in (*param.opts, *param.secondary_opts))
    assert f"[imageloom {name}]" in MADE["commands/README.md"]


def test_every_parameter_has_help_that_is_a_sentence():
    for name, command in reference.commands():
        for param in command.params:
            if isinstance(param, click.Option):
                assert (param.help or "").strip(), f"{name} {param.opts}"


def known_errors(base: type[ImageloomError] = ImageloomError) -> Iterator[type[ImageloomError]]:
    for one in base.__subclasses__():
        if one.__module__ == "imageloom.errors":
            yield one
            yield from known_errors(one)


def test_every_error_is_documented_with_its_code():
    page = MADE["errors.md"]
    for one in known_errors():
        if "code" in vars(one):
            assert f"| {one.code} | `{one.__name__}` |" in page


def test_every_transform_and_field_is_documented():
    page = MADE["transforms.md"]
    assert len(operations()) >= 16
    for operation in operations():
        kind = operation.model_fields["kind"].default
        section = page.split(f"## {kind}\n")[1].split("\n## ")[0]
        for field in operation.model_fields:
            assert field == "kind" or f"| `{field}` |" in section


def test_every_metric_that_training_writes_is_documented():
    page = text_of(REFERENCE / "metrics.md")
    names = ("learning rate", "Train images per second", "Train loss", "Train error", "Valid loss")
    for name in (*names, "Top-1 validation accuracy", "Top-5 validation accuracy"):
        assert f"| `{name}` |" in page
    source = (REPOSITORY / "src/imageloom/training/fit.py").read_text(encoding="utf-8")
    words = r'"((?:Train|Valid|Top-\d|Waiting|learning)[a-zA-Z0-9 -]*)"'
    assert set(re.findall(words, source)) <= set(re.findall(r"^\| `([^`]+)`", page, re.MULTILINE))


@pytest.mark.parametrize("guide", ["running-pipelines", "targets"])
def test_the_guides_say_how_long_a_node_has_to_save(guide):
    page = text_of(REPOSITORY / "docs" / "guides" / f"{guide}.md")
    assert f"have {SAVE_TIMEOUT_S:g} s" in page


def anchors(page: Path) -> set[str]:
    """Return the anchors that a page's headings make, as GitHub names them."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE):
        words = re.sub(r"[^\w\- ]", "", heading.lower())
        found.add(words.strip().replace(" ", "-"))
    return found


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_links_between_pages_resolve(page):
    outside_code = re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", outside_code):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{title(page)} links to {target}"
        assert not anchor or anchor in anchors(there), f"{title(page)} links to {target}"


def command_lines(page: Path) -> Iterator[str]:
    """Yield the commands of a page's shell blocks; output and comments are left out."""
    for block in fenced(page, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            yield line.removeprefix("$ ").strip()


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_shell_examples_use_commands_and_flags_that_exist(page):
    targets = set(
        re.findall(r"^(\w+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    for line in command_lines(page):
        words = shlex.split(line, comments=True)
        if words[:1] == ["make"]:
            assert words[1] in targets, line
        elif words[:1] == ["imageloom"]:
            parse(words[1:])


def parse(words: list[str]) -> None:
    """Parse a command line without running it."""
    command: click.Command | None = root
    while isinstance(command, LazyGroup) and words and not words[0].startswith("-"):
        command = command.get_command(click.Context(command), words[0])
        assert command is not None, words
        words = words[1:]
    assert command is not None
    if not {"--help", "--version"} & set(words):
        assert not isinstance(command, LazyGroup) or command.default, words
        command.make_context("imageloom", list(words))


def test_the_test_finds_an_example_with_a_wrong_flag():
    with pytest.raises(click.NoSuchOption, match="--epoch"):
        parse(["train", "--epoch", "3"])


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_python_examples_compile_and_use_public_names(page):
    import imageloom

    for block in fenced(page, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "imageloom":
                assert node.attr in imageloom.__all__, f"{title(page)}: imageloom.{node.attr}"


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_json_examples_are_json(page):
    for block in fenced(page, "json"):
        json.loads(block)


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_parameters_named_in_prose_exist(page):
    if page.name == "CHANGELOG.md":
        return  # it speaks of the past
    known = {"--help", "--version", "--shm-size"}
    for _, command in reference.commands():
        for param in command.params:
            known |= {*param.opts, *param.secondary_opts}
    prose = re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL)
    if page.name == "coming-from.md":
        prose = re.sub(r"^\|[^|]*\|", "", prose, flags=re.MULTILINE)  # what others call it
    for flag in re.findall(r"`(--[a-z][a-z0-9-]+)", prose):
        assert flag in known, f"{title(page)} names {flag}"


def test_every_page_of_the_docs_is_linked_from_another():
    linked: set[Path] = set()
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s#]+)", text_of(page)):
            if not target.startswith("http"):
                linked.add((page.parent / target).resolve())
    alone = [title(page) for page in PAGES if page.resolve() not in linked]
    assert [name for name in alone if name != "README.md"] == []


def test_the_reference_lists_the_parameters_of_each_set_once():
    for name, command in reference.commands():
        flags = [flag for param in command.params for flag in (*param.opts, *param.secondary_opts)]
        assert len(flags) == len(set(flags)), name


def test_the_guide_says_how_long_a_training_waits_for_its_trackers():
    text = " ".join(text_of(REPOSITORY / "docs" / "guides" / "track.md").split())
    waits = f"for at most {END_WAIT_S:g} seconds, and {STOPPED_WAIT_S:g} when it was stopped"
    assert waits in text
