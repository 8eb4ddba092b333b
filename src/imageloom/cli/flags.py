"""Options made from parameter sets, so that form, flag, schema and docs cannot disagree."""

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from imageloom.params import NOTHING, ParameterDescription, Params, Value, describe

P = TypeVar("P", bound=Params)
F = TypeVar("F", bound=Callable[..., object])

SHARED: Final = "Options"  # heading of the options that every command has
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,40}")
_METAVARS = {"int": "INTEGER", "float": "NUMBER", "str": "TEXT", "bool": "", "list": "TEXT"}
_KINDS: Final = {
    "int": "whole number",
    "float": "number",
    "str": "text",
    "bool": "true or false",
    "list": "list of texts",
}


class ParameterType(click.ParamType[Value]):
    """Turns text into a value, and leaves what it cannot turn to ``Params.parse``.

    The parameter set names the error, so a wrong value on the command line, in a form and in
    Python is one and the same ``ParameterError``.
    """

    def __init__(self, description: ParameterDescription) -> None:
        self.description = description
        self.name = description.kind

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Return the word that stands for the value in the help."""
        if self.description.choices:
            return f"[{'|'.join(self.description.choices)}]"
        return _METAVARS[self.description.kind]

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Value:
        """Return a whole number as int and anything else as it stands."""
        if not isinstance(value, str):
            assert value is None or isinstance(value, bool | int | float)
            return value
        if self.description.kind == "int" and _WHOLE_NUMBER.fullmatch(value):
            return int(value)
        return value

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the choices."""
        return [CompletionItem(c) for c in self.description.choices if c.startswith(incomplete)]


class SectionOption(click.Option):
    """An option that knows under which heading it stands in the help.

    Args:
        declarations: The option's spellings, as click takes them.
        section: The heading.
        parameter: What the option was made from, if it was made from a parameter.
        **attributes: As ``click.Option``.
    """

    def __init__(
        self,
        declarations: list[str],
        *,
        section: str = SHARED,
        parameter: ParameterDescription | None = None,
        **attributes: object,
    ) -> None:
        super().__init__(declarations, **attributes)  # type: ignore[arg-type]  # passed through
        self.section = section
        self.parameter = parameter


class SectionedCommand(click.Command):
    """A command whose help lists its options under headings and ends with examples.

    Attributes:
        examples: Whole command lines.
    """

    examples: tuple[str, ...] = ()

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, unwrapped so that they can be copied."""
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{example}\n")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one list per heading, in the order in which headings first appear."""
        for heading, params in self.sections(ctx).items():
            records = [param.get_help_record(ctx) for param in params]
            with formatter.section(heading):
                formatter.write_dl([record for record in records if record is not None])

    def sections(self, ctx: click.Context) -> dict[str, list[click.Option]]:
        """Return the options by heading; those that all commands share come last."""
        sections: dict[str, list[click.Option]] = {}
        for param in self.get_params(ctx):
            if isinstance(param, click.Option):
                sections.setdefault(getattr(param, "section", SHARED), []).append(param)
        sections[SHARED] = sections.pop(SHARED)
        return sections


def parameter_options(
    params: type[Params], *, section: str, only: tuple[str, ...] = ()
) -> Callable[[F], F]:
    """Add one option per parameter to a command.

    Args:
        params: The parameter set.
        section: The heading of these options in the help.
        only: The parameters that play a part in this command; all, when empty.
    """
    chosen = [one for one in describe(params) if not only or one.name in only]

    def add(command: F) -> F:
        declared: list[click.Parameter] = command.__dict__.setdefault("__click_params__", [])
        # click collects options from the innermost decorator outwards and turns the list round.
        declared.extend(parameter_option(one, section) for one in reversed(chosen))
        return command

    return add


def parameter_option(description: ParameterDescription, section: str) -> SectionOption:
    """Return the option of one parameter."""
    is_switch = description.kind == "bool"
    is_list = description.kind == "list"
    opposite = f"/--no-{description.flag.removeprefix('--')}" if is_switch else ""
    return SectionOption(
        [description.flag + opposite],
        section=section,
        parameter=description,
        help=f"{description.help} [{facts(description)}]",
        type=None if is_switch else ParameterType(description),
        multiple=is_list,
        default=() if is_list else None,
    )


def facts(description: ParameterDescription) -> str:
    """Return default, range and unit of a parameter as one line."""
    if description.kind == "bool":
        return f"default: {'yes' if description.default else 'no'}"
    if description.kind == "list":
        return f"default: {', '.join(map(str, _several(description.default))) or NOTHING}"
    default = NOTHING if description.default is None else f"{description.default}"
    unit = f"unit: {description.unit}" if description.unit else ""
    allowed = " or ".join(part for part in (description.range_text, *description.words) if part)
    return "; ".join(part for part in (f"default: {default}", allowed, unit) if part)


def _several(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def values_text(description: ParameterDescription) -> str:
    """Return what values are allowed: the choices, or the kind with range and unit."""
    if description.choices:
        return " | ".join(description.choices)
    kind = _KINDS[description.kind]
    allowed = " or ".join(part for part in (description.range_text, *description.words) if part)
    return ", ".join(part for part in (kind, allowed, description.unit) if part)


def given_values(ctx: click.Context) -> dict[str, object]:
    """Return the arguments of a command that a person wrote; defaults are left out."""
    return {
        name: value
        for name, value in ctx.params.items()
        if ctx.get_parameter_source(name) not in (None, ParameterSource.DEFAULT)
    }


def read_params(params: type[P], given: Mapping[str, object]) -> P:
    """Return the parameter set for the flags that were given.

    Args:
        params: The parameter set; names in ``given`` that are not its own are left alone.
        given: Values by parameter name; those not given take their defaults.

    Raises:
        ParameterError: A value cannot be used; the message names the parameter.
    """
    values: dict[str, object] = {}
    for description in describe(params):
        if description.name in given:
            value = given[description.name]
            values[description.name] = None if description.optional and value == NOTHING else value
    return params.parse(values)
