"""Which messages wait for an answer or are out of sight, and what is still to be sent."""

import sqlalchemy as sa

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    for name in ("asks", "hidden"):
        op.add_column(
            "messages", sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())
        )
    op.create_index(
        "ix_messages_asks",
        "messages",
        ["chat_id", "id"],
        sqlite_where=sa.text("asks = 1"),
        postgresql_where=sa.text("asks"),
    )
    op.create_table(
        "drafts",
        sa.Column("id", ID, nullable=False),
        sa.Column("chat_id", ID, nullable=False),
        sa.Column("answers", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("nonce", sa.Text, nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["chats.id"], name="fk_drafts_chat_id_chats", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_drafts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_drafts_chat_id_id", "drafts", ["chat_id", "id"])


def downgrade() -> None:
    op.drop_table("drafts")
    op.drop_index("ix_messages_asks", "messages")
    for name in ("hidden", "asks"):
        op.drop_column("messages", name)
