"""``imageloom users remove``."""

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.screen import line
from imageloom.cli.users.people import name_argument, note, open_people
from imageloom.cli.workspace import workspace_option


@call_command("remove", examples=("imageloom users remove bob",))
@name_argument
@workspace_option
def command(call: Call) -> Outcome:
    """Remove a user; wherever they are signed in, that ends at once.

    What they drew, ran and uploaded stays, and admins see it. The only admin is not removed.
    """
    people, name = open_people(call), call.text("name")
    people.users.remove(name)
    note(people, "remove user", name)
    return Outcome(content={"removed": name}, screen=(line("Removed", name),))
