"""Up to which message a chat was told to start over."""

import sqlalchemy as sa

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    id_ = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.add_column("chats", sa.Column("forgotten_through", id_, nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("chats", "forgotten_through")
