"""What the database holds: a row per run, made by ``summary.summarise``, and marks of sweeps."""

from typing import Final

from sqlalchemy import Boolean, Column, Float, Integer, MetaData, Table, Text, true

# Tests hold this against the newest file in migrations/versions, so that alembic, which takes a
# third of a second to import, is only needed when the two differ.
HEAD: Final = "0003"
VERSION_TABLE: Final = "imageloom_schema"

METADATA: Final = MetaData()

# Listing goes by the primary key alone, newest id first: an index beside it could be damaged on its
# own, and ten thousand rows need none.
RUNS: Final = Table(
    "imageloom_runs",
    METADATA,
    Column("workspace", Text, primary_key=True),  # empty in the workspace's own file
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("search", Text, nullable=False),
    Column(
        "state", Text, nullable=False
    ),  # as recorded; 'running' may be 'queued' or 'interrupted'
    Column("created", Float, nullable=False),
    Column("began", Float),
    Column("ended", Float),
    Column("num_nodes", Integer, nullable=False),
    Column("num_done", Integer, nullable=False),
    Column("problem", Text, nullable=False),
    Column("owner", Text, nullable=False, server_default=""),
    Column("is_shared", Boolean, nullable=False, server_default=true()),
    Column("files", Text, nullable=False),  # sizes and times of the files this row was made from
    sqlite_with_rowid=False,
)

# What ``sweep.mark_of`` said when the rows of a workspace were those of its folders.
SWEEPS: Final = Table(
    "imageloom_sweeps",
    METADATA,
    Column("workspace", Text, primary_key=True),
    Column("mark", Text, nullable=False),
    sqlite_with_rowid=False,
)
