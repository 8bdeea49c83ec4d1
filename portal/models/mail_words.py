"""What a tenant says in its own words in the mails about tickets."""

from sqlalchemy import Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Tenanted, tenant_key
from portal.models.types import JsonObject, UuidKey


class MailWords(Tenanted, Base):
    """Subject and text of one kind of mail, per language; without a row the mail has the standard words."""

    __tablename__ = "mail_words"
    __table_args__ = (tenant_key(), UniqueConstraint("tenant_id", "kind"))

    id: Mapped[UuidKey]
    kind: Mapped[str] = mapped_column(String(40), comment="which mail, such as ticket_answered")
    texts: Mapped[JsonObject] = mapped_column(
        comment="locale -> {subject, body} with {{placeholders}}; a language without one has the standard words"
    )
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
