"""The reference page of errors, made from ``imageloom.errors``."""

from collections.abc import Iterator

from imageloom.errors import ImageloomError

_START = """\
# Errors

Every known problem is one of these. It says what was found, where, with which values, and what to
do next; no traceback comes first (`--debug` shows it). In Python they are classes of
`imageloom.errors`. Codes of four digits are those of the old designer; codes with letters are
ours. Codes never change their meaning.

A run that failed keeps `error_info.json` in its directory, with the keys `id`, `code`, `type`,
`message`, `hint`, `reason` (a short cause for programs), `details` (the values in the message) and
`resume`. That is `null`, or how a training goes on: its `command` is made of the others, `run`,
`target`, `launch` (options that say on which machines) and `more` (what you fill in). `--json`
prints the same object. Of a failed node there is `log_position` too, where its log has an error:
`offset` in bytes and `line` of where it begins, and the `generation` of the log, which is another
one when the log was cut since.

| Code | Name | What it means | Kind |
|---|---|---|---|
"""


def page() -> str:
    """Return the page."""
    return _START + "\n".join(_rows(ImageloomError)) + "\n"


def _rows(base: type[ImageloomError]) -> Iterator[str]:
    for kind in base.__subclasses__():
        if kind.__module__ != base.__module__:
            continue
        if "code" in vars(kind):
            meaning = (kind.__doc__ or "").strip().replace("``", "`")
            group = "" if base is ImageloomError else f"`{base.__name__}`"
            yield f"| {kind.code} | `{kind.__name__}` | {meaning} | {group} |"
        yield from _rows(kind)
