"""``imageloom users add``."""

import time

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.screen import line
from imageloom.cli.users.people import ask_password, name_argument, note, open_people, role_option
from imageloom.cli.workspace import workspace_option


@call_command(
    "add",
    examples=("imageloom users add ada --role admin", "imageloom users add bob --role viewer"),
)
@name_argument
@role_option(
    "What they may do: look at what is shared, draw and run too, or everything.  [default: editor]"
)
@workspace_option
def command(call: Call) -> Outcome:
    """Add somebody who may sign in to the studio.

    The password is asked for, or read as a line from stdin where that is no terminal. It must have
    12 characters; only its argon2id hash is kept.
    """
    from imageloom.server.people.roles import Role

    people, name = open_people(call), call.text("name")
    role = Role(str(call.arguments.get("role", "editor")))
    people.users.add(name, role, ask_password(), now=time.time())
    note(people, "add user", name)
    return Outcome(
        content={"name": name, "role": role.value},
        screen=(
            line("Added", f"{name}, {role}"),
            line("Next", "imageloom studio --listen HOST:PORT"),
        ),
    )
