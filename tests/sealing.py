"""What tests of seals share: a document, its annex, an authority for time stamps that can be away."""

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.keys import load_certs_from_pemder_data, load_private_key_from_pemder_data
from pyhanko.sign.timestamps import DummyTimeStamper

from portal.integrations.pdf import typeset
from portal.integrations.seal import Annex

NOW = datetime(2026, 11, 21, 16, 40, tzinfo=UTC)


def pdf(title: str) -> bytes:
    """One page."""
    data = {"title": title, "mark": "K", "lines": [title]}
    return typeset("stamp.typ", data, locale="en", tenant="Kestrel IT", accent="#1D4ED8", now=NOW)


def annex() -> Annex:
    """What goes behind it."""
    return Annex(pages=pdf("Evidence"), stamp=pdf("Seal"), record=b'{"code": "abc"}', reason="Signed by Ana Moreau")


class Authority(DummyTimeStamper):
    """Stamps by a key of its own, unless it is away."""

    def __init__(self) -> None:
        key = rsa.generate_private_key(65537, 2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Time of the tests")])
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(datetime(2020, 1, 1)).not_valid_after(datetime(2040, 1, 1))
        made = builder.add_extension(usage, critical=True).sign(key, hashes.SHA256())
        pem = serialization.Encoding.PEM
        secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        [certificate] = load_certs_from_pemder_data(made.public_bytes(pem))
        super().__init__(certificate, load_private_key_from_pemder_data(secret, passphrase=None))
        self.away = False

    async def async_request_tsa_response(self, req):
        if self.away:
            raise OSError("nobody answers")
        return await super().async_request_tsa_response(req)
