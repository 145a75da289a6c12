"""Events: why they began and ended, what people and cameras say of them, their paths, and a feed of their changes.

Revises 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ALONE = sa.text("kind = 'camera' AND same_as IS NULL")
DENIED = sa.text("marked_false = 1")


def upgrade() -> None:
    # SQLite adds a column without touching the rows; a batch would copy every one of them.
    op.add_column("events", sa.Column("thumbnail", sa.Text(), nullable=True))
    op.add_column("events", sa.Column("began", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("events", sa.Column("ended", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("events", sa.Column("marked_false", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("events", sa.Column("received_us", sa.Integer(), nullable=True))
    op.add_column("events", sa.Column("detail", sa.Text(), server_default=sa.text("''"), nullable=False))
    # Only in words of its own: SQLite adds a constraint with its column, and in no other way.
    op.execute(
        "ALTER TABLE events ADD COLUMN same_as INTEGER "
        "CONSTRAINT fk_events_same_as_events REFERENCES events (id) ON DELETE SET NULL"
    )
    op.create_index("ix_events_alone", "events", ["camera_id", "start_us"], sqlite_where=ALONE)
    op.create_index("ix_events_same_as", "events", ["same_as"], sqlite_where=sa.text("same_as IS NOT NULL"))
    op.create_index("ix_events_denied", "events", ["start_us"], sqlite_where=DENIED)
    op.create_table(
        "paths",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("start_us", sa.Integer(), nullable=False),
        sa.Column("points", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_paths"),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name="fk_paths_event_id_events", ondelete="CASCADE"),
    )
    op.create_table(
        "changes",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_changes"),
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup that nvr db upgrade made")
