"""What is checked before a credential is stored (SECURITY W-5): nothing an issuer sends is believed because it came by TLS.

1 it can be read, is of the offered format, and carries no key binding (R-16)
2 the chain it names has no anchor in it and no self-signed leaf (HAIP 1.0 §6.1.1), and its leaf signed the credential
3 it is of the offered type and has the claims the metadata call mandatory
4 it is bound to the key whose possession we proved, each copy to another one
5 it has not expired
6 all copies of a batch say the same (VCI-CRED-10)
7 the issuer stands on the trust list, when a trust root is known
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric import ec

from vc import formats
from vc.encoding import claims_path
from vc.encoding.claims_path import Path
from vc.errors import VerificationFailed
from vc.formats import Credential
from vc.keys.jwk import thumbprint
from vc.x509.certificate import public_key
from vc.x509.chain import check_presented

# Claims that differ between the copies of one batch, and must (VCI-CRED-10).
_OWN_TO_A_COPY = frozenset({"cnf", "status", "sub", "jti", "iat", "nbf", "exp", "also_known_as"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What the issuer's metadata promise for one configuration; `mandatory`: paths of claims that must be there."""

    format: str
    type_id: str
    mandatory: tuple[Path, ...] = ()


class IssuerJudge(Protocol):
    """Decides whether an issuer may be believed."""

    def judge(self, credential: Credential) -> str:
        """A word on who the issuer is. Raises `VerificationFailed` for one not to be trusted, `Unreachable` if not known."""
        ...


def check(
    texts: Sequence[str],
    *,
    offered: Offered,
    keys: Sequence[ec.EllipticCurvePrivateKey],
    judge: IssuerJudge,
    now: datetime,
) -> tuple[list[tuple[str, ec.EllipticCurvePrivateKey]], str]:
    """Each credential with the key it is bound to, and the judge's word. Raises for the first check that fails (see above)."""
    ours = {thumbprint(key.public_key()): key for key in keys}
    found: list[tuple[str, ec.EllipticCurvePrivateKey]] = []
    opened: list[Credential] = []
    for text in texts:
        credential = _one(text, offered, now)
        key = None if credential.holder is None else ours.pop(thumbprint(credential.holder), None)
        if key is None:
            raise VerificationFailed("holder_key", "the credential is not bound to a key of ours that is still free")
        found.append((text, key))
        opened.append(credential)
    if any(_said(credential) != _said(opened[0]) for credential in opened[1:]):
        raise VerificationFailed("batch_differs", "the copies of the batch do not say the same")
    return found, judge.judge(opened[0])


def _one(text: str, offered: Offered, now: datetime) -> Credential:
    unverified = formats.parse_issued(offered.format, text)
    if not unverified.chain:
        raise VerificationFailed("x5c_missing", "the credential names no certificate")
    check_presented(unverified.chain)
    credential = unverified.verify_issuer(public_key(unverified.chain[0]))
    if credential.type_id != offered.type_id:
        raise VerificationFailed("type", "the credential is of another type than was offered")
    for path in offered.mandatory:
        try:
            there = bool(claims_path.locate(credential.claims, path))
        except VerificationFailed as exc:
            raise VerificationFailed("claim_missing", "a claim has another shape than the metadata promise") from exc
        if not there and not _within_absent(credential.claims, path):
            raise VerificationFailed("claim_missing", "a claim the metadata call mandatory is missing")
    credential.check_validity(now)
    return credential


def _within_absent(claims: Mapping[str, Any], path: Path) -> bool:
    """True when an array on the way is empty or a parent is absent: what is mandatory inside it is then not due."""
    return any(not claims_path.locate(claims, path[:length]) for length in range(1, len(path)))


def _said(credential: Credential) -> dict[str, Any]:
    """The claims without those that belong to one copy; for an mdoc the same within each namespace."""
    return {
        name: {inner: item for inner, item in value.items() if inner not in _OWN_TO_A_COPY} if isinstance(value, Mapping) else value
        for name, value in credential.claims.items()
        if name not in _OWN_TO_A_COPY
    }
