"""``imageloom agent join``."""

import re
from typing import Final

import click

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.screen import line

TOKEN_VARIABLE: Final = "IMAGELOOM_TOKEN"
_LAST_PORT: Final = 65535
_ADDRESS: Final = re.compile(r"(.+):([0-9]{1,5})")


@call_command(
    "join",
    examples=("imageloom agent join 10.0.0.4:29400 --token 6f1c0a4be2d7439c8d5e01f7a2b36c94",),
)
@click.argument("address", metavar="ADDRESS:PORT")
@click.option(
    "--token",
    required=True,
    envvar=TOKEN_VARIABLE,
    show_envvar=True,  # so that the message that it is missing names it
    help="The key that the leading command printed. Whoever may list this machine's processes can "
    f"read it there; in {TOKEN_VARIABLE} only you can.",
)
def command(call: Call) -> Outcome:
    """Let this machine take part in a training that another one leads.

    The other machine prints this command when it is started with --nodes. The run directory and
    the pictures must lie on storage that both see under the same paths. Ctrl+C saves and leaves.
    """
    parts = _ADDRESS.fullmatch(call.text("address"))
    if parts is None:
        raise click.UsageError(f"{call.text('address')!r} is not of the form ADDRESS:PORT.")
    if not 0 < int(parts[2]) <= _LAST_PORT:
        raise click.UsageError(f"{parts[2]} is no port: those are from 1 to {_LAST_PORT}.")
    from imageloom.launch.agent import join_run
    from imageloom.launch.cluster.rendezvous import LeaderAddress

    leader = LeaderAddress(address=parts[1], port=int(parts[2]), token=call.text("token"))
    run = join_run(leader, control=call.control)
    return Outcome(content={"run": str(run)}, screen=(line("Run", f"completed: {run}"),))
