"""Every error a user can meet, in one tree.

Each class has a stable ``code``. Four digits are the codes users of the old designer know
(see docs/reference/errors.md); codes with letters are ours::

    ImageloomError
    ├── DataError
    │   ├── InvalidDatasetError                  0018
    │   ├── NotLabeledDatasetError               0024
    │   ├── NotScoredDatasetError                0025
    │   ├── CouldNotOpenFileError                0048
    │   ├── NotExpectedLabelColumnError          0058
    │   └── InvalidTransformationDirectoryError  0158
    ├── InvalidModelDirectoryError               0159
    ├── ParameterError
    │   ├── ParameterParsingError                0002
    │   ├── GreaterThanError                     0004
    │   ├── GreaterThanOrEqualToError            0005
    │   ├── LessThanOrEqualToError               0007
    │   ├── NotInRangeValueError                 0008
    │   └── UnknownNameError                     PARAM-001
    ├── RunError
    │   ├── NaNError                             0032
    │   ├── InfinityError                        0033
    │   ├── TimeoutOccuredError                  0072
    │   ├── ModuleOutOfMemoryError               0138
    │   ├── RunInterruptedError                  RUN-001
    │   ├── WorkerLostError                      RUN-002
    │   ├── OutputInUseError                     RUN-003
    │   ├── CannotResumeError                    RUN-004
    │   ├── NoSuchRunError                       RUN-005
    │   └── NodeFailedError                      RUN-006
    ├── InvalidPipelineError                     PIPE-001
    ├── PipelineChangedError                     PIPE-002
    ├── NoSuchPipelineError                      PIPE-003
    ├── StoreError
    │   ├── StoreBusyError                       STORE-001
    │   └── StoreCorruptError                    STORE-002
    ├── FailedToWriteOutputsError                0160
    ├── FailedToDownloadFilesError               0162
    ├── ExportError                              EXPORT-001
    ├── TrackerError                             TRACK-001
    ├── InvalidRequestError                      API-001
    ├── ServerBusyError                          API-002
    ├── EnvironmentUnsuitableError               ENV-001
    └── LibraryError                             1000
"""

import difflib
import errno
import functools
import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Final, Self

from imageloom.resume_command import Resume

if TYPE_CHECKING:
    from pydantic import ValidationError

Detail = str | int | float | bool | None | list[str]

ERROR_FILE_VARIABLE: Final = "IMAGELOOM_ERROR_FILE"
"""Names the file into which a command writes the error that ends it, for whoever started it."""
MAX_MESSAGE_CHARS = 4096  # the old designer's limit, which tools that read error_info.json expect


class ImageloomError(Exception):
    """A known problem: what was found, where, and what to do next.

    Args:
        message: What was found and what was expected, with the values.
        hint: What to do next, as one or two sentences.
        reason: A short machine-readable cause, such as ``unsafe-member``.
        details: Values that appear in the message, for programs.
        resume: How a training goes on after it. Those who pass the error on may add to it; whoever
            shows the error makes the command of it.
    """

    code: ClassVar[str] = "0000"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        reason: str = "",
        details: Mapping[str, Detail] | None = None,
        resume: Resume | None = None,
    ) -> None:
        self.message = printable(message)[:MAX_MESSAGE_CHARS]
        self.hint = printable(hint)[:MAX_MESSAGE_CHARS]
        self.reason = reason
        self.details = dict(details or {})
        self.resume = resume
        super().__init__(self.message)

    def __str__(self) -> str:
        return " ".join(self.sentences)

    @property
    def sentences(self) -> list[str]:
        """The message, the hint and the command that goes on, as far as there are any."""
        command = f"Go on with: {printable(self.resume.command)}" if self.resume else ""
        return [one for one in (self.message, self.hint, command) if one]

    @property
    def title(self) -> str:
        """Name and code, as every surface shows them: ``InvalidDatasetError (0018)``."""
        return f"{type(self).__name__} ({self.code})"

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the way back from a worker process with all fields."""
        make = functools.partial(
            type(self),
            hint=self.hint,
            reason=self.reason,
            details=self.details,
            resume=self.resume,
        )
        return (make, (self.message,))

    def to_json(self) -> dict[str, object]:
        """Return the content of ``error_info.json``."""
        return {
            "id": type(self).__name__,
            "code": self.code,
            "type": type(self).__name__,
            "message": self.message,
            "hint": self.hint,
            "reason": self.reason,
            "details": self.details,
            "resume": None if self.resume is None else self.resume.to_json(),
        }


def error_from_json(content: Mapping[str, object]) -> ImageloomError:
    """Return the error whose ``to_json`` this is; of an unknown class it is a LibraryError."""
    kinds = {kind.__name__: kind for kind in _all_kinds(ImageloomError)}
    details = content.get("details")
    return kinds.get(str(content.get("type")), LibraryError)(
        str(content.get("message", "no message")),
        hint=str(content.get("hint", "")),
        reason=str(content.get("reason", "")),
        # JSON gives back what the error's own details were.
        details=details if isinstance(details, dict) else {},
        resume=Resume.from_json(content.get("resume")),
    )


def _all_kinds(kind: type[ImageloomError]) -> Iterator[type[ImageloomError]]:
    for one in kind.__subclasses__():
        yield one
        yield from _all_kinds(one)


def printable(text: str) -> str:
    """Return text with control and direction-changing characters escaped.

    File and class names come from strangers; a terminal or a log must not obey them.
    """
    return "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in text)


# A colour or another look of a terminal, such as \x1b[1m.
_LOOK: Final = re.compile(r"\x1b\[[0-9;:]*[A-Za-z]")


def library_text(problem: BaseException) -> str:
    """Return what a library says of its failure, without the colours that some put into it.

    What else a terminal would obey is escaped where the text becomes part of an error, so that a
    name which a stranger chose stays recognisable.
    """
    return _LOOK.sub("", str(problem))


class DataError(ImageloomError):
    """Something about pictures, labels or tables."""


class InvalidDatasetError(DataError):
    """The pictures, labels or manifest cannot be used as they are."""

    code = "0018"


class NotLabeledDatasetError(DataError):
    """Labels are needed and there are none."""

    code = "0024"


class NotScoredDatasetError(DataError):
    """A table that should hold scores does not."""

    code = "0025"


class CouldNotOpenFileError(DataError):
    """A file or folder does not exist or may not be read."""

    code = "0048"


class NotExpectedLabelColumnError(DataError):
    """The label column of a table is missing or of the wrong kind."""

    code = "0058"


class InvalidTransformationDirectoryError(DataError):
    """A transform list is not one, or holds an unknown operation."""

    code = "0158"


class InvalidModelDirectoryError(ImageloomError):
    """A directory is not a model directory, is damaged, or is of the wrong kind."""

    code = "0159"


class ParameterError(ImageloomError):
    """A parameter has a value that cannot be used."""


class ParameterParsingError(ParameterError):
    """A value is not of the parameter's type."""

    code = "0002"


class GreaterThanError(ParameterError):
    """A value must be greater than a bound."""

    code = "0004"


class GreaterThanOrEqualToError(ParameterError):
    """A value must not be below a bound."""

    code = "0005"


class LessThanOrEqualToError(ParameterError):
    """A value must not be above a bound."""

    code = "0007"


class NotInRangeValueError(ParameterError):
    """A value lies outside its range."""

    code = "0008"


class UnknownNameError(ParameterError):
    """No model, component or choice has this name."""

    code = "PARAM-001"


class RunError(ImageloomError):
    """A run could not go on."""


class NaNError(RunError):
    """A loss or gradient is not a number."""

    code = "0032"


class InfinityError(RunError):
    """A loss or gradient is infinite."""

    code = "0033"


class TimeoutOccuredError(RunError):
    """Something did not answer in time."""

    code = "0072"


class ModuleOutOfMemoryError(RunError):
    """Host or device memory ran out."""

    code = "0138"


class RunInterruptedError(RunError):
    """A signal or a person stopped the run; it can be resumed."""

    code = "RUN-001"

    @classmethod
    def stopped_by(
        cls,
        who: str,
        where: str = "",
        *,
        hint: str = "",
        details: Mapping[str, Detail] | None = None,
        resume: Resume | None = None,
    ) -> Self:
        """Return the error of what somebody stopped: ``Stopped by Ctrl+C``, and where.

        Args:
            who: Who asked, as a cancel token has it.
            where: The rest of the sentence, without its point.
            hint: As for all errors, as is what follows.
            details: Who and where are added to them.
            resume: How to go on.
        """
        return cls(
            " ".join(filter(None, ["Stopped by", who, where])) + ".",
            hint=hint,
            reason="cancelled",
            details={**(details or {}), "stopped_by": who, **({"where": where} if where else {})},
            resume=resume,
        )

    def asked_by(self, who: str) -> Self:
        """Return the same error with who asked first: a process knows who passed that on to it."""
        if "stopped_by" not in self.details:
            return self
        where = str(self.details.get("where", ""))
        return self.stopped_by(who, where, hint=self.hint, details=self.details, resume=self.resume)


class WorkerLostError(RunError):
    """A process that was needed has ended or hangs."""

    code = "RUN-002"


class OutputInUseError(RunError):
    """Another run is writing to the same place."""

    code = "RUN-003"


class CannotResumeError(RunError):
    """There is nothing to resume, or it no longer fits what it was made from."""

    code = "RUN-004"


class NoSuchRunError(RunError):
    """The workspace holds no run, or the run no node, of that name."""

    code = "RUN-005"


class NodeFailedError(RunError):
    """A node of a pipeline failed; the others did what they could without it."""

    code = "RUN-006"


class InvalidPipelineError(ImageloomError):
    """A pipeline cannot run as it stands; the message lists every problem."""

    code = "PIPE-001"


class PipelineChangedError(ImageloomError):
    """Somebody else saved a drawn pipeline meanwhile; both versions are kept."""

    code = "PIPE-002"


class NoSuchPipelineError(ImageloomError):
    """The workspace holds no drawn pipeline, or not the version, of that name."""

    code = "PIPE-003"


class StoreError(ImageloomError):
    """Something about the workspace's database or stored outputs."""


class StoreBusyError(StoreError):
    """Another process holds the database for too long."""

    code = "STORE-001"


class StoreCorruptError(StoreError):
    """The database or a stored output is damaged, or was made by a newer version."""

    code = "STORE-002"


class FailedToWriteOutputsError(ImageloomError):
    """An output could not be written or published."""

    code = "0160"


class FailedToDownloadFilesError(ImageloomError):
    """A file could not be fetched."""

    code = "0162"


class ExportError(ImageloomError):
    """A format cannot hold a model, or what it holds scores otherwise than the model."""

    code = "EXPORT-001"


class TrackerError(ImageloomError):
    """A tracker does not have all of a training, which is itself as it was."""

    code = "TRACK-001"


class InvalidRequestError(ImageloomError):
    """A program asked the studio's API for what is not there, or not as the API asks for it."""

    code = "API-001"


class ServerBusyError(ImageloomError):
    """A server has as much to do as it takes, or is about to stop; it asks to be asked again."""

    code = "API-002"


class EnvironmentUnsuitableError(ImageloomError):
    """The machine or its software lacks something; ``imageloom doctor`` says more."""

    code = "ENV-001"


class LibraryError(ImageloomError):
    """A library failed in a way that has no name of its own."""

    code = "1000"


_NO_SPACE: Final = (errno.ENOSPC, errno.EDQUOT)
_NOT_ALLOWED: Final = (errno.EROFS, errno.EACCES, errno.EPERM)
_NO_DESCRIPTOR: Final = (errno.EMFILE, errno.ENFILE)
_CANNOT_WRITE: Final = (*_NO_SPACE, errno.EROFS)
_WRITE_HINTS: Final[Mapping[int, str]] = {
    **dict.fromkeys(_NO_SPACE, "Free space, or choose a place that has more."),
    **dict.fromkeys(_NOT_ALLOWED, "Choose a place you may write to."),
    errno.EIO: "The disk, or the network it is reached by, reports a fault: see what 'dmesg' says, "
    "and choose a place on another disk.",
    errno.ESTALE: "The network disk lost the file: see whether it is still mounted, and try again.",
    errno.ENAMETOOLONG: "Choose a shorter name or path.",
    errno.ENOENT: "Was a folder deleted or unmounted meanwhile? See that the place is there.",
    errno.ENOTDIR: "A part of the path is a file: choose another place.",
    errno.EISDIR: "A folder has that name: choose another name.",
    errno.ENOTEMPTY: "Choose a place that is empty.",
    errno.EEXIST: "Choose a place that is empty.",
    errno.EFBIG: "Files may not become so large there: see 'ulimit -f', or choose another disk.",
}
_ANY_WRITE_HINT: Final = "See that the place is there and that you may write to it."


def named_error(problem: BaseException) -> ImageloomError | None:
    """Return the error of ours that says what a problem of Python means, or None if none does."""
    if isinstance(problem, ImageloomError):
        return problem
    if isinstance(problem, MemoryError):
        return ModuleOutOfMemoryError(
            f"There is not enough memory: {library_text(problem) or 'an allocation failed'}.",
            hint="Use a smaller batch size or fewer workers, or close other programs.",
            reason="host-memory",
        )
    if isinstance(problem, OSError) and problem.errno in _NO_DESCRIPTOR:
        return too_many_open_files(problem)
    if isinstance(problem, OSError) and problem.errno in _CANNOT_WRITE:
        return write_failure(problem.filename or "A file", problem)
    if isinstance(problem, ImportError):
        return EnvironmentUnsuitableError(
            f"{problem.name or 'A library'} cannot be imported: {library_text(problem)}.",
            hint="See what is wrong with 'imageloom doctor', or install again: 'make install'.",
            reason="import",
        )
    return None


def any_error(problem: BaseException, hint: str) -> ImageloomError:
    """Return the error of ours for whatever was raised; what has no name yet gets the hint."""
    return named_error(problem) or LibraryError(
        f"{type(problem).__name__}: {library_text(problem)}", hint=hint, reason="unexpected"
    )


def too_many_open_files(problem: OSError) -> EnvironmentUnsuitableError:
    """Return the error for a file that could not be opened because too many are open already."""
    if problem.errno == errno.ENFILE:
        return EnvironmentUnsuitableError(
            "The machine has as many files open as it allows for all programs together.",
            hint="Close other programs, or raise the limit: sysctl fs.file-max.",
            reason="open-files",
        )
    return open_files_error(_open_files_limit(), "needs more")


def open_files_error(limit: int, need: str) -> EnvironmentUnsuitableError:
    """Return the error for a process that may not open as many files as it needs.

    Args:
        limit: How many it may have open at once.
        need: What it needs, as in ``needs more``.
    """
    return EnvironmentUnsuitableError(
        f"This process may have {limit} files open at once, and {need}.",
        hint="Raise the limit in the shell before the command, ulimit -n 4096, or ask who set the "
        "hard limit to raise it; until then use --workers 0.",
        reason="open-files",
        details={"limit": limit},
    )


def _open_files_limit() -> int:
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def write_failure(what: object, problem: OSError, *, kept: str = "") -> ImageloomError:
    """Return the error for a place that could not be written, with the system's reason.

    Args:
        what: The place.
        problem: Why; the hint fits it.
        kept: What is not lost, as a sentence that ends the hint.
    """
    if problem.errno in _NO_DESCRIPTOR:  # which says nothing of the place
        return too_many_open_files(problem)
    hint = _WRITE_HINTS.get(problem.errno or 0, _ANY_WRITE_HINT)
    # Libraries have texts of their own around the system's.
    why = os.strerror(problem.errno) if problem.errno else problem.strerror or problem
    return FailedToWriteOutputsError(
        f"{what} could not be written: {why}.",
        hint=f"{hint} {kept}".strip(),
        reason="os-error",
        details={"errno": problem.errno},
    )


def form_problem(problem: "ValidationError") -> str:
    """Return the first place of a value that has not its form, and what is wrong there."""
    first = problem.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}"


def json_problem(problem: Exception, *, is_one_line: bool = False) -> str:
    """Return what is wrong with a JSON text, and the one place where.

    Args:
        problem: What reading it raised.
        is_one_line: Whether the text is one line of a file, whose number is told already.
    """
    if isinstance(problem, json.JSONDecodeError):
        what = problem.msg.removesuffix(" at").removesuffix(" starting")
        line = "" if is_one_line else f"line {problem.lineno:,}, "
        return f"{what[:1].lower()}{what[1:]} in {line}column {problem.colno:,}"
    if isinstance(problem, UnicodeDecodeError):
        return "it is not UTF-8"
    return "it is nested too deep" if isinstance(problem, RecursionError) else str(problem)


def read_failure(what: object, problem: OSError, error: type[ImageloomError]) -> ImageloomError:
    """Return the error, of the caller's class, for a place that could not be read."""
    where = problem.filename if isinstance(problem.filename, str) else what
    place = what if str(where) == str(what) else f"{what} ({where})"
    return error(
        f"{place} could not be read: {problem.strerror or problem}.",
        hint="Is it still there, and may you read it? Is its disk or network share there?",
        reason="os-error",
        details={"errno": problem.errno},
    )


def unknown_name(kind: str, name: str, known: tuple[str, ...]) -> UnknownNameError:
    """Return the error for a name that is not known, with the nearest ones as the hint."""
    nearest = _nearest(name, known)
    meant = f"Did you mean {' or '.join(nearest)}? " if nearest else ""
    return UnknownNameError(
        f"There is no {kind} called {name!r}.",
        hint=f"{meant}Known: {', '.join(known) or 'none'}.",
        details={"name": name, "known": list(known)},
    )


@functools.lru_cache(maxsize=1024)  # 100 us, and hundreds of nodes may be of one missing extension
def _nearest(name: str, known: tuple[str, ...]) -> list[str]:
    return difflib.get_close_matches(name, known, n=3, cutoff=0.5)
