"""``imageloom store rebuild``."""

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.screen import line
from imageloom.cli.workspace import follow_up, open_existing_engine, workspace_option
from imageloom.system.wording import count


@call_command("rebuild", examples=("imageloom store rebuild",))
@workspace_option
def command(call: Call) -> Outcome:
    """Make the database of the runs anew from their folders.

    The folders are the truth and the database only lists them, so nothing is lost. It is done by
    itself when the database is found to be damaged.
    """
    engine = open_existing_engine(call)
    engine.index.rebuild()
    runs = len(engine.workspace.run_ids())
    return Outcome(
        content={"runs": runs},
        screen=(
            line("Listed", f"{count(runs, 'run')} of {engine.workspace.root}"),
            line("Next", follow_up(call, "runs", "list")),
        ),
    )
