"""What keeps a pipeline from running, in words for people and kinds for programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from imageloom.errors import Detail, InvalidPipelineError, printable
from imageloom.system.wording import count

_SHOWN_CHARS: Final = 3_500  # an error holds 4,096, and how many are left out must still be said


class ProblemKind(StrEnum):
    """The kinds of problems; the value is what programs read."""

    NO_NODES = "no-nodes"
    UNKNOWN_COMPONENT = "unknown-component"
    NEWER_COMPONENT = "newer-component"
    UNKNOWN_PARAMETER = "unknown-parameter"
    PARAMETER_GIVEN_TWICE = "parameter-given-twice"
    BAD_PARAMETER = "bad-parameter"
    UNKNOWN_SETTING = "unknown-setting"
    BAD_SETTING = "bad-setting"
    SETTINGS_NOT_TAKEN = "settings-not-taken"
    UNKNOWN_TARGET = "unknown-target"
    TRACKER = "tracker"
    TOO_MANY_NODES = "too-many-nodes"
    TOO_MANY_PROCESSES = "too-many-processes"
    NO_INTERFACE = "no-interface"
    UNKNOWN_NODE = "unknown-node"
    UNKNOWN_PORT = "unknown-port"
    PORT_TYPES = "port-types"
    OUTPUT_NOT_GIVEN = "output-not-given"
    INPUT_TAKEN_TWICE = "input-taken-twice"
    REPEATED_EDGE = "repeated-edge"
    MISSING_INPUT = "missing-input"
    CYCLE = "cycle"


@dataclass(frozen=True)
class Problem:
    """One thing to put right.

    Attributes:
        kind: What it is.
        message: What was found and what was expected, with node, port and values.
        hint: What to do.
        node: The node where it shows, or empty when it is of the whole pipeline.
        port: The port where it shows, or empty.
        parameter: The parameter or run setting, or empty.
    """

    kind: ProblemKind
    message: str
    hint: str = ""
    node: str = ""
    port: str = ""
    parameter: str = ""


def invalid_pipeline(where: str, problems: Sequence[Problem]) -> InvalidPipelineError:
    """Return one error that lists problems, and says how many it has no room for.

    Args:
        where: What has them: a pipeline's name or file.
        problems: At least one.
    """
    details: dict[str, Detail] = {
        "problems": len(problems),
        "kinds": sorted({str(one.kind) for one in problems}),
    }
    first = problems[0]
    if len(problems) == 1:
        return InvalidPipelineError(
            f"{where}: {first.message}", hint=first.hint, reason=first.kind, details=details
        )
    lines = [f"- {one.message} {one.hint}".rstrip() for one in problems]
    return InvalidPipelineError(
        f"{where} has {count(len(problems), 'problem')}:\n{_fitting(lines)}",
        reason=first.kind,
        details=details,
    )


def _fitting(lines: list[str]) -> str:
    shown: list[str] = []
    room = _SHOWN_CHARS
    for line in map(printable, lines):
        room -= len(line) + 1
        if room < 0 and shown:
            break
        shown.append(line)
    left = len(lines) - len(shown)
    return "\n".join(shown + ([f"- and {left:,} more."] if left else []))
