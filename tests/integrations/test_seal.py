"""Seals: what was sealed stays provable, and every later change is found."""

import io
import stat
from dataclasses import replace

import pytest
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.signers import pdf_signer
from pypdf import PdfReader

from portal.config import ConfigurationError
from portal.integrations.seal import PadesSeal
from portal.integrations.seal_check import own_certificates, validate
from portal.integrations.seal_keys import find_key
from tests.sealing import Authority, annex, pdf


@pytest.fixture
def own(settings, tmp_path):
    return replace(settings, data_dir=tmp_path)


@pytest.fixture
def document():
    return pdf("Service agreement")


@pytest.fixture
def sealed(own, document):
    return PadesSeal(own).seal(document, annex()).content


def test_a_sealed_file_begins_with_the_very_bytes_that_were_signed_and_holds_the_evidence(own, document, sealed):
    found = validate(sealed, own_certificates(own))
    assert sealed.startswith(document)
    assert found.sound
    assert found.level == "B-B"
    assert found.record == annex().record
    reader = PdfReader(io.BytesIO(sealed))
    assert "Service agreement" in reader.pages[0].extract_text()
    assert "Evidence" in reader.pages[-1].extract_text()
    assert reader.trailer["/Root"]["/AcroForm"]["/Fields"][0].get_object()["/V"]["/SubFilter"] == "/ETSI.CAdES.detached"


def test_a_flipped_byte_is_found_wherever_it_is(own, document, sealed):
    certificates = own_certificates(own)
    for at in (20, len(document) // 2, len(document) + 40, len(sealed) - 40):
        flipped = bytearray(sealed)
        flipped[at] ^= 1
        assert not validate(bytes(flipped), certificates).sound, at


def test_an_update_behind_the_seal_is_found_although_the_seal_itself_holds(own, sealed):
    writer = IncrementalPdfFileWriter(io.BytesIO(sealed))
    writer.root["/Note"] = writer.add_object(writer.root["/Pages"].get_object())
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    found = validate(out.getvalue(), own_certificates(own))
    assert found.readable
    assert found.intact
    assert not found.whole_file
    assert not found.sound


def test_a_truncated_file_is_found(own, document, sealed):
    for length in (len(sealed) - 1, len(sealed) // 2, 10, 0):
        assert not validate(sealed[:length], own_certificates(own)).sound, length
    without = validate(document, own_certificates(own))
    assert without.readable
    assert without.signatures == 0
    assert not without.sound


def test_a_second_signature_is_found(own, sealed, tmp_path, monkeypatch):
    # Honest programs refuse to sign what is certified; others do not.
    monkeypatch.setattr(pdf_signer.PdfSigner, "_enforce_certification_constraints", lambda *_: None)
    key = find_key(replace(own, data_dir=tmp_path / "other"))
    signer = signers.SimpleSigner.load(str(key.key), str(key.certificate))
    writer = IncrementalPdfFileWriter(io.BytesIO(sealed), strict=False)
    meta = signers.PdfSignatureMetadata(field_name="Two", subfilter=fields.SigSeedSubFilter.PADES)
    both = signers.PdfSigner(meta, signer=signer).sign_pdf(writer).getvalue()
    found = validate(both, own_certificates(own))
    assert found.signatures == 2
    assert found.intact
    assert not found.sound


def test_a_seal_by_another_key_is_not_ours(own, sealed, tmp_path):
    found = validate(sealed, own_certificates(replace(own, data_dir=tmp_path / "other")))
    assert found.intact
    assert not found.own
    assert not found.sound


def test_the_authority_makes_it_b_t_and_one_that_was_away_is_asked_again(own, document):
    authority = Authority()
    seal = PadesSeal(own, authority)
    assert seal.seal(document, annex()).level == "B-T"
    authority.away = True
    later = PadesSeal(own, authority).seal(document, annex())
    assert later.level == "B-B"
    assert PadesSeal(own, authority).raise_level(later.content) is None
    authority.away = False
    raised = seal.raise_level(later.content)
    assert raised is not None
    found = validate(raised, own_certificates(own))
    assert found.sound
    assert found.level == "B-T"


def test_the_key_that_is_made_is_for_its_owner_alone_and_stays(own):
    made = find_key(own)
    assert stat.S_IMODE(made.key.stat().st_mode) == 0o600
    before = made.key.read_bytes()
    assert find_key(own).key.read_bytes() == before


def test_production_makes_no_key_and_half_a_pair_is_none(own):
    with pytest.raises(ConfigurationError, match="PORTAL_SEAL_KEY"):
        find_key(replace(own, environment="production"))
    with pytest.raises(ConfigurationError, match="each other"):
        find_key(replace(own, seal_key=own.data_dir / "key.pem"))
