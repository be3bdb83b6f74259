"""Bundles for tests: a maker, and contents that are right until a test changes them."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from tests.support.pki import NOW, holder, new_key
from tests.support.pki import root as root_authority
from tests.support.trust import Institution, ListOperator
from trust_list import root_chain
from trust_list.bundle import scheme
from trust_list.bundle.contents import CarriedList, CarriedStatus, Contents, seal
from trust_list.root import TrustRoot
from vc.encoding import json
from vc.jose import jws
from vc.keys import jwk
from vc.keys.signer import LocalSigner
from vc.status.bits import StatusList
from vc.status.token import sign_cwt, sign_jwt
from vc.x509.certificate import sha256

STATUS_URI = "https://status.urssaf.test/1"
DAY = timedelta(days=1)


def maker(**changes: Any) -> LocalSigner:
    """The organisation that makes bundles: known to devices by its certificate, and on no list."""
    spec = {"subject": {"C": "FR", "O": "Inspectorate (test)", "CN": "Bundle maker (test)"}, **changes}
    made = root_authority("Bundle authority (test)").leaf(key=new_key(), **spec)
    return LocalSigner(made.private_key, made.chain[:1])


def status_token(signer: LocalSigner, *, kind: str = "jwt", revoked: tuple[int, ...] = (7,), **changes: Any) -> bytes:
    """A list of 1,000 entries at `STATUS_URI`, good for ten days."""
    told: dict[str, Any] = {"uri": STATUS_URI, "iat": NOW, "exp": NOW + 10 * DAY, "ttl": 300, "signer": signer, **changes}
    bits = StatusList.from_indices(1000, 1, dict.fromkeys(revoked, 1))
    return sign_jwt(bits, **told).encode() if kind == "jwt" else sign_cwt(bits, **told)


@dataclass
class Bundler:
    """One maker, one operator's lists, one institution that publishes statuses."""

    operator: ListOperator
    institution: Institution
    signer: LocalSigner = field(default_factory=maker)

    def __post_init__(self) -> None:
        self.root = self.operator.root()

    @property
    def pinned(self) -> frozenset[bytes]:
        return frozenset({sha256(self.signer.chain[0])})

    def lists(self, **changes: Any) -> tuple[CarriedList, ...]:
        """All three lists, the institution on pub-eaa."""
        first = self.operator.lote(self.institution.draft(), sequence=5, **changes)
        others = [(name, self.operator.lote(list_id=name)) for name in ("pid", "wallet")]
        return tuple(
            CarriedList(id=list_id, jws=self.operator.seal(lote), checked_at=NOW) for list_id, lote in (("pub-eaa", first), *others)
        )

    def contents(self, *, root: TrustRoot | None = None, **changes: Any) -> Contents:
        """What a proper bundle of `NOW` carries, with members replaced."""
        statuses = tuple(
            CarriedStatus(uri=STATUS_URI, kind=kind, token=status_token(self.institution.status, kind=kind), fetched_at=NOW)
            for kind in ("jwt", "cwt")
        )
        proper = Contents(
            sequence=10,
            created=NOW,
            not_after=NOW + 7 * DAY,
            root=(root or self.root).render(),
            lists=self.lists(),
            statuses=statuses,
            schemes=scheme.own(),
        )
        return replace(proper, **changes)

    def bundle(self, *, signer: LocalSigner | None = None, **changes: Any) -> bytes:
        return seal(self.contents(**changes), signer or self.signer)

    def changed(self, change: Any, *, header: dict[str, Any] | None = None, signer: LocalSigner | None = None) -> bytes:
        """A bundle after `change` to its JSON, properly sealed again, under a header with members replaced."""
        used = signer or self.signer
        proper = jws.parse(self.bundle(signer=used).decode(), max_length=1 << 24)
        document = json.loads(proper.payload)
        change(document)
        members = {
            name: value for name, value in {**proper.header, **(header or {})}.items() if name != "alg" and value is not None
        }
        return jws.sign(members, json.dumps(document), used).encode()


def successors(bundler: Bundler) -> tuple[TrustRoot, TrustRoot, tuple[bytes, ...]]:
    """A root with a key, the next one with another, and what proves that the one leads to the other."""
    before, after = holder(), holder()
    first = replace(bundler.operator.root(), keys={jwk.thumbprint(before.public_key): before.public_key}, threshold=1)
    second = replace(bundler.operator.root(version=2), keys={jwk.thumbprint(after.public_key): after.public_key}, threshold=1)
    return first, second, (root_chain.sign(second, [before, after]),)
