"""One command being run: what every command shares, from ``--json`` to the exit code."""

import contextlib
import functools
import gc
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click
from rich.console import Console, RenderableType

from imageloom.cli.failures import (
    Failure,
    exit_code,
    known_error,
    resume_of,
    show_failure,
)
from imageloom.cli.flags import SectionedCommand, given_values
from imageloom.cli.progress import NoticeList, ProgressDisplay, open_reporter
from imageloom.cli.screen import print_all, stderr_console, stdout_console
from imageloom.cli.signals import SAVES, stopping_on_signals
from imageloom.errors import ERROR_FILE_VARIABLE, FailedToWriteOutputsError, ImageloomError
from imageloom.events import CancelToken, Control
from imageloom.files.publish import write_json
from imageloom.launch.local.report import TOLD_BY
from imageloom.resume_command import Resume

DEBUG_VARIABLE = "IMAGELOOM_DEBUG"


@dataclass(frozen=True)
class Outcome:
    """What a command that did its work tells.

    Attributes:
        content: The JSON object that ``--json`` prints.
        screen: What a person sees: tables and lines, ending with where the output is and what
            to try next.
        exit_code: 0, unless the answer itself is bad news, as from ``doctor``.
        failure: Why the work is not whole, where there is something to show all the same, as of a
            run with a node that failed. It is shown after the screen and gives the exit code.
    """

    content: Mapping[str, object]
    screen: tuple[RenderableType, ...]
    exit_code: int = 0
    failure: Failure | None = None


@dataclass
class Call:
    """A command on its way.

    Attributes:
        arguments: What the person wrote, by name; options left out are absent.
        on_event: Where the command's functions tell their progress.
        cancel: Set by the first signal.
        run: The run directory, once the command knows it; a failure names how to resume it.
        target: The target it trains on; empty for this process.
        launch: The options that say on which machines the run goes on; empty for this one.
        signals: How many signals its function answers itself; one more ends the process at once.
        first_answer: What a person is told at the first signal: what the function does then.
        on_terminal: Whether results go to a terminal, which may be closed while the command works.
        rank: Which of several processes this is that do the command's work together, where
            something like torchrun started them; the others say only what is their own error.
        is_repeating: Whether another of these on the same machine does just the same now, and tells
            the same errors.
        error_file: File into which an error that ends the command is written, for who started it.
        leaves_at_once: Whether the process ends without waiting for threads of libraries, which may
            wait for processes that are gone.
    """

    arguments: Mapping[str, object]
    on_event: ProgressDisplay
    cancel: CancelToken = field(default_factory=CancelToken)
    run: Path | None = None
    target: str = ""
    launch: tuple[str, ...] = ()
    signals: int = 1
    first_answer: str = SAVES
    on_terminal: bool = field(default_factory=lambda: sys.stdout.isatty())
    rank: int = 0
    is_repeating: bool = False
    error_file: str = ""
    leaves_at_once: bool = False

    @property
    def control(self) -> Control:
        """How the command's functions tell of themselves, and are stopped."""
        return Control(self.on_event, self.cancel)

    @property
    def is_unwatched(self) -> bool:
        """Whether its terminal was closed; what only shows the work of others ends then."""
        return self.on_terminal and not sys.stdout.isatty()

    @property
    def resume(self) -> Resume | None:
        """How to go on with the run; None while there is none."""
        if self.run is None:
            return None
        return resume_of(self.run, self.target, launch=self.launch)

    def resume_after(self, error: ImageloomError) -> Resume | None:
        """Return how to go on after an error: as it says itself, with what is known here."""
        own = error.resume
        if own is None or self.run is None or Path(own.run) != self.run.absolute():
            return own or self.resume
        return own.knowing(target=self.target, launch=self.launch)

    def path(self, name: str) -> Path:
        """Return an argument that is a required path."""
        value = self.arguments[name]
        assert isinstance(value, Path)
        return value

    def source(self, name: str) -> Path | str:
        """Return an argument that is a required path or address."""
        value = self.arguments[name]
        assert isinstance(value, Path | str)
        return value

    @property
    def roots(self) -> tuple[Path, ...]:
        """Where pictures that were moved lie now, as ``--root`` says; empty without it."""
        values = self.arguments.get("root", ())
        assert isinstance(values, tuple)
        return values

    def text(self, name: str) -> str:
        """Return an argument that is a required text."""
        value = self.arguments[name]
        assert isinstance(value, str)
        return value


Body = Callable[[Call], Outcome]


def call_command(
    name: str, *, examples: tuple[str, ...], signals: int = 1
) -> Callable[[Body], click.Command]:
    """Make a command of a function that takes a ``Call`` and returns an ``Outcome``.

    Options are added below this decorator, as with ``click.command``.

    Args:
        name: The command's own name, without its group.
        examples: Whole command lines, shown in the help and in the docs.
        signals: How many signals the function answers itself; one more ends the process at once.
    """

    def declare(body: Body) -> click.Command:
        @functools.wraps(body)
        def callback(**_values: object) -> int:
            ctx = click.get_current_context()
            debug = bool(ctx.params["debug"]) or bool(os.environ.get(DEBUG_VARIABLE))
            as_json = bool(ctx.params["as_json"])
            return run_call(body, given_values(ctx), as_json=as_json, debug=debug, signals=signals)

        command = SectionedCommand(
            name,
            callback=callback,
            help=body.__doc__,
            params=[*reversed(getattr(body, "__click_params__", [])), *_common_options()],
            context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        )
        command.examples = examples
        return command

    return declare


def _common_options() -> list[click.Parameter]:
    return [
        click.Option(
            ["--json", "as_json"],
            is_flag=True,
            help="Print one JSON object on stdout, also when it fails, and no progress.",
        ),
        click.Option(
            ["--debug"], is_flag=True, help=f"Show the traceback of an error ({DEBUG_VARIABLE}=1)."
        ),
    ]


def run_call(
    body: Body, arguments: Mapping[str, object], *, as_json: bool, debug: bool, signals: int = 1
) -> int:
    """Run a command's body; print its outcome or its failure.

    Args:
        body: What the command does.
        arguments: What the person wrote, by name.
        as_json: Print one JSON object on stdout instead of the screen.
        debug: Print the traceback of a failure.
        signals: How many signals the body answers itself.

    Returns:
        The exit code of the process.
    """
    errors = stderr_console()
    cancel = CancelToken()
    reporter = NoticeList() if as_json else open_reporter(errors, cancel)
    call = Call(arguments=arguments, on_event=reporter, cancel=cancel, signals=signals)
    call.error_file = os.environ.pop(ERROR_FILE_VARIABLE, "")  # not for processes that we start
    code = _run(call, body, errors, as_json=as_json, debug=debug)
    if call.leaves_at_once:
        gc.collect()  # an error holds on to loaders, which give back what they share with workers
        with outliving_the_reader():
            sys.stderr.flush()
        os._exit(code)
    return code


def _run(call: Call, body: Body, errors: Console, *, as_json: bool, debug: bool) -> int:
    reporter = call.on_event
    try:
        with stopping_on_signals(
            call.cancel,
            answered=lambda: call.signals,
            is_quiet=lambda: call.rank > 0,
            resume_command=lambda: _command(call.resume),
            first_answer=lambda: call.first_answer,
        ):
            outcome = body(call)
    except click.ClickException:
        raise
    except (Exception, KeyboardInterrupt) as problem:  # noqa: BLE001 - reported to the person
        reporter.close()
        if debug:
            traceback.print_exc()
        return _fail(call, problem, errors, as_json=as_json)
    finally:
        reporter.close()
    if call.rank:
        return outcome.exit_code
    try:
        if as_json:
            _print_json(_content(outcome) | {"notices": reporter.notices})
        else:
            _print_screen(outcome.screen)
    except FailedToWriteOutputsError as problem:
        return _fail(call, problem, errors, as_json=False)
    if outcome.failure is not None:
        show_failure(errors, outcome.failure)
        return outcome.failure.exit_code
    return outcome.exit_code


def _content(outcome: Outcome) -> dict[str, object]:
    if outcome.failure is None:
        return dict(outcome.content)
    return {**outcome.content, "error": outcome.failure.to_json()}


def _fail(call: Call, problem: BaseException, console: Console, *, as_json: bool) -> int:
    error = known_error(problem)
    error.resume = call.resume_after(error)
    failure = Failure(
        error=error,
        exit_code=exit_code(error, call.cancel.reason),
        resume_command=_command(error.resume),
    )
    if call.error_file:
        with contextlib.suppress(FailedToWriteOutputsError):  # it is told below all the same
            write_json(Path(call.error_file), error.to_json())
    if call.is_repeating or TOLD_BY in error.details:
        return failure.exit_code
    if as_json:
        _print_json({"error": failure.to_json(), "notices": call.on_event.notices})
    show_failure(console, failure)
    return failure.exit_code


def _command(resume: Resume | None) -> str:
    return "" if resume is None else resume.command


def _print_json(content: Mapping[str, object]) -> None:
    # ASCII escapes, so that names with lone surrogates (not UTF-8 on disk) survive as well.
    text = json.dumps(content, indent=2, ensure_ascii=True, allow_nan=False)
    with outliving_the_reader():
        sys.stdout.write(text + "\n")


def _print_screen(screen: tuple[RenderableType, ...]) -> None:
    with outliving_the_reader():
        print_all(stdout_console(), screen)


@contextlib.contextmanager
def outliving_the_reader() -> Iterator[None]:
    """Let a reader of stdout go away, as ``head`` does; the work is done and is no failure.

    Raises:
        FailedToWriteOutputsError: What is printed could not be written, as on a full disk.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError as problem:
        # Python flushes once more when it ends; that must not fail again.
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)
        if not isinstance(problem, BrokenPipeError):
            raise FailedToWriteOutputsError(
                f"The result could not be printed: {problem.strerror}.",
                hint="Is the disk full? What the command wrote elsewhere is whole.",
                reason="stdout",
            ) from problem
