"""``imageloom targets check``."""

import os
import secrets
import time

import click

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.screen import line, table
from imageloom.cli.targets.list import target_to_json
from imageloom.settings import read_settings
from imageloom.system.wording import count


@call_command("check", examples=("imageloom targets check local", "imageloom targets check lab"))
@click.argument("name")
@click.option(
    "--timeout-s",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="How long to wait for the hello, the time in a queue included. By default 300.",
)
def command(call: Call) -> Outcome:
    """Run a small job on a target: two processes that find each other and add numbers.

    It says which machines they ran on, with which versions, and how long it took. What goes wrong
    here would go wrong in a training as well, only later.
    """
    from imageloom.remote.check import say_hello
    from imageloom.remote.target_file import load_targets

    settings = read_settings(os.environ)
    target = load_targets(settings).get(call.text("name"))
    target.require_reachable()
    began = time.monotonic()
    timeout_s = call.arguments.get("timeout_s", 300.0)
    assert isinstance(timeout_s, float)
    greetings = say_hello(
        target,
        settings.workspace / "checks" / f"{target.name}-{secrets.token_hex(4)}",
        timeout_s=timeout_s,
        control=call.control,
    )
    seconds = time.monotonic() - began
    limits = target.limits
    processes = count(limits.processing_units_per_node, "process", "processes")
    return Outcome(
        content={
            **target_to_json(target, ""),
            "ranks": [one.model_dump() for one in greetings],
            "seconds": seconds,
        },
        screen=(
            line("Limits", f"{count(limits.nodes, 'machine')}, {processes} on each"),
            table(
                [
                    ("Rank", "right"),
                    ("Machine", "left"),
                    ("Python", "left"),
                    ("torch", "left"),
                    ("GPUs", "right"),
                    ("Seconds", "right"),
                ],
                [
                    [
                        str(one.rank),
                        one.host,
                        one.python,
                        one.torch,
                        str(one.gpus),
                        f"{one.seconds:.1f}",
                    ]
                    for one in greetings
                ],
            ),
            line("Works", f"{count(len(greetings), 'rank')} answered after {seconds:.1f} s"),
            line("Next", f"imageloom train --target {target.name} ..."),
        ),
    )
