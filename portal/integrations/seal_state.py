"""What the installation seals with, for whoever looks after it: only what the certificate says, never the key."""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from portal.config import ConfigurationError, Settings
from portal.integrations.seal_keys import find_key


@dataclass(frozen=True)
class SealState:
    """The certificate in use and whether an authority stamps the time; `readable` is false where there is none."""

    readable: bool
    stamps_time: bool
    subject: str = ""
    issuer: str = ""
    valid_from: datetime | None = None
    expires_at: datetime | None = None

    @property
    def is_self_signed(self) -> bool:
        """Whether nobody else vouches for it."""
        return self.readable and self.subject == self.issuer


def read_seal_state(settings: Settings) -> SealState:
    """The state of the seal as it is now; a certificate that cannot be had or read is told as such."""
    stamps = bool(settings.tsa_url)
    try:
        content = find_key(settings).certificate.read_bytes()
        found = x509.load_pem_x509_certificates(content)[0]
    except (ConfigurationError, OSError, ValueError):
        return SealState(readable=False, stamps_time=stamps)
    return SealState(
        readable=True,
        stamps_time=stamps,
        subject=found.subject.rfc4514_string(),
        issuer=found.issuer.rfc4514_string(),
        valid_from=found.not_valid_before_utc,
        expires_at=found.not_valid_after_utc,
    )
