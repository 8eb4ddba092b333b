"""The batch script of a job, as text. It stays in the job's folder and can be read and run there.

What the script promises: the program gets SIGTERM when Slurm warns of the time limit or of
pre-emption; when it then ends with exit code 143, and nobody asked for that end, the job goes back
into the queue and so goes on by itself, unless its time is too short to get anywhere. Its exit code
is written down when it has really ended.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from imageloom.spec.job import LOG_FILE
from imageloom.spec.scale import Scale
from imageloom.spec.target import AGENT_VARIABLE
from imageloom.targets.slurm.options import MIN_WORK_S

SCRIPT_FILE: Final = "job.sbatch"
ENVIRONMENT_FILE: Final = "job.environment"
EXIT_FILE: Final = "job.exit"
STOP_FILE: Final = "job.stop"
OUTER_LOG_FILE: Final = "logs/70_mpi_log.txt"


@dataclass(frozen=True)
class Script:
    """What a batch script says.

    Attributes:
        name: The job's name in the queue.
        program: The whole command: what stands before Python, Python, and its arguments.
        agent: The same for each of the other machines of a job of several.
        scale: On how many machines and processes.
        queue: Options of sbatch.
        setup: Lines of shell before the program.
        time_limit: As sbatch takes it; empty for that of the queue.
        save_s: Seconds before the time limit at which the program is asked to save and stop.
    """

    name: str
    program: Sequence[str]
    agent: Sequence[str]
    scale: Scale
    queue: Sequence[str]
    setup: Sequence[str]
    time_limit: str
    save_s: int

    def __str__(self) -> str:
        """Return the text of the script."""
        return "\n".join(["#!/bin/bash -l", *self._options(), "", *self._body(), ""])

    def _options(self) -> list[str]:
        options = [
            f"--job-name={self.name}",
            f"--nodes={self.scale.node_range('-')}",
            # One task per machine, which starts the other processes itself. --ntasks-per-node=1
            # would say so, but of --nodes=1-2 Slurm 22.05 then gives 1 where 2 are free.
            f"--cpus-per-task={self.scale.processes_per_node}",
            f"--output={OUTER_LOG_FILE}",
            "--open-mode=append",
            "--requeue",
            f"--signal=B:USR1@{self.save_s}",
            "--export=NIL",  # variables come from a file, so that no secret is handed over
        ]
        if self.scale.is_elastic:
            options.append("--no-kill")  # the machines that are left go on
        if self.time_limit:
            options.append(f"--time={self.time_limit}")
        # Of two equal options the later one holds, so a person's stand last.
        return [f"#SBATCH {option}" for option in [*options, *self.queue]]

    def _body(self) -> list[str]:
        setup = ["# What the target's set-up says:", *self.setup, ""] if self.setup else []
        is_alone = self.scale.max_nodes == 1
        agents = [] if is_alone else [_AGENTS.replace("@words", _json_words(self.agent))]
        return [_BEGIN, *setup, *agents, _RUN.replace("@program", shlex.join(self.program))]


_BEGIN: Final = f"""\
# Written by Imageloom. By hand it is submitted from the folder in which it lies.
echo "$(date) job $SLURM_JOB_ID on $SLURM_JOB_NODELIST, start $((${{SLURM_RESTART_COUNT:-0}} + 1))"
rm -f {EXIT_FILE}  # of a start that Slurm itself put back into the queue
unset SLURM_JWT  # Slurm hands on its own variables, and this one is a secret
. ./{ENVIRONMENT_FILE}
"""
_AGENTS: Final = f"""\
# How the program starts its helpers on the other machines.
others=$((SLURM_JOB_NUM_NODES - 1))
cpus=${{SLURM_CPUS_PER_TASK:-1}}
if [ "$others" -gt 0 ]; then
    export {AGENT_VARIABLE}='[@words]'
fi
"""
_RUN: Final = f"""\
# Slurm warns of the time limit by USR1 and of pre-emption by TERM; either way the program saves.
warn() {{ warned=$1; interrupted=1; kill -TERM "$program" 2>/dev/null; }}
trap 'limit_s=$SECONDS; warn "the time limit is near"' USR1
trap 'warn SIGTERM' TERM
# Somebody has waited long enough. Slurm itself would first wait for its KillWait.
trap 'interrupted=1; kill -KILL "$program" 2>/dev/null' USR2

@program >>{LOG_FILE} 2>&1 </dev/null &
program=$!
interrupted=1
while [ -n "$interrupted" ]; do  # a signal ends 'wait' before the program has ended
    interrupted=
    wait "$program"
    code=$?
done

# 143: it has saved and stopped. Unless somebody asked for that, it goes on from there later.
# squeue is not asked, for variables that the shell of the job sets could narrow what it sees.
if [ "$code" -eq 143 ] && [ ! -e {STOP_FILE} ] \\
        && scontrol show job "$SLURM_JOB_ID" | grep -q 'JobState=RUNNING'; then
    if [ "${{limit_s:-{MIN_WORK_S}}}" -lt {MIN_WORK_S} ]; then
        echo "$(date) the time limit was near after $limit_s s; a new start would lead nowhere:" \\
            "not put back into the queue. Raise time_limit or lower save_s"
    else
        echo "$(date) saved and stopped (${{warned:-somebody asked it to}}): back into the queue"
        trap '' TERM
        scontrol requeue "$SLURM_JOB_ID" && exit
    fi
fi
echo "$(date) ended with exit code $code"
echo "$code" >{EXIT_FILE}.partial && mv {EXIT_FILE}.partial {EXIT_FILE}
exit "$code"
"""


def agent_words(container: Sequence[str], python: str) -> list[str]:
    """Return the command that starts one process on each of the other machines of a job."""
    step = (
        "--nodes=@others",
        "--ntasks=@others",
        "--ntasks-per-node=1",
        "--exclude=@SLURMD_NODENAME",
    )
    rest = ("--cpus-per-task=@cpus", "--export=ALL", "--no-kill")
    started = (*container, python, "-u", "-P", "-m", "imageloom", "agent", "work")
    return ["srun", *step, *rest, "--kill-on-bad-exit=0", *started]


def environment_text(environment: Mapping[str, str]) -> str:
    """Return lines of shell that set variables."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    return "\n".join(lines) + "\n"


def _json_words(words: Sequence[str]) -> str:
    """Return the inside of a JSON list, for single quotes of a shell that fill in its variables."""
    text = ", ".join(json.dumps(word) for word in words).replace("'", "\\u0027")
    for name in ("others", "cpus", "SLURMD_NODENAME"):
        text = text.replace(f"@{name}", f"'\"${name}\"'")
    return text
