"""How large a picture may be; apart, so that a decoding process starts without pydantic."""

from typing import Final

# Pillow warns above this and fails above twice as much; the limit that a user may set stays below.
PILLOW_MAX_PIXELS: Final = 89_478_485
DEFAULT_MAX_PIXELS: Final = 50_000_000
