"""Which of several processes answers a chat, and until when that is its alone."""

import sqlalchemy as sa

from alembic import op

revision = "0010"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("chats", sa.Column("worker", sa.Text))
    op.add_column("chats", sa.Column("claimed_until", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("chats", "claimed_until")
    op.drop_column("chats", "worker")
