"""The ledger: gaps, stints, segments on their way out, locked events.

Revises 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OPEN_OR_LONG = sa.text("end_us IS NULL OR end_us - start_us >= 3600000000")
LEFT_OUT = sa.text("state NOT IN ('closed', 'salvaged')")


def upgrade() -> None:
    op.create_table(
        "gaps",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("start_us", sa.Integer(), nullable=False),
        sa.Column("end_us", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_gaps"),
        sa.ForeignKeyConstraint(["camera_id"], ["cameras.id"], name="fk_gaps_camera_id_cameras"),
    )
    op.create_index("ix_gaps_start", "gaps", ["start_us", "id"])
    op.create_index("ix_gaps_camera", "gaps", ["camera_id", "start_us", "id"])
    op.create_index("ix_gaps_open_or_long", "gaps", ["start_us", "id"], sqlite_where=OPEN_OR_LONG)
    op.create_table(
        "stints",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("start_us", sa.Integer(), nullable=False),
        sa.Column("alive_us", sa.Integer(), nullable=False),
        sa.Column("end_us", sa.Integer(), nullable=True),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_stints"),
    )
    op.create_index("ix_stints_start", "stints", ["start_us"])
    # SQLite adds a column without touching the rows; a batch would copy every one of them.
    op.add_column("segments", sa.Column("rule", sa.Text(), nullable=True))
    op.add_column("events", sa.Column("locked", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.drop_index("ix_segments_camera", "segments")
    op.create_index("ix_segments_camera", "segments", ["camera_id", "start_us", "id", "end_us", "state", "bytes"])
    op.create_index("ix_segments_left_out", "segments", ["state", "start_us", "id", "camera_id"], sqlite_where=LEFT_OUT)


def downgrade() -> None:
    raise NotImplementedError("restore the backup that nvr db upgrade made")
