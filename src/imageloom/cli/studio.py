"""``imageloom studio``."""

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import RenderableType

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.places import PathType
from imageloom.cli.screen import line, print_all, stdout_console
from imageloom.cli.workspace import named_run, open_engine, several, workspace_option

if TYPE_CHECKING:
    from imageloom.app import Engine
    from imageloom.server.serve import Listening


@call_command(
    "studio",
    examples=(
        "imageloom studio",
        "imageloom studio last",
        "imageloom studio --root pictures",
        "imageloom studio --listen 127.0.0.1:8460 --origin https://studio.example.org",
    ),
)
@click.argument("run", required=False)
@click.option(
    "--root",
    "roots",
    multiple=True,
    type=PathType(),
    metavar="FOLDER",
    help="Show this folder too, beside the current one, your home and the workspace; may be "
    "repeated. With --listen these alone are shown.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    metavar="N",
    help="Where to listen; 0 takes any free port.  [default: 8460, or the next free one]",
)
@click.option(
    "--listen",
    metavar="HOST:PORT",
    help="Let several people in, who sign in as users; see 'imageloom users'.",
)
@click.option(
    "--origin",
    "origins",
    multiple=True,
    metavar="URL",
    help="With --listen: an address under which people reach the studio, such as that of the proxy "
    "in front; may be repeated.  [default: http://HOST:PORT]",
)
@click.option("--no-browser", "is_quiet", is_flag=True, help="Print the link and open nothing.")
@workspace_option
def command(call: Call) -> Outcome:
    """Open the page in which pipelines are drawn, run and looked at.

    With RUN, an id, the beginning of one, or 'last', it opens that run. The page is served from
    this machine to this machine alone; the link that is printed signs your browser in. With
    --listen it is served to a network, to people who sign in; it has no encryption of its own. Runs
    go on when this command ends. Ctrl+C ends it.
    """
    call.first_answer = "the studio stops; runs go on."
    engine = open_engine(call)
    is_shared = "listen" in call.arguments
    if is_shared and "port" in call.arguments:
        raise click.UsageError("--listen names the port already; leave --port out.")
    if not is_shared and "origins" in call.arguments:
        raise click.UsageError("--origin goes with --listen.")
    studio = _listen_to_people(call, engine) if is_shared else _listen(call, engine)
    link = studio.link_to(
        f"runs/{named_run(engine, call.text('run')).id}" if "run" in call.arguments else ""
    )
    print_all(
        stdout_console(),
        (
            line("Studio", link),
            line("Works in", str(engine.workspace.root)),
            *_about_disk(engine),
            *(_about_encryption(call, studio) if is_shared else ()),
            line("Stop", "Ctrl+C; runs go on"),
        ),
    )
    if "is_quiet" not in call.arguments and not is_shared:
        webbrowser.open(link)
    studio.run(call.cancel)
    return Outcome(content={"address": studio.address}, screen=())


def _listen(call: Call, engine: "Engine") -> "Listening":
    from imageloom.server.serve import listen

    port = call.arguments.get("port")
    roots = _roots(call)
    return listen(
        engine, base=Path.cwd(), roots=roots, port=port if isinstance(port, int) else None
    )


def _listen_to_people(call: Call, engine: "Engine") -> "Listening":
    from imageloom.server.serve import listen_to_people
    from imageloom.server.site import NetworkPlace

    place = NetworkPlace.of(call.text("listen"))
    return listen_to_people(
        engine, place, base=Path.cwd(), roots=_roots(call), origins=several(call, "origins")
    )


def _roots(call: Call) -> tuple[Path, ...]:
    roots = call.arguments.get("roots", ())
    assert isinstance(roots, tuple)
    return roots


def _about_disk(engine: "Engine") -> tuple[RenderableType, ...]:
    """Return what must be known of a workspace that other machines write, too."""
    from imageloom.doctor import workspace_disk

    disk = workspace_disk(engine.settings)
    return () if disk.level == "ok" else (line("Disk", disk.found), line("", disk.advice))


def _about_encryption(call: Call, studio: "Listening") -> tuple[RenderableType, ...]:
    """Return what must be known of a studio that a network reaches."""
    if studio.address.startswith("https://"):
        return (
            line("TLS", f"none of its own: the proxy of {studio.address} must bring it"),
            line("Proxy", f"passes requests on to {call.text('listen')}, and keeps their Host"),
        )
    return (
        line("TLS", "none: passwords and pictures cross the network as they are"),
        line("", "Put a proxy with TLS in front: docs/guides/studio.md"),
    )
