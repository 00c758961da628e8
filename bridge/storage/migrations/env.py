"""Alembic's entry: runs on the connection that ``store.migrate`` hands over."""

from alembic import context

from bridge.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="bridge_version",
    transactional_ddl=False,
)
context.run_migrations()
