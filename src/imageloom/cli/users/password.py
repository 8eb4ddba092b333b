"""``imageloom users password``."""

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.screen import line
from imageloom.cli.users.people import ask_password, name_argument, note, open_people
from imageloom.cli.workspace import workspace_option


@call_command("password", examples=("imageloom users password ada",))
@name_argument
@workspace_option
def command(call: Call) -> Outcome:
    """Give a user a new password; wherever they are signed in, that ends at once.

    The password is asked for, or read as a line from stdin where that is no terminal.
    """
    people, name = open_people(call), call.text("name")
    people.users.set_password(name, ask_password())
    note(people, "change password", name)
    return Outcome(content={"name": name}, screen=(line("New password", name),))
