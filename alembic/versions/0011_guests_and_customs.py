"""Who may talk to the bot, what each chat has set for itself, and whether the bot is stopped."""

import sqlalchemy as sa

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.add_column("chats", sa.Column("temperature", sa.Float))
    op.add_column("chats", sa.Column("pace", sa.Text))
    op.add_column("chats", sa.Column("chattiness", sa.Text))
    op.add_column("chats", sa.Column("attempts", sa.Integer, nullable=False, server_default="0"))
    op.create_index("ix_messages_speaker_id", "messages", ["speaker_id"])
    op.create_table(
        "guests",
        sa.Column("id", ID, nullable=False),
        sa.Column("platform", sa.Text, nullable=False),
        sa.Column("guest", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("standing", sa.Text, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_guests"),
        sa.UniqueConstraint("platform", "guest", name="uq_guests_platform_guest"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_guests_standing_id", "guests", ["standing", "id"])
    op.create_table(
        "switches",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_switches"),
    )


def downgrade() -> None:
    op.drop_table("switches")
    op.drop_table("guests")
    op.drop_index("ix_messages_speaker_id", "messages")
    for column in ("attempts", "chattiness", "pace", "temperature"):
        op.drop_column("chats", column)
