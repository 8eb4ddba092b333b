"""``imageloom studio``."""

import webbrowser
from pathlib import Path

import click

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.places import PathType
from imageloom.cli.screen import line, print_all, stdout_console
from imageloom.cli.workspace import open_engine, workspace_option


@call_command(
    "studio",
    examples=("imageloom studio", "imageloom studio last", "imageloom studio --root pictures"),
)
@click.argument("run", required=False)
@click.option(
    "--root",
    "roots",
    multiple=True,
    type=PathType(),
    metavar="FOLDER",
    help="Show this folder too, beside the current one, your home and the workspace; may be "
    "repeated.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    metavar="N",
    help="Where to listen; 0 takes any free port.  [default: 8460, or the next free one]",
)
@click.option("--no-browser", "is_quiet", is_flag=True, help="Print the link and open nothing.")
@workspace_option
def command(call: Call) -> Outcome:
    """Open the page in which pipelines are drawn, run and looked at.

    With RUN, an id, the beginning of one, or 'last', it opens that run. The page is served from
    this machine to this machine alone; the link that is printed signs your browser in. Runs go on
    when this command ends. Ctrl+C ends it.
    """
    from imageloom.server.serve import listen

    call.first_answer = "the studio stops; runs go on."
    engine = open_engine(call)
    roots = call.arguments.get("roots", ())
    assert isinstance(roots, tuple)
    port = call.arguments.get("port")
    studio = listen(
        engine, base=Path.cwd(), roots=roots, port=port if isinstance(port, int) else None
    )
    link = studio.link_to(
        f"runs/{engine.find_run(call.text('run')).id}" if "run" in call.arguments else ""
    )
    print_all(
        stdout_console(),
        (
            line("Studio", link),
            line("Works in", str(engine.workspace.root)),
            line("Stop", "Ctrl+C; runs go on"),
        ),
    )
    if "is_quiet" not in call.arguments:
        webbrowser.open(link)
    studio.run(call.cancel)
    return Outcome(content={"address": studio.address}, screen=())
