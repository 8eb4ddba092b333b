"""``imageloom store upload``."""

import click

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.flags import SectionOption
from imageloom.cli.places import PathType
from imageloom.cli.screen import line
from imageloom.cli.workspace import open_engine, workspace_option


@call_command(
    "upload",
    examples=("imageloom store upload photos.zip", "imageloom store upload photos --name ants"),
)
@click.argument("source", type=PathType())
@click.option(
    "--name",
    help="What pipelines call it; by default the name of the file or folder.",
    cls=SectionOption,
    section="Input and output",
)
@workspace_option
def command(call: Call) -> Outcome:
    """Copy a file or folder into the workspace, for pipelines to use by name.

    A pipeline's 'dataset' names it with the parameter 'upload'. It appears whole or not at all,
    SOURCE stays as it is, and nothing is overwritten.
    """
    from imageloom.pipeline.store.uploads import upload

    source = call.path("source")
    name = str(call.arguments.get("name", source.name))
    place = upload(open_engine(call).workspace, source, name)
    return Outcome(
        content={"upload": name, "path": str(place)},
        screen=(line("Wrote", str(place)), line("Next", f"set upload={name} in a dataset's node")),
    )
