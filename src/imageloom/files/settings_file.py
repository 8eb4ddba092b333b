"""A TOML file in which a person says what they always want."""

import tomllib
from pathlib import Path

from imageloom.errors import CouldNotOpenFileError, ParameterParsingError


def read_settings_file(
    file: Path, what: str, *, variable: str, must_exist: bool, hint: str
) -> dict[str, object]:
    """Return what a file holds; nothing where it is not there and need not be.

    Args:
        file: The file.
        what: It holds, in the plural: ``targets``.
        variable: Of the environment that may name the file.
        must_exist: Whether somebody named it.
        hint: What such a file looks like.

    Raises:
        CouldNotOpenFileError: It cannot be read, or was named and is not there.
        ParameterParsingError: It is no TOML.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as problem:
        if not must_exist:
            return {}
        raise CouldNotOpenFileError(
            f"{variable} names {file}, but there is no such file.",
            hint="Make it, or unset the variable.",
        ) from problem
    except OSError as problem:
        raise CouldNotOpenFileError(
            f"The {what} in {file} could not be read: {problem.strerror or problem}."
        ) from problem
    except (ValueError, RecursionError) as problem:  # not TOML, or not UTF-8, or too deep
        raise ParameterParsingError(
            f"{file} is not a TOML file: {problem}.", hint=hint
        ) from problem
