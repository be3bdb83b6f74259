"""Registration certificates as this wallet believes them: of a known registrar, and not withdrawn by its status list."""

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509

from vc.errors import Unreachable, VerificationFailed
from vc.openid4vci import registration_certificate
from vc.openid4vci.registration_certificate import RegistrationCertificate
from vc.status import token
from vc.status.bits import StatusValue
from vc.status.token import MAX_TOKEN
from vc.x509.certificate import public_key
from vc.x509.chain import find_path
from vc.x509.profiles import STATUS_SIGNER, LeafRules
from wallet_sim.transcript import Wire

REGISTRAR = LeafRules(name="registrar", usages=("digital_signature", "content_commitment"))
"""Who signs registration certificates (ETSI TS 119 475 §5.2)."""
_STATUS_LIST = "application/statuslist+jwt"


def read(text: str, wire: Wire, *, registrars: Sequence[x509.Certificate], now: datetime) -> RegistrationCertificate:
    """The certificate, verified; its status list is fetched whole where it names one (TS 119 475 §5.2.4).

    Raises what `registration_certificate.verify` and `find_path` raise, `VerificationFailed("registration_withdrawn")`, and for a
    status list that cannot be had or believed `Unreachable` or what `vc.status.token` raises.
    """

    def known(chain: tuple[x509.Certificate, ...], rules: LeafRules = REGISTRAR) -> None:
        find_path(chain, anchors=registrars, at=now, rules=rules)

    found = registration_certificate.verify(text, now=now, judge=known)
    if found.status is None:
        return found
    fetched = wire.get(found.status.uri, headers={"accept": _STATUS_LIST}, max_bytes=MAX_TOKEN)
    if fetched.status != 200 or fetched.media_type != _STATUS_LIST:
        raise Unreachable("registration_status", "the status list of the registration certificate cannot be had")
    unverified = token.parse_jwt(fetched.body.decode("ascii", errors="replace"))
    known(unverified.chain, STATUS_SIGNER)
    listed = token.verify(unverified, public_key(unverified.chain[0]), uri=found.status.uri, now=now)
    if listed.status(found.status.idx) is not StatusValue.VALID:
        raise VerificationFailed("registration_withdrawn", "the registrar has withdrawn the registration certificate")
    return found
