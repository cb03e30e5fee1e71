"""Alembic's entry point: runs the migrations on the connection that it is given."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    transaction_per_migration=False,
    version_table_schema=context.config.attributes["version_table_schema"],
)
with context.begin_transaction():
    context.run_migrations()
