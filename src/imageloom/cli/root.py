"""The tree of commands, loaded one at a time, and the entry point of the script."""

import io
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Final, NamedTuple

import click

from imageloom import __version__
from imageloom.cli.meant import explained
from imageloom.errors import ImageloomError
from imageloom.registry import import_attribute
from imageloom.system.machine import allow_more_open_files

USAGE_EXIT: Final = 2
INTERRUPTED_EXIT: Final = 130


class Entry(NamedTuple):
    """Where a command is declared, and its line in the list of commands."""

    module: str
    summary: str


class LazyGroup(click.Group):
    """A group that imports a command when it is called, so that ``--help`` is instant.

    Args:
        name: The group's name.
        help: What the group is for.
        entries: The commands in the order in which a person meets them.
        default: The command that runs when none is named; by default the help is shown.
    """

    def __init__(
        self,
        name: str,
        *,
        help: str,
        entries: Mapping[str, "Entry | LazyGroup"],
        default: str = "",
    ) -> None:
        super().__init__(name, help=help, context_settings={"help_option_names": ["-h", "--help"]})
        self.entries = entries
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Name the default command where none is named."""
        return super().parse_args(ctx, args or ([self.default] if self.default else []))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in order of use, not of the alphabet."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command; None when there is none of that name."""
        entry = self.entries.get(cmd_name)
        if not isinstance(entry, Entry):
            return entry
        command = import_attribute(entry.module, "command")
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, entry.summary if isinstance(entry, Entry) else str(entry.help))
                    for name, entry in self.entries.items()
                ]
            )


_DATA = LazyGroup(
    "data",
    help="Convert, split, check and correct pictures.",
    entries={
        "convert": Entry(
            "imageloom.cli.data.convert", "Check pictures and list them in an image directory."
        ),
        "split": Entry("imageloom.cli.data.split", "Divide pictures into two or three parts."),
        "check": Entry("imageloom.cli.data.check", "Say what is in it, and what was left out."),
        "label-errors": Entry(
            "imageloom.cli.data.label_errors",
            "List pictures whose label is probably wrong, the most suspicious first.",
        ),
        "duplicates": Entry(
            "imageloom.cli.data.duplicates", "Find pictures that stand twice or nearly twice."
        ),
        "correct": Entry(
            "imageloom.cli.data.correct", "Give pictures another class, or leave them out."
        ),
        "export": Entry("imageloom.cli.data.export", "Write pictures for other programs."),
    },
)
_MODEL = LazyGroup(
    "model",
    help="Create untrained models.",
    entries={"create": Entry("imageloom.cli.model.create", "Make an untrained model directory.")},
)

_PIPELINE = LazyGroup(
    "pipeline",
    help="Check pipelines, and show them as text.",
    entries={
        "check": Entry(
            "imageloom.cli.pipeline.check",
            "Name every problem of a pipeline, before anything runs.",
        ),
        "show": Entry(
            "imageloom.cli.pipeline.show", "Show a pipeline as text, with what is done already."
        ),
    },
)
_RUNS = LazyGroup(
    "runs",
    help="List, show, compare, cancel and delete runs of pipelines.",
    entries={
        "list": Entry("imageloom.cli.runs.list", "List runs of pipelines, newest first."),
        "show": Entry("imageloom.cli.runs.show", "Show a run, or one node of it."),
        "logs": Entry(
            "imageloom.cli.runs.logs", "Show what the nodes of a run wrote while they worked."
        ),
        "series": Entry(
            "imageloom.cli.runs.series", "Show the curves that a node of a run recorded."
        ),
        "cancel": Entry("imageloom.cli.runs.cancel", "Stop a run, and wait until it has stopped."),
        "compare": Entry("imageloom.cli.runs.compare", "Show what differs between runs."),
        "delete": Entry(
            "imageloom.cli.runs.delete",
            "Delete runs: their records, logs, metrics and reports.",
        ),
    },
)
_STORE = LazyGroup(
    "store",
    help="Look after the workspace, where runs and their outputs lie.",
    entries={
        "upload": Entry(
            "imageloom.cli.store.upload",
            "Copy a file or folder into the workspace, for pipelines to use by name.",
        ),
        "size": Entry(
            "imageloom.cli.store.size", "Say how much room the workspace takes, and for what."
        ),
        "clean": Entry("imageloom.cli.store.clean", "Remove what no run needs any more."),
        "rebuild": Entry(
            "imageloom.cli.store.rebuild",
            "Make the database of the runs anew from their folders.",
        ),
    },
)
_TARGETS = LazyGroup(
    "targets",
    help="List where training and pipelines can run, and try it.",
    entries={
        "list": Entry(
            "imageloom.cli.targets.list",
            "List where training and pipelines can run, and what each target has.",
        ),
        "check": Entry(
            "imageloom.cli.targets.check",
            "Run a small job on a target: two processes that find each other and add numbers.",
        ),
    },
    default="list",
)

_USERS = LazyGroup(
    "users",
    help="Say who may sign in to a studio that listens on a network.",
    entries={
        "add": Entry("imageloom.cli.users.add", "Add somebody who may sign in to the studio."),
        "list": Entry(
            "imageloom.cli.users.list",
            "List who may sign in to the studio, and what each may do.",
        ),
        "role": Entry("imageloom.cli.users.role", "Give a user another role; they sign in anew."),
        "password": Entry(
            "imageloom.cli.users.password",
            "Give a user a new password; wherever they are signed in, that ends at once.",
        ),
        "remove": Entry(
            "imageloom.cli.users.remove",
            "Remove a user; wherever they are signed in, that ends at once.",
        ),
        "activity": Entry(
            "imageloom.cli.users.activity",
            "Show who did what in the studio, when and from where, the newest first.",
        ),
    },
    default="list",
)

_AGENT = LazyGroup(
    "agent",
    help="Let this machine take part in a training that another one leads.",
    entries={
        "join": Entry(
            "imageloom.cli.train.agent_join",
            "Let this machine take part in a training that another one leads.",
        ),
        "work": Entry(
            "imageloom.cli.train.agent_work",
            "Let this machine take part in the training of a run directory.",
        ),
    },
)


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    python = platform.python_version()
    click.echo(f"imageloom {__version__} (Python {python}, torch {metadata.version('torch')})")
    ctx.exit()


root = LazyGroup(
    "imageloom",
    help="A folder of pictures in; a trained and scored classifier out. Start with 'imageloom "
    "demo', or with your own pictures, each class in a sub-folder: 'imageloom data split'.",
    entries={
        "demo": Entry("imageloom.cli.demo", "Run the whole path on 1,797 handwritten digits."),
        "doctor": Entry("imageloom.cli.doctor", "Say what this machine can do, and what to fix."),
        "data": _DATA,
        "model": _MODEL,
        "train": Entry("imageloom.cli.train.train", "Train a classifier, or resume a run."),
        "logs": Entry("imageloom.cli.train.logs", "Show what the processes of a training wrote."),
        "track": Entry(
            "imageloom.cli.train.track", "Let trackers catch up with a training, or follow it."
        ),
        "score": Entry("imageloom.cli.model.score", "Write the probabilities of every picture."),
        "evaluate": Entry("imageloom.cli.model.evaluate", "Turn scores into figures and a report."),
        "predict": Entry("imageloom.cli.model.predict", "Name what is in a few pictures."),
        "export": Entry(
            "imageloom.cli.model.export", "Write a model for other programs, proven to be the same."
        ),
        "serve": Entry("imageloom.cli.model.serve", "Let a trained model answer over HTTP."),
        "explain": Entry(
            "imageloom.cli.model.explain",
            "Say why a model names what it names in a few pictures.",
        ),
        "studio": Entry(
            "imageloom.cli.studio",
            "Open the page in which pipelines are drawn, run and looked at.",
        ),
        "users": _USERS,
        "components": Entry(
            "imageloom.cli.components",
            "List what pipelines are made of, or explain one component.",
        ),
        "pipeline": _PIPELINE,
        "run": Entry("imageloom.cli.runs.run", "Run a pipeline, or go on with a run that stopped."),
        "tune": Entry(
            "imageloom.cli.runs.tune", "Search for the best parameters of a pipeline, run by run."
        ),
        "runs": _RUNS,
        "targets": _TARGETS,
        "store": _STORE,
        "agent": _AGENT,
    },
)
root.params.append(
    click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_print_version,
        help="Show the version and leave.",
    )
)


def main() -> None:
    """Run the command line on the process's arguments and leave with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command.

    Args:
        arguments: What stands after ``imageloom``.

    Returns:
        0 when it did what was asked, 1 for an error that the command reported, 2 for a command
        line that cannot be understood, 130 or 143 when a signal stopped it.
    """
    _mend_streams()
    allow_more_open_files()
    # What torch's sockets notice on the way would be written across the screen.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    try:
        code = root.main(list(arguments), prog_name="imageloom", standalone_mode=False)
    except click.ClickException as error:
        if not _is_told_by_another():
            explained(error, _names(root)).show()
        return USAGE_EXIT
    except click.Abort:
        return INTERRUPTED_EXIT
    except ImportError as error:
        from imageloom.cli.failures import report_outside_a_job

        return report_outside_a_job(error)
    return code if isinstance(code, int) else 0


def _names(group: LazyGroup, words: tuple[str, ...] = ()) -> list[str]:
    """Return the full names of all commands, such as ``data convert``, without importing one."""
    names = []
    for name, entry in group.entries.items():
        if isinstance(entry, LazyGroup):
            names += _names(entry, (*words, name))
        else:
            names.append(" ".join((*words, name)))
    return names


def _is_told_by_another() -> bool:
    """Whether torchrun or its like gave the same words to another process of this machine."""
    from imageloom.distributed.ranks import started_rank

    try:
        started = started_rank(os.environ)
    except ImageloomError:  # for a training to tell, which asks for its rank
        return False
    if started is None:
        return False
    return (started.rank if started.local_rank is None else started.local_rank) > 0


def _mend_streams() -> None:
    """Make stdout and stderr fit to print anything, or to swallow it where they are closed."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            # Otherwise the next file that is opened would become, say, stderr, and a library's
            # warnings would be written into it.
            nothing = os.open(os.devnull, os.O_RDWR)
            os.dup2(nothing, descriptor)
            setattr(sys, name, os.fdopen(descriptor, "r" if descriptor == 0 else "w"))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name the terminal cannot show
