"""What alembic runs: the steps, in the transaction of the connection it is given."""

from alembic import context

from imageloom.pipeline.index.tables import METADATA, VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
context.run_migrations()
