"""From a presented certificate to list entries, and the path between them (TRUST 8, "matching order").

1. this very certificate is listed; 2. its key is listed under the same organizationIdentifier; 3. a listed CA of an
entity leads to it. A listed certificate that is no CA never acts as an issuer, and roles never share anchors.
"""

from cryptography import x509
from cryptography.x509.oid import NameOID

from trust_list.anchors import Anchors, Entry
from trust_list.answers import AxisResult, failed, passed
from trust_list.profiles import Role
from trust_list.query import TrustQuery
from trust_list.snapshot import Listing, TrustSnapshot
from vc.errors import VcError, VerificationFailed
from vc.x509.certificate import sha256, spki, subject_value
from vc.x509.chain import Path, find_path
from vc.x509.profiles import DOCUMENT_SIGNER, SEAL, STATUS_SIGNER, WALLET_PROVIDER, LeafRules

_ISSUANCE_RULES: dict[tuple[str, str | None], LeafRules] = {
    ("pub-eaa", "dc+sd-jwt"): SEAL,
    ("pub-eaa", "mso_mdoc"): DOCUMENT_SIGNER,
    ("pid", "dc+sd-jwt"): SEAL,
    ("pid", "mso_mdoc"): DOCUMENT_SIGNER,
    ("wallet", None): WALLET_PROVIDER,
}


def rules(list_id: str, role: Role, format_name: str | None) -> LeafRules | None:
    """What the signer's certificate must say; None for a combination that does not exist."""
    if role == "revocation":
        return STATUS_SIGNER
    return _ISSUANCE_RULES.get((list_id, None if list_id == "wallet" else format_name))


def find(
    role: Role, chain: tuple[x509.Certificate, ...], listing: Listing, snapshot: TrustSnapshot
) -> tuple[Entry, ...] | AxisResult:
    """The entries to judge, at least one, or the answer why there is none."""
    if not chain:
        return failed("chain_missing", "no certificate came with the signature")
    anchors = listing.anchors
    assert anchors is not None
    leaf = chain[0]
    found = anchors.by_certificate(role, leaf) or _same_body(role, leaf, anchors) or anchors.by_authority(role, chain)
    return found or failed(*_why_not(role, leaf, listing, snapshot))


def path(query: TrustQuery, entry: Entry, anchors: Anchors) -> AxisResult:
    """Whether a path leads from the presented certificate to this entry at the time of signing (shell model, TRUST 7.2 rule 7)."""
    leaf_rules = rules(query.list_id, query.role, query.format)
    if leaf_rules is None:
        return failed("format_unknown", "there are no certificate rules for this format on this list")
    leaf = query.chain[0]
    try:
        if leaf in entry.certificates or not any(spki(certificate) == spki(leaf) for certificate in entry.certificates):
            found = anchors.path(entry, query.chain, at=query.issued, rules=leaf_rules)
        else:
            found = _renewed(query, entry, leaf_rules)
    except VcError as exc:
        return failed(exc.code, exc.detail)
    how = "is listed itself" if len(found.certificates) == 1 else f"leads over {len(found.certificates) - 1} step(s) to a listed CA"
    return passed("path", f"the {leaf_rules.name} certificate {how}")


def _renewed(query: TrustQuery, entry: Entry, leaf_rules: LeafRules) -> Path:
    """A renewed certificate of a listed key: the listed one must be valid too, and the new one stands for itself."""
    if not any(c.not_valid_before_utc <= query.issued <= c.not_valid_after_utc for c in entry.certificates):
        raise VerificationFailed("listed_certificate_expired", "the listed certificate of this key was not valid when it signed")
    return find_path(query.chain, anchors=query.chain[:1], at=query.issued, rules=leaf_rules)


def _same_body(role: Role, leaf: x509.Certificate, anchors: Anchors) -> tuple[Entry, ...]:
    identifier = subject_value(leaf, NameOID.ORGANIZATION_IDENTIFIER)
    return tuple(entry for entry in anchors.by_key(role, leaf) if identifier is not None and identifier in entry.entity.trade_names)


def _why_not(role: Role, leaf: x509.Certificate, listing: Listing, snapshot: TrustSnapshot) -> tuple[str, str]:
    """The nearest thing the lists know about this certificate, as a reason."""
    where = _edition(listing)
    assert listing.anchors is not None
    other: Role = "issuance" if role == "revocation" else "revocation"
    for entry in listing.anchors.by_certificate(other, leaf):
        return "listed_for_other_role", f"this certificate is on {where} for {other} of {entry.entity.name}, not for {role}"
    for elsewhere in snapshot.lists.values():
        if elsewhere.anchors is None or elsewhere.list_id == listing.list_id:
            continue
        for any_role in ("issuance", "revocation"):
            for entry in elsewhere.anchors.by_certificate(any_role, leaf):
                return (
                    "listed_elsewhere",
                    f"this certificate is on {_edition(elsewhere)} for {any_role} of {entry.entity.name}, not on {where}",
                )
    if listing.anchors.by_key(role, leaf):
        return "key_of_other_body", f"the key is on {where}, but the certificate names another body"
    name = subject_value(leaf, NameOID.ORGANIZATION_NAME)
    if name is not None and listing.anchors.named(name):
        return "not_listed", f"{where} names an entity called like the certificate's organisation, but not this certificate"
    return "not_listed", f"this certificate (SHA-256 {sha256(leaf).hex()[:16]}…) is not on {where}"


def _edition(listing: Listing) -> str:
    return f"list {listing.list_id} edition {listing.accepted.sequence if listing.accepted else 0}"
