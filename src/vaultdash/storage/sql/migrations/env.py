"""Runs the migrations within the transaction of the one who asked."""

from alembic import context

from vaultdash.storage.sql.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
