"""``imageloom users list``."""

import time

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.screen import Column, line, table
from imageloom.cli.users.people import open_people
from imageloom.cli.workspace import workspace_option


@call_command("list", examples=("imageloom users list", "imageloom users list --json"))
@workspace_option
def command(call: Call) -> Outcome:
    """List who may sign in to the studio, and what each may do."""
    users = open_people(call).users.all()
    columns: list[Column] = [("User", "left"), ("Role", "left"), ("Added", "left")]
    rows = [
        [name, str(user.role), time.strftime("%Y-%m-%d", time.localtime(user.added))]
        for name, user in users.items()
    ]
    nobody = (line("Nobody", "imageloom users add NAME --role admin"),)
    return Outcome(
        content={
            "users": [
                {"name": name, "role": user.role.value, "added": user.added}
                for name, user in users.items()
            ]
        },
        screen=(table(columns, rows),) if rows else nobody,
    )
