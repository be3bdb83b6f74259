"""What a list operator does: set up, add, withdraw, publish, and hand out the trust root. Plain functions over a directory.

The operator made by `init` is a test operator: its name says so, and its key lies in a file of the directory (mode 0600).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from trust_list import drafts, editions, findings, jades, model, reconcile
from trust_list.description import ListDescription, ReadCertificates
from trust_list.description import entities as described_entities
from trust_list.drafts import Authorisation, EntityDraft, Operator, ServiceDraft
from trust_list.jades_profiles import HeaderProfile, header_profile
from trust_list.model import LoTE
from trust_list.profiles import DEFAULT_LISTS, profile
from trust_list.root import RootList, TrustRoot
from trust_list.store import Edition, Publisher, locked, write_atomically
from vc.clock import whole_seconds
from vc.encoding import json
from vc.errors import Refused
from vc.jose import jws as compact
from vc.keys.signer import LocalSigner
from vc.x509.build import CertificateSpec, issue
from vc.x509.certificate import sha256
from vc.x509.profiles import TSL_SIGNING

__all__ = [
    "Authorisation",
    "EntityDraft",
    "Operator",
    "ServiceDraft",
    "add_entities",
    "add_service",
    "author",
    "init",
    "publish",
    "trust_root",
    "withdraw",
    "write_trust_root",
]

VALID_FOR = timedelta(days=30)
"""From issue to next update unless said otherwise: a week's re-issue leaves weeks for an outage (TRUST 7.2 rule 3)."""
_SIGNER_YEARS = 2
TEST_OPERATOR = "Portadoc test list operator (test)"


def init(
    directory: Path,
    *,
    base_url: str,
    now: datetime,
    listen: Mapping[str, Any] | None = None,
    operator: Operator | None = None,
    lists: Sequence[str] = DEFAULT_LISTS,
    headers: HeaderProfile = HeaderProfile.BASELINE,
) -> None:
    """Make a publisher's directory: configuration, operator key with certificate, one empty draft per list.

    `base_url`: where the lists will be served, no slash at the end; a list is at `base_url/lists/ID.jws`. `headers`: what seals
    carry. Raises `Refused("already_initialised")`.
    """
    publisher, who = Publisher(directory), operator or Operator(name=TEST_OPERATOR)
    rules = {list_id: profile(list_id) for list_id in lists}
    with locked(publisher.lock):
        if publisher.exists():
            raise Refused("already_initialised", "there is a trust list here already")
        (directory / "drafts").mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _operator_certificate(who, key, whole_seconds(now))
        write_atomically(
            directory / "operator.key.pem",
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            mode=0o600,
        )
        write_atomically(directory / "operator.cert.pem", certificate.public_bytes(Encoding.PEM))
        address = base_url.rstrip("/")
        for list_id, rule in rules.items():
            uri = f"{address}/lists/{list_id}.jws"
            _store_draft(
                publisher,
                list_id,
                drafts.empty_list(rule, who, signer=certificate, uri=uri, now=whole_seconds(now)),
            )
        config = {
            "base_url": address,
            "listen": dict(listen or {"host": "127.0.0.1", "port": 8003}),
            "max_age_seconds": 60,
            "jades": headers,
        }
        write_atomically(directory / "config.json", json.dumps(config))


def add_entities(
    directory: Path, list_id: str, entities: Sequence[EntityDraft], *, now: datetime, stage: bool = False
) -> Edition | None:
    """Add entities in one go. A list published before gets its next edition at once, which is returned, unless `stage`.

    Raises `Refused("entity_exists")`, and `Refused("list_findings")` when the list would break its profile.
    """
    moment = whole_seconds(now)
    return _edit(
        directory, list_id, lambda lote: drafts.add_entities(lote, profile(list_id), entities, now=moment), now=moment, stage=stage
    )


def add_service(
    directory: Path, list_id: str, entity_id: str, service: ServiceDraft, *, now: datetime, stage: bool = False
) -> Edition | None:
    """Add a service (a new key or role) to a listed entity; as `add_entities` otherwise. Raises `Refused("entity_unknown")`."""
    moment = whole_seconds(now)
    return _edit(
        directory,
        list_id,
        lambda lote: drafts.add_service(lote, profile(list_id), entity_id, service, now=moment),
        now=moment,
        stage=stage,
    )


def withdraw(
    directory: Path,
    list_id: str,
    entity_id: str,
    *,
    reason: str,
    now: datetime,
    key: bytes | None = None,
    stage: bool = False,
) -> Edition | None:
    """Withdraw an entity, or only its services with the key identifier `key`; as `drafts.withdraw` and `add_entities`."""
    moment = whole_seconds(now)
    return _edit(
        directory,
        list_id,
        lambda lote: drafts.withdraw(lote, profile(list_id), entity_id, reason=reason, now=moment, key=key),
        now=moment,
        stage=stage,
    )


def author(
    directory: Path,
    description: ListDescription,
    certificates: ReadCertificates,
    *,
    now: datetime,
    stage: bool = False,
) -> Edition | None:
    """Make the list what the description says and seal it as its next edition, which is returned, unless `stage`. A list this
    publisher does not have yet is begun.

    Raises what `certificates` and `reconcile.apply` raise, and `Refused("list_findings")` when the list would break its profile.
    """
    publisher, rules, moment = Publisher(directory), profile(description.list), whole_seconds(now)
    publisher.config()
    described = described_entities(description, certificates)
    with locked(publisher.lock):
        draft = reconcile.apply_scheme(_draft(publisher, description.list, moment), description.scheme)
        changed = reconcile.apply(draft, rules, described, now=moment)
        _require_clean(changed, description.list)
        if stage:
            _store_draft(publisher, description.list, changed)
            return None
        valid_for = timedelta(days=description.valid_days)
        return _publish(publisher, description.list, changed, now=moment, valid_for=valid_for)


def publish(directory: Path, list_id: str, *, now: datetime, valid_for: timedelta = VALID_FOR) -> Edition:
    """Seal the draft as the next edition and make it current. Raises `Refused("list_findings")` with the first finding."""
    publisher = Publisher(directory)
    publisher.config()
    with locked(publisher.lock):
        return _publish(publisher, list_id, publisher.draft(list_id), now=whole_seconds(now), valid_for=valid_for)


def trust_root(directory: Path, *, now: datetime, version: int = 1, valid_for: timedelta = timedelta(days=365)) -> TrustRoot:
    """The root that pins this operator for each of its lists, with the current edition as the lowest one allowed."""
    publisher = Publisher(directory)
    address, signer = str(publisher.config()["base_url"]), _signer(publisher)
    digest = sha256(signer.chain[0])
    lists = []
    for list_id in publisher.list_ids():
        current = publisher.latest(list_id)
        lists.append(
            RootList(
                id=list_id,
                type=profile(list_id).list_type,
                uri=f"{address}/lists/{list_id}.jws",
                signers=frozenset({digest}),
                min_sequence=current.sequence if current else 1,
                certificates={digest: signer.chain[0]},
            )
        )
    return TrustRoot(version=version, expires=whole_seconds(now) + valid_for, lists=tuple(lists))


def write_trust_root(directory: Path, path: Path, *, now: datetime, version: int = 1) -> TrustRoot:
    """Write `trust_root(directory)` to `path`, and beside the lists where the publisher serves it."""
    root = trust_root(directory, now=now, version=version)
    data = root.render()
    write_atomically(path, data)
    if path != directory / "trust-root.json":
        write_atomically(directory / "trust-root.json", data)
    return root


def _edit(directory: Path, list_id: str, change: Callable[[LoTE], LoTE], *, now: datetime, stage: bool) -> Edition | None:
    publisher = Publisher(directory)
    publisher.config()
    with locked(publisher.lock):
        changed = change(publisher.draft(list_id))
        _require_clean(changed, list_id)
        if stage or publisher.latest(list_id) is None:
            _store_draft(publisher, list_id, changed)
            return None
        return _publish(publisher, list_id, changed, now=now, valid_for=VALID_FOR)


def _publish(publisher: Publisher, list_id: str, draft: LoTE, *, now: datetime, valid_for: timedelta) -> Edition:
    signer, current, used = _signer(publisher), publisher.latest(list_id), publisher.sequences(list_id)
    previous = current.lote if current else None
    number = max(used, default=0) + 1
    edition = drafts.next_edition(draft, previous, sequence=number, now=now, next_update=now + valid_for)
    _require_clean(edition, list_id, signer.chain[0])
    if current is not None:
        _require_succession(current, edition)
    payload = model.render(edition)
    headers = header_profile(publisher.config().get("jades", HeaderProfile.BASELINE))
    jws = jades.sign(payload, signer, at=edition.scheme.ListIssueDateTime, profile=headers).encode("ascii")
    sealed = Edition(list_id=list_id, sequence=number, jws=jws, payload=payload)
    publisher.add(sealed)
    _store_draft(publisher, list_id, edition)
    return sealed


def _require_clean(lote: LoTE, list_id: str, signer: x509.Certificate | None = None) -> None:
    found = findings.check(lote, profile(list_id), signer=signer)
    forbidding = [f for f in findings.errors(found) if signer is not None or f.code != "next_update"]
    if forbidding:
        first = forbidding[0]
        raise Refused("list_findings", f"{first.code} (clause {first.clause}): {first.text}", pointer=first.pointer)


def _require_succession(current: Edition, edition: LoTE) -> None:
    """What is published stays as it is, and the next edition follows from it (clauses 6.3.2, 6.3.12, Table H.3)."""
    if compact.parse(current.jws.decode("ascii"), max_length=jades.MAX_JWS).payload != current.payload:
        raise Refused("edition_changed", f"edition {current.sequence} was changed after its publication")
    broken = editions.succession(current.lote, edition, profile(current.list_id))
    if broken:
        first = broken[0]
        raise Refused("list_findings", f"{first.code} (clause {first.clause}): {first.text}", pointer=first.pointer)


def _draft(publisher: Publisher, list_id: str, now: datetime) -> LoTE:
    """The list as edited, or an empty one under the operator of the publisher's other lists."""
    others = publisher.list_ids()
    if list_id in others or not others:
        return publisher.draft(list_id)
    operator = publisher.draft(others[0]).scheme
    uri = f"{publisher.config()['base_url']}/lists/{list_id}.jws"
    who = Operator(name=operator.SchemeOperatorName[0].value)
    empty = drafts.empty_list(profile(list_id), who, signer=_signer(publisher).chain[0], uri=uri, now=now)
    scheme = empty.scheme.model_copy(update={"SchemeOperatorAddress": operator.SchemeOperatorAddress})
    return empty.model_copy(update={"ListAndSchemeInformation": scheme})


def _store_draft(publisher: Publisher, list_id: str, lote: LoTE) -> None:
    write_atomically(publisher.root / "drafts" / f"{list_id}.json", model.render(lote))


def _signer(publisher: Publisher) -> LocalSigner:
    key = load_pem_private_key((publisher.root / "operator.key.pem").read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Refused("operator_key", "the operator's key is not an EC key")
    certificate = x509.load_pem_x509_certificate((publisher.root / "operator.cert.pem").read_bytes())
    return LocalSigner(key, (certificate,))


def _operator_certificate(operator: Operator, key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    """Self-signed, no CA: it is pinned by digest and blesses nothing else (TS 119 602 clause 6.8: C and O as in the list)."""
    spec = CertificateSpec(
        subject={"C": "EU", "O": operator.name, "CN": "List signer (test)"},
        not_before=now - timedelta(minutes=5),
        not_after=now + timedelta(days=365 * _SIGNER_YEARS),
        eku=(TSL_SIGNING,),
    )
    return issue(spec, key.public_key(), signer=key, issuer=None, serial=x509.random_serial_number())
