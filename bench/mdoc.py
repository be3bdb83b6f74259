"""mdoc: issuing 25 elements, verifying a DeviceResponse of six; ours and pymdoccbor, which knows the issuer's part only."""

import secrets
from collections.abc import Callable
from typing import Any

import cbor2
from cryptography.hazmat.primitives.serialization import Encoding
from pymdoccbor.mdoc.issuer import MdocCborIssuer
from pymdoccbor.mdoc.verifier import MdocCbor

from bench import material
from vc.cose import sign1
from vc.keys.ec import coordinates
from vc.mdoc import device_response, handover, issue, present, verify
from vc.status.reference import StatusReference
from vc.x509.certificate import public_key
from vc.x509.chain import PathCache
from vc.x509.profiles import DOCUMENT_SIGNER

_TRANSCRIPT = handover.redirect(material.AUDIENCE, material.NONCE, None, "https://verifier.example/response")


def ours_issue() -> Callable[[], bytes]:
    """Prepare and sign, x5chain and x5t included."""
    elements = {material.NAMESPACE: material.values()}
    device_key = material.HOLDER.public_key
    status = StatusReference(uri="https://issuer.example/fr-urssaf/status/1", idx=4711)

    def work() -> bytes:
        prepared = issue.prepare(
            elements,
            doctype=material.DOCTYPE,
            device_key=device_key,
            signed=material.NOW,
            valid_from=material.NOW,
            valid_until=material.UNTIL,
            status=status,
            random_bytes=secrets.token_bytes,
        )
        return issue.sign(prepared, material.DOCUMENT_SIGNER)

    work()
    return work


def ours_verify() -> Callable[[], object]:
    """Parse, certificate path (remembered), issuer signature, digests, dates, device signature."""
    shown = present.present(
        ours_issue()(),
        doctype=material.DOCTYPE,
        disclose=[(material.NAMESPACE, name) for name in material.NAMES[: material.SHOWN]],
        holder=material.HOLDER,
        session_transcript=_TRANSCRIPT,
    )
    paths = PathCache([material.IACA], DOCUMENT_SIGNER)

    def work() -> object:
        (document,) = device_response.parse(shown).documents
        leaf = paths.find(sign1.chain_of(document.issuer_signed.issuer_auth), at=material.NOW).certificates[0]
        checked = verify.verify_issuer(document.issuer_signed, public_key(leaf), certificate=leaf)
        return verify.verify_device(document, checked, session_transcript=_TRANSCRIPT)

    work()
    return work


def _peer() -> Callable[[], dict[str, Any]]:
    numbers = material.DOCUMENT_SIGNER.private_key.private_numbers()
    point = numbers.public_numbers
    private = {
        "KTY": "EC2",
        "CURVE": "P_256",
        "ALG": "ES256",
        "D": numbers.private_value.to_bytes(32, "big"),
        "X": point.x.to_bytes(32, "big"),
        "Y": point.y.to_bytes(32, "big"),
        "KID": b"bench",
    }
    x, y = coordinates(material.HOLDER.public_key)
    device = {"KTY": "EC2", "CURVE": "P_256", "X": x, "Y": y}
    elements = {material.NAMESPACE: material.values()}
    chain = [material.DOCUMENT_SIGNER.chain[0].public_bytes(Encoding.DER)]
    validity = {"issuance_date": material.NOW.date().isoformat(), "expiry_date": material.UNTIL.date().isoformat()}

    def work() -> dict[str, Any]:
        issuer = MdocCborIssuer(private_key=dict(private), alg="ES256")
        signed: dict[str, Any] = issuer.new(
            data=elements, doctype=material.DOCTYPE, validity=validity, devicekeyinfo=dict(device), x509_chain=chain
        )
        cbor2.dumps(signed)
        return signed

    work()
    return work


def peer_issue() -> Callable[[], object]:
    """pymdoccbor issuing the same elements."""
    return _peer()


def peer_verify() -> Callable[[], object]:
    """pymdoccbor verifying issuer signature and digests of all 25 elements; it has no device authentication to verify."""
    encoded = cbor2.dumps(_peer()())

    def work() -> object:
        reader = MdocCbor()
        reader.loads(encoded)
        assert reader.verify()
        return reader

    work()
    return work
