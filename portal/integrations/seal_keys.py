"""The key that seals documents: the installation's own, or, outside production, one that is made here."""

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portal.config import ConfigurationError, Settings

_VALID_YEARS = 10


@dataclass(frozen=True)
class SealKey:
    """PEM files of a private key and of its certificate, which the chain may follow."""

    key: Path
    certificate: Path


def find_key(settings: Settings) -> SealKey:
    """The configured key; outside production one is made where there is none.

    Raises ConfigurationError in production without a key, and where only one of both files is named.
    """
    if settings.seal_key and settings.seal_certificate:
        return SealKey(settings.seal_key, settings.seal_certificate)
    if settings.seal_key or settings.seal_certificate:
        raise ConfigurationError("PORTAL_SEAL_KEY and PORTAL_SEAL_CERTIFICATE need each other.")
    if settings.production:
        raise ConfigurationError("PORTAL_SEAL_KEY and PORTAL_SEAL_CERTIFICATE are not set; documents are not sealed.")
    made = SealKey(settings.data_dir / "seal" / "key.pem", settings.data_dir / "seal" / "certificate.pem")
    if not made.certificate.exists():
        _make_key(made)
    return made


def _make_key(made: SealKey) -> None:
    """A key and its certificate appear together, by one renaming; of two that make one at a time the first stays."""
    folder = made.key.parent
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".seal-") as workplace:
        ready = Path(workplace) / "seal"
        ready.mkdir(mode=0o700)
        secret, certificate = _new_key()
        with os.fdopen(os.open(ready / made.key.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(secret)
        (ready / made.certificate.name).write_bytes(certificate)
        with suppress(OSError):
            ready.rename(folder)
    if not made.certificate.is_file():
        raise ConfigurationError(f"No key for seals can be made in {folder}.")


def _new_key() -> tuple[bytes, bytes]:
    """A key on P-256 and a certificate that it signs itself, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Portico seal (made by this installation)")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * _VALID_YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return secret, certificate.public_bytes(pem)


def _key_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
