"""A credential as a query sees it, the same for the wallet that holds it and the verifier that received it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509

from vc.encoding import base64url, claims_path
from vc.encoding.claims_path import Path
from vc.errors import VerificationFailed
from vc.openid4vp.dcql.query import ClaimsQuery, CredentialQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """`claims`: the processed claims; for mdoc `{namespace: {element: value}}`. `type_ids`: `vct` (and inherited ones) or doctype.

    `disclosed`: concrete paths of what was or could be disclosed selectively. `bound`: a holder key exists (wallet), holder
    binding was verified (verifier). `authority_keys`: key identifiers of the chain's issuers. `lists`: addresses of trusted lists
    the issuer was found on.
    """

    format: str
    type_ids: frozenset[str]
    claims: Mapping[str, Any]
    disclosed: frozenset[Path] = frozenset()
    bound: bool = True
    authority_keys: frozenset[bytes] = frozenset()
    lists: frozenset[str] = frozenset()


def authority_keys(chain: Sequence[x509.Certificate]) -> frozenset[bytes]:
    """The key identifiers in the AuthorityKeyIdentifier extensions of `chain` (§6.1.1.1: any certificate of the chain)."""
    found: set[bytes] = set()
    for certificate in chain:
        try:
            extension = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
        except x509.ExtensionNotFound:
            continue
        if extension.value.key_identifier is not None:
            found.add(extension.value.key_identifier)
    return frozenset(found)


def misfit(query: CredentialQuery, view: View) -> str | None:
    """Why `view` is not a credential the query means, apart from its claims; None when it is.

    One of `format`, `type`, `authority`, `holder_binding`.
    """
    if view.format != query.format:
        return "format"
    if view.type_ids.isdisjoint(query.type_ids):
        return "type"
    if query.trusted_authorities and not any(
        _ISSUED_UNDER[authority.type](view, value)
        for authority in query.trusted_authorities
        if authority.type in _ISSUED_UNDER  # an unknown kind of authority matches nothing
        for value in authority.values
    ):
        return "authority"
    if query.holder_binding and not view.bound:
        return "holder_binding"
    return None


_ISSUED_UNDER = {
    "aki": lambda view, value: base64url.decode(value) in view.authority_keys,
    "etsi_tl": lambda view, value: value in view.lists,
}


def find(claim: ClaimsQuery, claims: Mapping[str, Any]) -> tuple[Path, ...]:
    """Concrete paths of the elements that answer `claim`; empty when it is absent or no value fits (§6.4.1, VP-DCQL-4).

    With `values`, an element answers only when type and value are the same: `1` is neither `true` nor `1.0` nor `"1"`.
    """
    try:
        located = claims_path.locate(claims, claim.path)
    except VerificationFailed:  # the path does not fit the structure: for a query that is the same as absent
        return ()
    if not claim.values:
        return tuple(path for path, _ in located)
    wanted = {(type(value), value) for value in claim.values}
    return tuple(path for path, value in located if isinstance(value, str | int) and (type(value), value) in wanted)
