"""Version 0002: when the folders of a workspace were last looked at as a whole."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "imageloom_sweeps",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("mark", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
