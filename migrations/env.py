"""Alembic's entry: runs the revisions on the connection it is given.

There is no alembic.ini. ``nvr db upgrade`` passes the connection, inside a transaction that it commits or undoes, with
foreign keys off because a batch change rebuilds its table. Nothing under ``migrations`` imports nvr: a revision must do
tomorrow what it does today. ``docs/schema.md`` says how to add one.
"""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes.get("metadata"),
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
