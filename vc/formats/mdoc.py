"""`mso_mdoc`: documents as ISO/IEC 18013-5 mdoc under ETSI TS 119 472-1 §6."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from vc.cose import sign1
from vc.documents.catalogue import Configuration
from vc.encoding import base64url
from vc.encoding.claims_path import Path
from vc.errors import VerificationFailed
from vc.formats.model import Challenge, Credential, Envelope, PreparedCredential, TranscriptChallenge
from vc.keys.signer import Signer
from vc.mdoc import device_response, handover, issuer_signed
from vc.mdoc import issue as issuing
from vc.mdoc import present as presenting
from vc.mdoc import verify as verifying
from vc.mdoc.device_response import UnverifiedDocument
from vc.mdoc.issuer_signed import UnverifiedIssuerSigned
from vc.mdoc.verify import ETSI_NAMESPACE

FORMAT = "mso_mdoc"


def _namespaces(claims: Mapping[str, Any], envelope: Envelope) -> dict[str, dict[str, Any]]:
    """The document's elements, and those of TS 119 472-1 that speak of the attestation itself (EAA-M-3, EAA-M-5)."""
    namespaces = {namespace: dict(elements) for namespace, elements in claims.items()}
    about: dict[str, Any] = {
        **({"category": envelope.category, "also_known_as": envelope.subject} if envelope.category else {}),
        **({} if envelope.status else {"shortLived": True}),
    }
    if about:
        namespaces[ETSI_NAMESPACE] = {**namespaces.get(ETSI_NAMESPACE, {}), **about}
    return namespaces


@dataclass(frozen=True, slots=True)
class UnverifiedMdocCredential:
    """See `UnverifiedCredential`. `document` is None for an IssuerSigned, which nobody presented."""

    issuer_signed: UnverifiedIssuerSigned = field(repr=False)
    chain: tuple[x509.Certificate, ...]
    document: UnverifiedDocument | None = field(repr=False)
    format: str = FORMAT

    @property
    def type_id(self) -> str:
        return self.issuer_signed.doctype

    @property
    def has_binding(self) -> bool:
        return self.document is not None

    def verify_issuer(self, key: ec.EllipticCurvePublicKey) -> Credential:
        """See `UnverifiedCredential.verify_issuer`."""
        checked = verifying.verify_issuer(self.issuer_signed, key)

        def verify_holder(challenge: Challenge | TranscriptChallenge, now: datetime) -> None:
            if self.document is None:
                raise VerificationFailed("key_binding_missing", "the document was not presented by a holder")
            verifying.verify_device(self.document, checked, session_transcript=_transcript(challenge))

        category = checked.namespaces.get(ETSI_NAMESPACE, {}).get("category")
        return Credential(
            format=FORMAT,
            type_id=checked.doctype,
            claims=checked.namespaces,
            issuer=None,
            issued_at=checked.validity.signed,
            valid_from=checked.validity.valid_from,
            valid_until=checked.validity.valid_until,
            end_inside=True,
            status=checked.status,
            short_lived=checked.short_lived,
            holder=checked.device_key,
            category=category if isinstance(category, str) else None,
            disclosed=frozenset(checked.disclosed),
            chain=self.chain,
            _verify_holder=verify_holder,
        )


def _transcript(challenge: Challenge | TranscriptChallenge) -> bytes:
    if isinstance(challenge, TranscriptChallenge):
        return challenge.session_transcript
    return handover.redirect(challenge.audience, challenge.nonce, challenge.encryption_thumbprint, challenge.response_uri)


class MdocFormat:
    """The row of `mso_mdoc`."""

    def prepare(
        self, configuration: Configuration, claims: Mapping[str, Any], envelope: Envelope, *, random_bytes: Callable[[int], bytes]
    ) -> PreparedCredential:
        prepared = issuing.prepare(
            _namespaces(claims, envelope),
            doctype=configuration.type_id,
            device_key=envelope.holder,
            signed=envelope.issued_at,
            valid_from=envelope.valid_from,
            valid_until=envelope.valid_until,
            status=envelope.status,
            random_bytes=random_bytes,
            protected={sign1.X5U: envelope.certificate_url} if envelope.certificate_url else None,
        )
        return PreparedCredential(format=FORMAT, type_id=configuration.type_id, inner=prepared)

    def sign(self, prepared: PreparedCredential, signer: Signer) -> str:
        return base64url.encode(issuing.sign(prepared.inner, signer))

    def parse_issued(self, text: str) -> UnverifiedMdocCredential:
        parsed = issuer_signed.parse(base64url.decode(text))
        return UnverifiedMdocCredential(parsed, _chain(parsed), None)

    def parse_presented(self, text: str) -> UnverifiedMdocCredential:
        document = device_response.parse(base64url.decode(text)).sole_document()
        return UnverifiedMdocCredential(document.issuer_signed, _chain(document.issuer_signed), document)

    def present(self, text: str, *, holder: Signer, disclose: Collection[Path], challenge: Challenge, now: datetime) -> str:
        data = base64url.decode(text)
        elements = {(str(path[0]), str(path[1])) for path in disclose}
        response = presenting.present(
            data,
            doctype=issuer_signed.parse(data).doctype,
            disclose=elements,
            holder=holder,
            session_transcript=_transcript(challenge),
        )
        return base64url.encode(response)


def _chain(parsed: UnverifiedIssuerSigned) -> tuple[x509.Certificate, ...]:
    """The certificates of `x5chain`; empty when there are none."""
    headers = parsed.issuer_auth
    return parsed.chain if sign1.X5CHAIN in headers.unprotected or sign1.X5CHAIN in headers.protected else ()
