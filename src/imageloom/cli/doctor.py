"""``imageloom doctor``."""

import os
from pathlib import Path
from typing import Final

from rich.text import Text

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.screen import line
from imageloom.errors import printable
from imageloom.events import Progress

_STYLES: Final = {"ok": "green", "warn": "yellow", "fail": "bold red"}


@call_command(
    "doctor",
    examples=(
        "imageloom doctor",
        "imageloom doctor --json",
    ),
)
def command(call: Call) -> Outcome:
    """Say what this machine can do, and what to fix.

    Looks at versions, processors, GPUs, precision, memory, shared memory, disk and permissions.
    The exit code is 1 if something would stop a run.
    """
    from imageloom.doctor import Finding, examine
    from imageloom.settings import read_settings

    findings: list[Finding] = []
    for finding in examine(read_settings(os.environ), Path.cwd()):
        findings.append(finding)
        call.on_event(Progress("Looking at this machine", len(findings), None, "findings"))
    failed = [one for one in findings if one.level == "fail"]
    warned = [one for one in findings if one.level == "warn"]
    if failed:
        verdict = f"{len(failed)} of {len(findings)} findings would stop a run."
    elif warned:
        verdict = f"Ready; {len(warned)} of {len(findings)} findings may limit or slow a run."
    else:
        verdict = "Ready."
    return Outcome(
        content={
            "ready": not failed,
            "findings": [finding.to_json() for finding in findings],
        },
        screen=(
            *(
                Text.assemble(
                    (f"{one.level:<5}", _STYLES[one.level]),
                    (f"{one.subject:<23}", "bold"),
                    printable(one.found),
                    f"\n{'':28}-> {one.advice}" if one.advice else "",
                )
                for one in findings
            ),
            line("Verdict", verdict),
            line("Next", "mend what is marked 'fail'" if failed else "imageloom demo"),
        ),
        exit_code=1 if failed else 0,
    )
