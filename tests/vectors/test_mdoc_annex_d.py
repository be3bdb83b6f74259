"""ISO/IEC 18013-5:2021 Annex D through our reader: issuer signature, digests, device MAC, reader authentication, session keys."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vc.cose import sign1
from vc.errors import Refused, VerificationFailed
from vc.mdoc import device_auth, device_response, handover, issuer_signed, tagged
from vc.mdoc.verify import verify_device, verify_issuer
from vc.x509.certificate import from_der, public_key, sha256

HERE = Path(__file__).parent / "iso18013-5-annex-d"
KEYS, DERIVED = (json.loads((HERE / name).read_text()) for name in ("keys.json", "derived_values.json"))
SIGNED = datetime(2020, 10, 1, 13, 30, 2, tzinfo=UTC)


def read(name: str) -> bytes:
    return bytes.fromhex((HERE / f"{name}.hex").read_text().strip())


def private(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int(KEYS[name]["d"], 16), ec.SECP256R1())


DS = from_der(read("ds_cert"))
READER, DEVICE = private("ephemeral_reader"), private("static_device")
TRANSCRIPT = handover.read(read("session_transcript_bytes"))


def document() -> device_response.UnverifiedDocument:
    return device_response.parse(read("device_response")).sole_document()


def test_issuer_signature_with_the_pinned_document_signer_and_the_six_digests() -> None:
    unverified = document().issuer_signed
    assert sha256(unverified.chain[0]) == sha256(DS)
    mdoc = verify_issuer(unverified, public_key(DS))
    assert (mdoc.doctype, mdoc.validity.signed, mdoc.validity.valid_from) == ("org.iso.18013.5.1.mDL", SIGNED, SIGNED)
    assert mdoc.validity.valid_until == SIGNED.replace(year=2021)
    elements = dict(mdoc.namespaces["org.iso.18013.5.1"])
    portrait = elements.pop("portrait")
    assert portrait.startswith("_9j_4AAQSkZJRg")
    assert elements == {
        "family_name": "Doe",
        "issue_date": "2019-10-20",
        "expiry_date": "2024-10-20",
        "document_number": "123456789",
        "driving_privileges": [
            {"vehicle_category_code": "A", "issue_date": "2018-08-09", "expiry_date": "2024-10-20"},
            {"vehicle_category_code": "B", "issue_date": "2017-02-23", "expiry_date": "2024-10-20"},
        ],
    }
    assert mdoc.device_key.public_numbers() == DEVICE.public_key().public_numbers()
    assert mdoc.status is None
    assert mdoc.mso.value_digests.keys() == {"org.iso.18013.5.1", "org.iso.18013.5.1.US"}


def test_each_of_the_six_items_is_compared() -> None:
    response = read("device_response")
    for item in document().issuer_signed.namespaces["org.iso.18013.5.1"]:
        at = response.index(item.received) + len(item.received) - 1
        altered = response[:at] + bytes((response[at] ^ 1,)) + response[at + 1 :]
        with pytest.raises(VerificationFailed) as failure:
            verify_issuer(device_response.parse(altered).sole_document().issuer_signed, public_key(DS))
        assert failure.value.code == "mdoc_digest"
        assert failure.value.pointer == f"/org.iso.18013.5.1/{item.element}"


def test_issuer_auth_and_mso_files_are_those_of_the_response() -> None:
    unverified = document().issuer_signed
    auth = sign1.parse(cbor2.loads(read("issuer_auth")))
    assert (auth.payload, auth.signature) == (unverified.issuer_auth.payload, unverified.issuer_auth.signature)
    assert unverified.issuer_auth.payload == read("mobile_security_object_bytes")


def test_device_authentication_bytes_and_mac_key() -> None:
    shown = document()
    content = device_auth.authentication_bytes(TRANSCRIPT, shown.doctype, shown.device_namespaces)
    assert content.hex() == DERIVED["device_authentication_bytes"]
    assert device_auth.mac_key(DEVICE.public_key(), READER, TRANSCRIPT).hex() == DERIVED["EMacKey"]


def test_device_mac_verifies_with_the_reader_key_of_the_session_only() -> None:
    shown = document()
    mdoc = verify_issuer(shown.issuer_signed, public_key(DS))
    assert verify_device(shown, mdoc, session_transcript=TRANSCRIPT, e_reader=READER) == {}
    with pytest.raises(Refused) as refused:
        verify_device(shown, mdoc, session_transcript=TRANSCRIPT)
    assert refused.value.code == "device_mac"
    for key, transcript in ((private("ephemeral_device"), TRANSCRIPT), (READER, handover.dc_api("https://other", "n", None))):
        with pytest.raises(VerificationFailed) as failed:
            verify_device(shown, mdoc, session_transcript=transcript, e_reader=key)
        assert failed.value.code == "device_mac"


def test_reader_authentication() -> None:
    auth = sign1.parse(cbor2.loads(read("reader_auth")))
    certificate = from_der(read("reader_cert"))
    assert sign1.chain_of(auth) == (certificate,)
    content = b"\x83" + cbor2.dumps("ReaderAuthentication") + TRANSCRIPT + tagged.wrap(read("items_request")).tagged
    whole = tagged.wrap(content).tagged
    assert whole.hex() == DERIVED["reader_authentication_bytes"]
    sign1.verify(auth, public_key(certificate), payload=whole)


@pytest.mark.parametrize(
    ("label", "sender", "file", "plain"),
    [
        ("SKReader", b"\x00" * 8, "session_establishment", "device_request"),
        ("SKDevice", b"\x00" * 7 + b"\x01", "session_data", "device_response"),
    ],
)
def test_session_data_decrypts_to_the_messages(label: str, sender: bytes, file: str, plain: str) -> None:
    salt = hashlib.sha256(read("session_transcript_bytes")).digest()
    shared = private("ephemeral_device").exchange(ec.ECDH(), READER.public_key())
    key = HKDF(algorithm=SHA256(), length=32, salt=salt, info=label.encode()).derive(shared)
    assert key.hex() == DERIVED[label]
    message: Any = cbor2.loads(read(file))
    assert AESGCM(key).decrypt(sender + b"\x00\x00\x00\x01", message["data"], b"") == read(plain)


def test_session_transcript_reads_in_both_forms_and_refuses_other_things() -> None:
    assert handover.read(TRANSCRIPT) == TRANSCRIPT
    assert tagged.wrap(TRANSCRIPT).tagged == read("session_transcript_bytes")


def test_the_mso_with_status_of_the_status_list_draft() -> None:
    example = json.loads((HERE.parent / "status-list/mdoc_mso_with_status.json").read_text())
    auth = cbor2.loads(bytes.fromhex(example["issuer_auth_cose_sign1_untagged_hex"]))
    unverified = issuer_signed.parse(cbor2.dumps({"issuerAuth": auth}))
    mdoc = verify_issuer(unverified, public_key(unverified.chain[0]))
    assert mdoc.status is not None
    assert {"status_list": {"idx": mdoc.status.idx, "uri": mdoc.status.uri}} == example["mso_status"]
    assert mdoc.namespaces == {}
