"""`dc+sd-jwt`: documents as SD-JWT VC (draft-13) under ETSI TS 119 472-1 §5."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

import vc.sdjwt.vc as sd_jwt_vc
from vc.clock import to_numeric_date
from vc.documents.catalogue import Configuration
from vc.encoding import base64url
from vc.encoding.claims_path import Path
from vc.errors import VerificationFailed
from vc.formats.model import Challenge, Credential, Envelope, PreparedCredential, TranscriptChallenge
from vc.jose import jws
from vc.keys import jwk
from vc.keys.signer import Signer
from vc.sdjwt import issue as issuing
from vc.sdjwt import present as presenting
from vc.sdjwt import verify as verifying
from vc.sdjwt.issue import Plan
from vc.sdjwt.verify import UnverifiedSdJwt
from vc.status import reference
from vc.x509.certificate import sha256

FORMAT = "dc+sd-jwt"


@lru_cache(maxsize=64)
def _plan(disclosable: tuple[Path, ...]) -> Plan:
    """One plan per profile: it is used for every credential of it."""
    return issuing.plan(disclosable)


def _payload(configuration: Configuration, claims: Mapping[str, Any], envelope: Envelope) -> dict[str, Any]:
    """The claims of the credential before anything is hidden: envelope, then document."""
    etsi = envelope.category is not None
    return {
        "iss": envelope.issuer,
        "iat": to_numeric_date(envelope.issued_at),
        "nbf": to_numeric_date(envelope.valid_from),  # EAA-S-3: both ends of the technical validity
        "exp": to_numeric_date(envelope.valid_until),
        "vct": configuration.type_id,
        **({"vct#integrity": envelope.vct_integrity} if envelope.vct_integrity else {}),
        "cnf": {"jwk": jwk.from_public(envelope.holder)},
        "sub": envelope.subject,
        "jti": envelope.attestation_id,
        **({"category": envelope.category} if envelope.category else {}),
        **({"iss_reg_id": envelope.registration_id} if etsi and envelope.registration_id else {}),
        # EAA-S-6: one of the two, never both
        **({"status": reference.to_claim(envelope.status, etsi=etsi)} if envelope.status else {"shortLived": None}),
        **claims,
    }


@dataclass(frozen=True, slots=True)
class UnverifiedSdJwtCredential:
    """See `UnverifiedCredential`."""

    inner: UnverifiedSdJwt = field(repr=False)
    type_id: str
    chain: tuple[x509.Certificate, ...]
    format: str = FORMAT

    @property
    def has_binding(self) -> bool:
        return self.inner.key_binding is not None

    def verify_issuer(self, key: ec.EllipticCurvePublicKey) -> Credential:
        """See `UnverifiedCredential.verify_issuer`."""
        signed = verifying.verify_issuer(self.inner, key)
        named = signed.header.get("x5t#S256")
        if named is not None and self.chain and named != base64url.encode(sha256(self.chain[0])):  # RFC 7515 §4.1.8, EAA-S-11
            raise VerificationFailed("x5t", "the header names another certificate than the signer's")
        checked = sd_jwt_vc.check(signed)

        def verify_holder(challenge: Challenge | TranscriptChallenge, now: datetime) -> None:
            if not isinstance(challenge, Challenge):
                raise VerificationFailed("key_binding_expectation", "an SD-JWT is bound to nonce and audience, not to a transcript")
            verifying.verify_key_binding(
                self.inner,
                holder=checked.holder,
                nonce=challenge.nonce,
                audience=challenge.audience,
                now=now,
            )

        return Credential(
            format=FORMAT,
            type_id=checked.vct,
            claims=signed.claims,
            issuer=checked.issuer,
            issued_at=checked.issued_at,
            valid_from=checked.not_before,
            valid_until=checked.expires,
            end_inside=False,
            status=checked.status,
            short_lived=checked.short_lived,
            holder=checked.holder,
            category=checked.category,
            disclosed=frozenset(signed.disclosed),
            chain=self.chain,
            _verify_holder=verify_holder,
        )


class SdJwtFormat:
    """The row of `dc+sd-jwt`."""

    def prepare(
        self, configuration: Configuration, claims: Mapping[str, Any], envelope: Envelope, *, random_bytes: Callable[[int], bytes]
    ) -> PreparedCredential:
        header = {"typ": FORMAT, **({"x5u": envelope.certificate_url} if envelope.certificate_url else {})}
        prepared = issuing.prepare(
            _payload(configuration, claims, envelope),
            disclosable=_plan(configuration.profile.disclosable),
            header=header,
            random_bytes=random_bytes,
        )
        return PreparedCredential(format=FORMAT, type_id=configuration.type_id, inner=prepared)

    def sign(self, prepared: PreparedCredential, signer: Signer) -> str:
        return issuing.sign(prepared.inner, signer)

    def parse_issued(self, text: str) -> UnverifiedSdJwtCredential:
        return _unverified(verifying.parse(text, issued=True))

    def parse_presented(self, text: str) -> UnverifiedSdJwtCredential:
        return _unverified(verifying.parse(text))

    def present(self, text: str, *, holder: Signer, disclose: Collection[Path], challenge: Challenge, now: datetime) -> str:
        chosen = presenting.present(text, disclose=disclose)
        return presenting.bind(chosen, holder=holder, nonce=challenge.nonce, audience=challenge.audience, now=now)


def _unverified(inner: UnverifiedSdJwt) -> UnverifiedSdJwtCredential:
    vct = inner.payload.get("vct")
    chain = jws.chain_of(inner.jws) if "x5c" in inner.jws.header else ()
    return UnverifiedSdJwtCredential(inner=inner, type_id=vct if isinstance(vct, str) else "", chain=chain)
