"""``imageloom users role``."""

import click

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.screen import line
from imageloom.cli.users.people import ROLES, name_argument, note, open_people
from imageloom.cli.workspace import workspace_option


@call_command("role", examples=("imageloom users role bob editor",))
@name_argument
@click.argument("role", type=click.Choice(ROLES))
@workspace_option
def command(call: Call) -> Outcome:
    """Give a user another role; they sign in anew.

    A viewer sees what is shared. An editor draws, runs, uploads and shares too, and changes what is
    theirs. An admin sees and changes everything, and looks after the users.
    """
    from imageloom.server.people.roles import Role

    people, name, role = open_people(call), call.text("name"), Role(call.text("role"))
    people.users.set_role(name, role)
    note(people, "change role", name)
    return Outcome(content={"name": name, "role": role.value}, screen=(line(name, str(role)),))
