"""A person's own targets, from a TOML file with a table for each: ``[lab]``, ``kind = "slurm"``."""

import re
from pathlib import Path
from typing import Final

import imageloom.targets
from imageloom.errors import (
    ParameterError,
    ParameterParsingError,
)
from imageloom.extensions import declare_all
from imageloom.files.settings_file import read_settings_file
from imageloom.registry import Registry
from imageloom.settings import Settings
from imageloom.spec.target import TARGETS, Target
from imageloom.spec.target_kind import TARGET_KINDS

FIXED: Final = "local"  # always this machine, as it is
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def load_targets(settings: Settings) -> Registry[Target]:
    """Return all targets: those that are built in, of extensions, and of the person's file.

    A table of the file replaces a target of the same name, except ``local``.

    Raises:
        CouldNotOpenFileError: The file cannot be read, or was named and is not there.
        ParameterError: A table cannot be used; the message names file, table and option.
        EnvironmentUnsuitableError: The extensions cannot be used.
    """
    declare_all(imageloom.targets)
    # By name: in which order they were declared depends on what was imported before.
    built_in = sorted(TARGETS, key=lambda target: (target.name != FIXED, target.name))
    found = {target.name: target for target in built_in}
    if settings.targets is not None:
        tables = read_settings_file(
            settings.targets,
            "targets",
            variable="IMAGELOOM_TARGETS",
            must_exist=settings.must_have_targets,
            hint="It holds a table for each target. docs/guides/targets.md has examples.",
        )
        found |= {name: _target(settings.targets, name, table) for name, table in tables.items()}
    targets: Registry[Target] = Registry(TARGETS.kind)
    for name, target in found.items():
        targets.declare(name, target)
    return targets


def state_of_targets(settings: Settings) -> str:
    """Return a text that changes whenever the file does that ``load_targets`` reads."""
    try:
        found = settings.targets.stat() if settings.targets is not None else None
    except OSError:
        found = None
    return f"{found.st_ino}:{found.st_size}:{found.st_mtime_ns}" if found is not None else ""


def _target(file: Path, name: str, table: object) -> Target:
    place = f"{file}, target {name!r}"
    if not isinstance(table, dict):
        raise ParameterParsingError(
            f"{file}: {name} stands outside of a table.",
            hint='A target is a table: a line such as [lab], and below it kind = "slurm".',
        )
    if name == FIXED or not _NAME.fullmatch(name):
        raise ParameterParsingError(
            f"{place}: this name cannot be given.",
            hint=f"Use letters, digits, '-' and '_'; {FIXED!r} is always this machine as it is.",
        )
    try:
        kind = TARGET_KINDS.get(_kind(table))
        options = kind.options.parse({key: table[key] for key in table if key != "kind"})
        return kind.make(name, options)
    except ParameterError as error:
        raise type(error)(
            f"{place}: {error.message}", hint=error.hint, details=error.details
        ) from None


def _kind(table: dict[str, object]) -> str:
    kind = table.get("kind")
    if isinstance(kind, str):
        return kind
    found = f"kind is {kind!r}, but must be text" if "kind" in table else "it has no kind"
    raise ParameterParsingError(
        f"{found}.", hint=f'A table says kind = "...". Known: {", ".join(TARGET_KINDS.names())}.'
    )
