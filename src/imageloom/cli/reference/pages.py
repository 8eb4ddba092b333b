"""The reference pages of the docs, made from the declarations: ``make docs``.

Usage: python -m imageloom.cli.reference.pages docs/reference
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from imageloom.cli.flags import SectionedCommand
from imageloom.cli.reference import components as reference_components
from imageloom.cli.reference import errors as reference_errors
from imageloom.cli.reference import transforms as reference_transforms
from imageloom.cli.root import LazyGroup, root
from imageloom.params import ParameterDescription

MADE_BY: Final = "<!-- Made by `make docs` from the declarations in the code. Edit those. -->\n\n"
_KINDS: Final = {
    "int": "whole number",
    "float": "number",
    "str": "text",
    "bool": "yes or no",
    "list": "texts",
}


def pages() -> dict[str, str]:
    """Return every generated page by its path below ``docs/reference``."""
    made = {f"commands/{name.replace(' ', '-')}.md": page for name, page in command_pages()}
    made["commands/README.md"] = command_index()
    made |= {f"components/{name}": page for name, page in reference_components.pages()}
    made["errors.md"] = reference_errors.page()
    made["transforms.md"] = reference_transforms.page()
    return {path: MADE_BY + text for path, text in sorted(made.items())}


def commands(
    group: LazyGroup = root, words: tuple[str, ...] = ()
) -> Iterator[tuple[str, SectionedCommand]]:
    """Yield every command with its full name: ``data convert``."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, LazyGroup):
            yield from commands(command, (*words, name))
        elif isinstance(command, SectionedCommand):
            yield " ".join((*words, name)), command


def command_pages() -> Iterator[tuple[str, str]]:
    """Yield the name and page of every command."""
    for name, command in commands():
        context = click.Context(command, info_name=f"imageloom {name}")
        parts = [f"# imageloom {name}", _description(command), "```\n" + _usage(context) + "\n```"]
        for heading, options in command.sections(context).items():
            parts.append(f"## {heading}")
            parts.append(_options(options, context))
        parts.append("## Examples")
        parts.append("```sh\n" + "\n".join(command.examples) + "\n```")
        yield name, "\n\n".join(parts) + "\n"


def command_index() -> str:
    """Return the list of all commands."""
    rows = [
        f"| [imageloom {name}]({name.replace(' ', '-')}.md) | {_first_line(command)} |"
        for name, command in commands()
    ]
    table = "\n".join(["| Command | What it does |", "|---|---|", *rows])
    return f"# Commands\n\n{table}\n\n{_EVERYWHERE}"


_EVERYWHERE: Final = """\
## What holds for every command

A folder with a sub-folder for each class is accepted wherever an image directory is expected.
`~` and `$NAME` in paths are resolved. Nothing that exists is overwritten.

**Output.** Results go to stdout; progress, warnings and errors go to stderr. On a terminal progress
is a moving bar, otherwise a line every few seconds. Colour follows the terminal and `NO_COLOR`.

**`--json`.** Exactly one JSON object goes to stdout and no progress is shown. When the command
fails the object is `{"error": {...}, "notices": [...]}`; `error` has the keys of
`error_info.json` and `resume_command`. A run of a pipeline in which a node failed has what the
others made beside `error`. The readable lines still go to stderr. Only a command line
that cannot be understood (exit code 2) is told on stderr alone.

**Exit codes.**

| Code | Meaning |
|---|---|
| 0 | It did what was asked. |
| 1 | An error of [this list](../errors.md), also for a parameter whose value cannot be used. |
| 2 | The command line cannot be understood: an unknown flag or command, or one is missing. |
| 130, 143 | Ctrl+C or SIGTERM stopped it. |

**Stopping.** The first Ctrl+C or SIGTERM saves and stops; a training run or a pipeline prints the
command that resumes it. The second stops at once, and what was published before is whole.

**A closed terminal** stops no work, also when a connection breaks: the command goes on, and what it
would have shown is lost. `imageloom logs RUN --follow` shows a training, and `imageloom runs list`
the runs of pipelines. To stop it, send SIGTERM to the process that an attempt to resume it names.

**Environment.**

- `IMAGELOOM_WORKSPACE`: where runs of pipelines and their outputs lie; by default
  `~/.local/share/imageloom`.
- `IMAGELOOM_STORE_LIMIT_GIB`: GiB of outputs above which `imageloom store clean` removes what can
  be made again; by default 100.
- `IMAGELOOM_DATABASE_URL`: a PostgreSQL database for the list of runs; by default it is a SQLite
  file in the workspace.
- `IMAGELOOM_TARGETS`: the file of [your own targets](../../guides/targets.md); by default
  `~/.config/imageloom/targets.toml`.
- `IMAGELOOM_TRACK`: the [trackers](../../guides/track.md) of every training, with commas between
  them; by default what `track` in `~/.config/imageloom/settings.toml` says.
- `IMAGELOOM_SETTINGS`: another place for that file.
- `IMAGELOOM_EXTENSIONS`: a folder with
  [your own components, families and targets](../../guides/extensions.md).
- `IMAGELOOM_HOME`: where image directories made from plain folders are kept; by default
  `~/.cache/imageloom`. It may be deleted at any time.
  Scaled copies of pictures lie there too, in `picture-cache`.
- `IMAGELOOM_PICTURE_CACHE_LIMIT_GIB`: GiB that these copies may take; by default 100. Those not
  used for longest go first.
- `IMAGELOOM_DOWNLOADS_LIMIT_GIB`: GiB that copies of
  [pictures at addresses](../../guides/pictures.md#pictures-at-an-address) may take, in
  `downloads`; by default 100. What would be more is refused, and `imageloom store clean` removes
  copies above it.
- `IMAGELOOM_TOKEN`: the key for `imageloom agent join`, in place of `--token`.
- `IMAGELOOM_DEBUG=1` shows the traceback of an error, as `--debug` does.
"""


def _first_line(command: click.Command) -> str:
    return (command.help or "").split("\n\n")[0].replace("\n", " ")


def _description(command: click.Command) -> str:
    paragraphs = (command.help or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _usage(context: click.Context) -> str:
    pieces = context.command.collect_usage_pieces(context)
    return " ".join([context.command_path, *pieces])


def _options(options: list[click.Option], context: click.Context) -> str:
    described = [getattr(option, "parameter", None) for option in options]
    if any(described):
        rows = [
            f"| {_flags(option, context)} | {_escape(one.help)} | {_default(one)} | {_range(one)} |"
            for option, one in zip(options, described, strict=True)
            if one is not None
        ]
        return "\n".join(["| Flag | Meaning | Default | Values |", "|---|---|---|---|", *rows])
    rows = [
        f"| {_flags(option, context)} | {_escape(option.help or '')}"
        f"{' Required.' if option.required else ''} |"
        for option in options
    ]
    return "\n".join(["| Flag | Meaning |", "|---|---|", *rows])


def _flags(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    assert record is not None
    # A metavar such as [none|body] stands in the column of values; here it would end the cell.
    names = record[0].split(" [")[0]
    return f"`{_escape(names)}`"


def _default(one: ParameterDescription) -> str:
    if one.default is None or one.default == ():
        return "-"
    if one.kind == "bool":
        return "yes" if one.default else "no"
    return f"`{one.default}`" if one.default != "" else "empty"


def _range(one: ParameterDescription) -> str:
    if one.choices:
        return ", ".join(f"`{choice}`" for choice in one.choices)
    kind = _KINDS[one.kind]
    parts = [part for part in (kind, *one.words, one.range_text, one.unit) if part]
    return _escape(", ".join(parts))


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def write(folder: Path) -> None:
    """Write all pages below a folder, and remove those of what is gone."""
    made = pages()
    for stale in folder.glob("*/*.md"):
        if f"{stale.parent.name}/{stale.name}" not in made:
            stale.unlink()
    for path, text in made.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
