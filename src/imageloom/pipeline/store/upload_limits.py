"""How much may be uploaded, and how long what is not finished is kept."""

from typing import Final

MAX_UPLOAD_BYTES: Final = 32 * 1024**3
MAX_DISK_FRACTION: Final = 0.9  # of the free space
PART_BYTES: Final = 4 * 1024 * 1024  # of every part but the last: what a server holds in memory
KEPT_DAYS: Final = 7  # after the last part that came
