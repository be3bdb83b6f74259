"""mdocs for tests, made with plain cbor2 and without the issuing code of the product, so that every field can be wrong.

`Forge` holds what the parts of a good mdoc are; a test changes one part and asks for `issuer_signed()` or `response()`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import cbor2
from cbor2 import CBORTag

from tests.support.pki import NOW, holder, root
from vc.keys.signer import LocalSigner
from vc.mdoc import handover
from vc.x509.certificate import der
from vc.x509.profiles import MDOC_DOCUMENT_SIGNER

DOCTYPE = "org.example.test.1"
FIRST, SECOND = "org.example.first", "org.example.second"
TRANSCRIPT = handover.redirect("x509_hash:test", "nonce", None, "https://verifier.example/response")
SIGNER = root().leaf(eku=(MDOC_DOCUMENT_SIGNER,))
HOLDER = holder()
ABSENT = object()


def tdate(days: float = 0) -> CBORTag:
    """`NOW` and so many days, as tag 0."""
    return CBORTag(0, (NOW + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ"))


def cose_key(signer: LocalSigner) -> dict[int, Any]:
    numbers = signer.public_key.public_numbers()
    return {1: 2, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}


def item(digest_id: Any, element: Any, value: Any, **changes: Any) -> bytes:
    """One IssuerSignedItem; `changes` replace members, `ABSENT` removes them."""
    members = {"digestID": digest_id, "random": bytes(range(16)), "elementIdentifier": element, "elementValue": value, **changes}
    return cbor2.dumps({name: content for name, content in members.items() if content is not ABSENT})


def items() -> dict[str, list[bytes]]:
    return {
        FIRST: [item(0, "first", "one"), item(1, "middle", 2), item(2, "last", CBORTag(1004, "2026-01-31"))],
        SECOND: [item(0, "only", True)],
    }


def tagged(content: Any) -> bytes:
    return cbor2.dumps(CBORTag(24, content))


def sign1(
    payload: bytes | None, signer: LocalSigner, *, protected: Mapping[int, Any], unprotected: Any, content: bytes
) -> list[Any]:
    header = cbor2.dumps({1: -7, **protected})
    return [header, unprotected, payload, signer.sign(cbor2.dumps(["Signature1", header, b"", content]))]


@dataclass
class Forge:
    """`items`: what goes into the document. `digests`: what the MSO says, by default the digests of `items`.
    `mso`, `validity`, `key_info`: members to replace; `ABSENT` removes."""

    items: dict[str, list[bytes]] = field(default_factory=items)
    digests: Any = None
    mso: dict[str, Any] = field(default_factory=dict)
    validity: dict[str, Any] = field(default_factory=dict)
    key_info: dict[str, Any] = field(default_factory=dict)
    protected: dict[int, Any] = field(default_factory=dict)
    unprotected: Any = None
    signer: LocalSigner = SIGNER
    payload: Any = None
    algorithm: str = "SHA-256"
    # the response around it
    doctype: Any = DOCTYPE
    device_namespaces: bytes = b"\xa0"
    device_signer: LocalSigner = HOLDER
    transcript: bytes = TRANSCRIPT
    device_auth: Any = None
    document: dict[str, Any] = field(default_factory=dict)
    envelope: dict[str, Any] = field(default_factory=dict)

    def value_digests(self) -> dict[str, dict[int, bytes]]:
        function = getattr(hashlib, self.algorithm.replace("-", "").lower())
        return {
            namespace: {cbor2.loads(content)["digestID"]: function(tagged(content)).digest() for content in contents}
            for namespace, contents in self.items.items()
        }

    def mso_content(self) -> Any:
        validity = {"signed": tdate(), "validFrom": tdate(), "validUntil": tdate(90), **self.validity}
        mso = {
            "version": "1.0",
            "digestAlgorithm": self.algorithm,
            "valueDigests": self.value_digests() if self.digests is None else self.digests,
            "deviceKeyInfo": {"deviceKey": cose_key(HOLDER), **self.key_info},
            "docType": DOCTYPE,
            "validityInfo": {name: value for name, value in validity.items() if value is not ABSENT},
            **self.mso,
        }
        return {name: value for name, value in mso.items() if value is not ABSENT}

    def issuer_signed_value(self) -> dict[str, Any]:
        payload = tagged(cbor2.dumps(self.mso_content())) if self.payload is None else self.payload
        unprotected = {33: der(self.signer.chain[0])} if self.unprotected is None else self.unprotected
        auth = sign1(payload, self.signer, protected=self.protected, unprotected=unprotected, content=payload)
        namespaces = {namespace: [CBORTag(24, content) for content in contents] for namespace, contents in self.items.items()}
        return {"nameSpaces": namespaces, "issuerAuth": auth}

    def issuer_signed(self) -> bytes:
        return cbor2.dumps(self.issuer_signed_value())

    def response_value(self) -> dict[str, Any]:
        authentication = tagged(
            b"\x84"
            + cbor2.dumps("DeviceAuthentication")
            + self.transcript
            + cbor2.dumps(self.doctype)
            + tagged(self.device_namespaces)
        )
        signature = sign1(None, self.device_signer, protected={}, unprotected={}, content=authentication)
        document = {
            "docType": self.doctype,
            "issuerSigned": self.issuer_signed_value(),
            "deviceSigned": {
                "nameSpaces": CBORTag(24, self.device_namespaces),
                "deviceAuth": {"deviceSignature": signature} if self.device_auth is None else self.device_auth,
            },
            **self.document,
        }
        document = {name: value for name, value in document.items() if value is not ABSENT}
        response = {"version": "1.0", "documents": [document], "status": 0, **self.envelope}
        return {name: value for name, value in response.items() if value is not ABSENT}

    def response(self) -> bytes:
        return cbor2.dumps(self.response_value())
