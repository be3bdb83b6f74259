"""What a wallet checks of an issuer before it asks for anything: signed metadata, and the registration certificate in them.

 1 metadata are asked for signed when an authority of access certificates is known, and taken plain when the issuer has no others
 2 what is signed is verified; whoever signed it wrongly has no metadata, plain ones are then not looked at (VCI-META-21)
 3 a registration certificate is of a known registrar, of this organisation, of a provider, and names the type (EAA-I-3)
Where nobody is known who could be believed, that is said and nothing is concluded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID

from edge.outbound import Fetched
from vc.clock import Clock
from vc.errors import Unreachable, VcError, VerificationFailed
from vc.openid4vci import identifiers, metadata, registration_certificate, signed_metadata
from vc.openid4vci.metadata import CredentialConfiguration, IssuerMetadata
from vc.x509.certificate import subject_value
from vc.x509.chain import find_path
from vc.x509.profiles import ACCESS
from wallet_sim import registered
from wallet_sim.transcript import Wire

Chain = tuple[x509.Certificate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownIssuer:
    """An issuer's metadata. `access`: the access certificate that signed them; None for plain ones, which anybody may have sent."""

    metadata: IssuerMetadata
    access: x509.Certificate | None


class IssuerTrust:
    """`access`, `registrars`: authorities of access and of registration certificates. `warn`: tells a person."""

    def __init__(
        self,
        *,
        clock: Clock,
        access: Sequence[x509.Certificate] = (),
        registrars: Sequence[x509.Certificate] = (),
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._clock, self._access, self._registrars, self._warn = clock, tuple(access), tuple(registrars), warn

    def read(self, wire: Wire, credential_issuer: str) -> KnownIssuer:
        """The metadata of one issuer.

        Raises `Unreachable` when they cannot be had, what `signed_metadata.verify` and `find_path` raise for signed ones that
        cannot be believed, and what `metadata.parse` raises.
        """
        accept = f"{signed_metadata.CONTENT_TYPE}, application/json;q=0.5" if self._access else "application/json"
        found = _fetch(wire, identifiers.well_known(credential_issuer, metadata.WELL_KNOWN), accept)
        signers: list[Chain] = []
        document: object = found.body
        if found.media_type == signed_metadata.CONTENT_TYPE and self._access:
            document = signed_metadata.verify(
                found.body.decode("ascii", errors="replace"),
                credential_issuer=credential_issuer,
                now=self._clock(),
                judge=lambda chain: signers.append(self._accessed(chain)),
            )
        elif found.media_type != "application/json":
            raise Unreachable("content_type", "the issuer metadata is not application/json")
        read = metadata.parse(document, credential_issuer=credential_issuer, allow_http_loopback=True)
        wire.transcript.note("issuer metadata", signed=bool(signers))
        return KnownIssuer(metadata=read, access=signers[0][0] if signers else None)

    def check_registered(self, wire: Wire, issuer: KnownIssuer, configurations: Sequence[CredentialConfiguration]) -> None:
        """Whether a registrar says that the issuer may issue these; the person is warned when not (EAA-I-3).

        Raises what `registration_certificate` raises, and `VerificationFailed("registration_unsigned")` for a certificate in
        metadata that nobody signed: it may be of anybody.
        """
        try:
            said = self._registration(wire, issuer, configurations)
        except VcError as fault:
            wire.transcript.note("registration", checked=True, code=fault.code)
            self._warn(f"the registration of the issuer is not in order, nothing is requested: {fault.detail}")
            raise
        wire.transcript.note("registration", checked=said is None, **({} if said is None else {"why": said}))
        if said is not None:
            self._warn(f"the registration of the issuer was not checked: {said}")

    def _registration(self, wire: Wire, issuer: KnownIssuer, configurations: Sequence[CredentialConfiguration]) -> str | None:
        """None when it is in order, else why it was not looked at."""
        if not self._registrars:
            return "no registrar is known to this wallet"
        text = issuer.metadata.registration_certificate
        if text is None:
            return "the issuer shows no registration certificate"
        if issuer.access is None:
            raise VerificationFailed("registration_unsigned", "the metadata with the registration certificate are not signed")
        certificate = registered.read(text, wire, registrars=self._registrars, now=self._clock())
        identifier = subject_value(issuer.access, NameOID.ORGANIZATION_IDENTIFIER)
        for configuration in configurations:
            registration_certificate.check_issuer(
                certificate, organization_identifier=identifier, format=configuration.format, type_id=configuration.type_id
            )
        return None

    def _accessed(self, chain: Chain) -> Chain:
        find_path(chain, anchors=self._access, at=self._clock(), rules=ACCESS)
        return chain


def _fetch(wire: Wire, url: str, accept: str) -> Fetched:
    found = wire.get(url, headers={"accept": accept})
    if found.status != 200:
        raise Unreachable("metadata", f"the issuer metadata could not be fetched: HTTP {found.status}")
    return found
