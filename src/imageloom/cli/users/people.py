"""What the commands around users share."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from imageloom.cli.call import Call
from imageloom.cli.flags import F
from imageloom.cli.workspace import open_engine
from imageloom.errors import ParameterParsingError
from imageloom.system.machine import login_name

if TYPE_CHECKING:
    from imageloom.server.people.register import People

ROLES = ("viewer", "editor", "admin")
_MAX_LINE = 4_096


def open_people(call: Call) -> "People":
    """Return the people of the workspace that the person named, or of the usual one."""
    from imageloom.server.people.register import People

    return People.of(open_engine(call).workspace)


def note(people: "People", what: str, name: str) -> None:
    """Write down what was done here, beside what is done in the page."""
    from imageloom.server.people.register import deed_at_terminal

    people.note(deed_at_terminal(login_name(), what, name))


def name_argument(command: F) -> F:
    """Add the name of a user."""
    return click.argument("name")(command)


def role_option(help: str) -> Callable[[F], F]:
    """Add ``--role``."""
    return click.option("--role", type=click.Choice(ROLES), default="editor", help=help)


def ask_password() -> str:
    """Return a password from the terminal, where it is not shown, or else from a line of stdin.

    Raises:
        ParameterParsingError: Nothing came.
    """
    if sys.stdin.isatty():
        asked = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return str(asked)
    password = sys.stdin.readline(_MAX_LINE).rstrip("\r\n")
    if not password:
        raise ParameterParsingError(
            "No password came on stdin.",
            hint="Type the command in a terminal, or write the password into its stdin. It is "
            "never an argument: others could see it in the list of processes.",
            reason="no-password",
            details={"parameter": "password"},
        )
    return password
