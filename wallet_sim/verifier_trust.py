"""What a wallet checks of a verifier before it answers: that a registrar knows it, and that it asks for no more than it is
registered for (VP-VI-1, -2, EAA-P-3, ARF topic 44).

Where the request shows no registration, or nobody is known who could be believed, the person is told and decides. A registration
that is not in order ends the matter unless the person has said otherwise.
"""

from collections.abc import Callable, Sequence

from cryptography import x509
from cryptography.x509.oid import NameOID

from vc.clock import Clock
from vc.errors import Malformed, VcError, VerificationFailed
from vc.openid4vci import registered_use, registration_certificate
from vc.openid4vci.registered_use import RequestedCredential
from vc.openid4vci.registration_certificate import RegistrationCertificate
from vc.openid4vp.request import AuthorizationRequest
from vc.x509.certificate import subject_value
from wallet_sim import consent, registered
from wallet_sim.transcript import Wire


class VerifierTrust:
    """`registrars`: authorities of registration certificates. `warn`: tells a person. `despite`: answer whatever is wrong."""

    def __init__(
        self,
        *,
        clock: Clock,
        registrars: Sequence[x509.Certificate] = (),
        warn: Callable[[str], None] = lambda _: None,
        despite: bool = False,
    ) -> None:
        self._clock, self._registrars, self._warn, self._despite = clock, tuple(registrars), warn, despite

    def check(self, wire: Wire, request: AuthorizationRequest) -> None:
        """Whether the verifier's registration is in order and covers the request; the person is warned when not.

        Raises, unless told to go on despite, what `registered.read` raises, `Malformed` for a `verifier_info` that breaks its
        rules, and `VerificationFailed`: `registration_subject`, `registration_overasking`.
        """
        try:
            said = self._judge(wire, request)
        except VcError as fault:
            wire.transcript.note("verifier registration", checked=True, code=fault.code, despite=self._despite)
            self._warn(f"the registration of the verifier is not in order: {fault.detail}")
            if self._despite:
                return
            raise
        wire.transcript.note("verifier registration", checked=said is None, **({} if said is None else {"why": said}))
        if said is not None:
            self._warn(f"the registration of the verifier was not checked: {said}")

    def _judge(self, wire: Wire, request: AuthorizationRequest) -> str | None:
        """None when it is in order, else why it was not looked at."""
        if not self._registrars:
            return "no registrar is known to this wallet"
        text = _shown(request)
        if text is None:
            return "the verifier shows no registration certificate"
        certificate = registered.read(text, wire, registrars=self._registrars, now=self._clock())
        asked = tuple(
            RequestedCredential(format=one.format, type_ids=one.type_ids, claims=tuple(claim.path for claim in one.claims or ()))
            for one in request.query.credentials
        )
        identifier = subject_value(request.chain[0], NameOID.ORGANIZATION_IDENTIFIER)
        try:
            registration_certificate.check_request(certificate, organization_identifier=identifier, asked=asked)
        except VerificationFailed:
            self._name_excess(certificate, asked)
            raise
        return None

    def _name_excess(self, certificate: RegistrationCertificate, asked: Sequence[RequestedCredential]) -> None:
        """Tell the person what goes beyond: kinds and claims by name."""
        for one in registered_use.excess(certificate.credentials, asked):
            kind = ", ".join(asked[one.index].type_ids) or "any kind"
            what = "the attestation itself" if one.path is None else "/".join(str(part) for part in one.path)
            self._warn(consent.plain(f"not registered for: {kind}: {what}"))


def _shown(request: AuthorizationRequest) -> str | None:
    """The registration certificate in `verifier_info` (OpenID4VP 1.0 §5.1: an array that is not empty). Raises `Malformed`."""
    info = request.claims.get("verifier_info")
    if info is None:
        return None
    if not isinstance(info, list) or not info:
        raise Malformed("verifier_info", "not a non-empty array", pointer="/verifier_info")
    return registration_certificate.find(info, "/verifier_info")
