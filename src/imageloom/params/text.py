"""Values of parameters as people write them."""

import json
from typing import Final

NOTHING: Final = "none"
"""How a person writes None, where a parameter takes it."""


def value_text(value: object) -> str:
    """Return the value of a parameter as a person writes it in ``--set``."""
    if value is None:
        return NOTHING
    if isinstance(value, tuple):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
