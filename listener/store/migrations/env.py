"""How alembic runs: always inside the transaction the store opened."""

from alembic import context

from listener.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, user_module_prefix="types.")
with context.begin_transaction():
    context.run_migrations()
