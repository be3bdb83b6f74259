"""From a presented certificate to list entries, and the path between them (TRUST 8, "matching order").

1. this very certificate is listed; 2. its key is listed under the same organizationIdentifier; 3. a listed CA of an
entity leads to it; 4. the history names its key, under the same organizationIdentifier. A listed certificate that is no CA
never acts as an issuer, and roles never share anchors.
"""

from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID

from trust_list.anchors import Anchors, Entry
from trust_list.answers import AxisResult, failed, passed
from trust_list.profiles import Role
from trust_list.query import TrustQuery
from trust_list.snapshot import Listing, TrustSnapshot
from vc.errors import VcError
from vc.x509.certificate import sha256, subject_value
from vc.x509.profiles import DOCUMENT_SIGNER, SEAL, STATUS_SIGNER, WALLET_PROVIDER, LeafRules

_ISSUANCE_RULES: dict[tuple[str, str | None], LeafRules] = {
    ("pub-eaa", "dc+sd-jwt"): SEAL,
    ("pub-eaa", "mso_mdoc"): DOCUMENT_SIGNER,
    ("pid", "dc+sd-jwt"): SEAL,
    ("pid", "mso_mdoc"): DOCUMENT_SIGNER,
    ("wallet", None): WALLET_PROVIDER,
}

_ROLES: tuple[Role, ...] = ("issuance", "revocation")
_PURPOSES = {
    "pub-eaa": "Pub-EAA provider",
    "pid": "PID provider",
    "wallet": "wallet provider",
    "wrpac": "provider of access certificates",
    "wrprc": "provider of registration certificates",
    "registrars": "registrar",
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
    found = (
        anchors.by_certificate(role, leaf)
        or _same_body(leaf, anchors.by_key(role, leaf))
        or anchors.by_authority(role, chain)
        or _same_body(leaf, anchors.by_former_key(role, leaf))
    )
    return found or failed(*_why_not(role, chain, listing, snapshot))


def path(query: TrustQuery, entry: Entry, anchors: Anchors) -> AxisResult:
    """Whether a path leads from the presented certificate to this entry at the time of signing (shell model, TRUST 7.2 rule 7)."""
    leaf_rules = rules(query.list_id, query.role, query.format)
    if leaf_rules is None:
        return failed("format_unknown", "there are no certificate rules for this format on this list")
    try:
        found = anchors.path(entry, query.chain, at=query.issued, rules=leaf_rules)
    except VcError as exc:
        return failed(exc.code, exc.detail)
    if entry.former_key is not None:
        how = "has a key that the history of the entry names"
    elif len(found.certificates) > 1:
        how = f"leads over {len(found.certificates) - 1} step(s) to a listed CA"
    else:
        how = "is listed itself"
    return passed("path", f"the {leaf_rules.name} certificate {how}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where some list knows a certificate. `how`: certificate, key, former_key or authority; `purpose` in words."""

    list_id: str
    sequence: int
    role: Role
    purpose: str
    entity: str
    how: str


def everywhere(chain: tuple[x509.Certificate, ...], snapshot: TrustSnapshot) -> tuple[Place, ...]:
    """Every entry of every accepted list that has to do with the presented chain, nearest kind first. For explanations only."""
    found: list[Place] = []
    for how in ("certificate", "key", "former_key", "authority"):
        for listing in snapshot.lists.values():
            for role in _ROLES:
                for entry in _known(how, role, chain, listing):
                    found.append(_place(how, role, entry, listing))
    return tuple(found)


def purpose(list_id: str, role: Role) -> str:
    """What an entry on a list is for, in words: "wallet provider"."""
    what = _PURPOSES.get(list_id, list_id)
    return what if role == "issuance" else f"status list signer of a {what}"


def edition(listing: Listing) -> str:
    """How a list is named in a sentence: "list pub-eaa edition 12"."""
    return f"list {listing.list_id} edition {listing.accepted.sequence if listing.accepted else 0}"


def _known(how: str, role: Role, chain: tuple[x509.Certificate, ...], listing: Listing) -> tuple[Entry, ...]:
    anchors = listing.anchors
    if anchors is None or not chain:
        return ()
    match how:
        case "certificate":
            return anchors.by_certificate(role, chain[0])
        case "key":
            certain = anchors.by_certificate(role, chain[0])
            return tuple(entry for entry in anchors.by_key(role, chain[0]) if entry not in certain)
        case "former_key":
            return anchors.by_former_key(role, chain[0])
        case _:
            return anchors.by_authority(role, chain)


def _place(how: str, role: Role, entry: Entry, listing: Listing) -> Place:
    return Place(
        list_id=listing.list_id,
        sequence=listing.accepted.sequence if listing.accepted else 0,
        role=role,
        purpose=purpose(listing.list_id, role),
        entity=entry.entity.name,
        how=how,
    )


def _same_body(leaf: x509.Certificate, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    identifier = subject_value(leaf, NameOID.ORGANIZATION_IDENTIFIER)
    return tuple(entry for entry in entries if identifier is not None and identifier in entry.entity.trade_names)


def _why_not(role: Role, chain: tuple[x509.Certificate, ...], listing: Listing, snapshot: TrustSnapshot) -> tuple[str, str]:
    """The nearest thing all the lists together know about this certificate, as a reason."""
    leaf, anchors = chain[0], listing.anchors
    where, wanted = edition(listing), purpose(listing.list_id, role)
    assert anchors is not None
    for place in everywhere(chain, snapshot):
        here = place.list_id == listing.list_id
        thing = {"certificate": "this certificate", "authority": "the issuer of this certificate"}.get(place.how, "this key")
        if here and place.role != role:
            return "listed_for_other_role", f"{thing} is on {where} as {place.purpose}, {place.entity}, not as {wanted}"
        if here:
            return "key_of_other_body", f"the key is on {where}, but the certificate names another body"
        there = f"list {place.list_id} edition {place.sequence}"
        return "listed_elsewhere", f"{thing} is on {there} as {place.purpose}, {place.entity}, not on {where} as {wanted}"
    name = subject_value(leaf, NameOID.ORGANIZATION_NAME)
    if name is not None and anchors.named(name):
        return "not_listed", f"{where} names an entity called like the certificate's organisation, but not this certificate"
    return (
        "not_listed",
        f"this certificate (SHA-256 {sha256(leaf).hex()[:16]}…) is not on {where}",
    )
