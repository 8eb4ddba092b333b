"""Version 0003: whose a run is, and whether others see it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns; runs of before have no owner and are seen by all."""
    owner = sa.Column("owner", sa.Text, nullable=False, server_default="")
    is_shared = sa.Column("is_shared", sa.Boolean, nullable=False, server_default=sa.true())
    op.add_column("imageloom_runs", owner)
    op.add_column("imageloom_runs", is_shared)
