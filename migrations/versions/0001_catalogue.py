"""Cameras, runs, segments, events.

Revises nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

OPEN_OR_LONG = sa.text("end_us IS NULL OR end_us - start_us >= 3600000000")


def upgrade() -> None:
    op.create_table(
        "cameras",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("added_us", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cameras"),
        sa.UniqueConstraint("name", name="uq_cameras_name"),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("start_us", sa.Integer(), nullable=False),
        sa.Column("end_us", sa.Integer(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("codec", sa.Text(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.ForeignKeyConstraint(["camera_id"], ["cameras.id"], name="fk_runs_camera_id_cameras"),
    )
    op.create_index("ix_runs_start", "runs", ["start_us", "id"])
    op.create_index("ix_runs_camera", "runs", ["camera_id", "start_us", "id"])
    op.create_index("ix_runs_open_or_long", "runs", ["start_us", "id"], sqlite_where=OPEN_OR_LONG)
    op.create_table(
        "segments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("start_us", sa.Integer(), nullable=False),
        sa.Column("end_us", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("packets", sa.Integer(), nullable=False),
        sa.Column("codec", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_segments"),
        sa.ForeignKeyConstraint(["camera_id"], ["cameras.id"], name="fk_segments_camera_id_cameras"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_segments_run_id_runs"),
        sa.UniqueConstraint("path", name="uq_segments_path"),
    )
    op.create_index("ix_segments_start", "segments", ["start_us"])
    op.create_index("ix_segments_camera", "segments", ["camera_id", "start_us"])
    op.create_index("ix_segments_run", "segments", ["run_id"])
    op.create_index("ix_segments_open_or_long", "segments", ["start_us"], sqlite_where=OPEN_OR_LONG)
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("start_us", sa.Integer(), nullable=False),
        sa.Column("seen_us", sa.Integer(), nullable=False),
        sa.Column("end_us", sa.Integer(), nullable=True),
        sa.Column("score", sa.REAL(), nullable=False),
        sa.Column("box_left", sa.REAL(), nullable=True),
        sa.Column("box_top", sa.REAL(), nullable=True),
        sa.Column("box_right", sa.REAL(), nullable=True),
        sa.Column("box_bottom", sa.REAL(), nullable=True),
        sa.Column("zones", sa.Text(), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.ForeignKeyConstraint(["camera_id"], ["cameras.id"], name="fk_events_camera_id_cameras"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_start", "events", ["start_us"])
    op.create_index("ix_events_camera", "events", ["camera_id", "start_us"])
    op.create_index("ix_events_kind", "events", ["kind", "start_us"])
    op.create_index("ix_events_label", "events", ["label", "start_us"])
    op.create_index("ix_events_open_or_long", "events", ["start_us"], sqlite_where=OPEN_OR_LONG)


def downgrade() -> None:
    raise NotImplementedError("restore the backup that nvr db upgrade made")
