"""A federation as a trust source: chain to a pinned anchor, key of the issuer, trust mark per type and country (TRUST 3, 5).

Roles share nothing: the anchors answer for issuers of the configured kinds of documents and for the status lists of those, and are
never asked about identity, wallets or relying parties. A federation knows no history: it answers for now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from cryptography.x509.oid import NameOID

from trust_list import axes, countries
from trust_list.answers import AxisResult, Result, failed, not_checked, passed
from trust_list.client import Getter
from trust_list.decide import Outcome
from trust_list.federation import marks, telling
from trust_list.federation.chains import FEDERATION_ENTITY, ISSUER, Chain
from trust_list.federation.discovery import ANCHOR_SILENT, discover
from trust_list.federation.settings import Federation
from trust_list.federation.statements import Keys, keys_of
from trust_list.query import TrustQuery
from trust_list.source import Judgement
from vc.errors import Refused, VcError
from vc.keys import jwk
from vc.x509.certificate import public_key, subject_value

ENTITY_PREFIX = "openid_federation:"
"""Of the ids of entities found here, so that none can be taken for one of a list."""
_KEEP = timedelta(minutes=10)
_KEEP_FAILURE = timedelta(seconds=60)
_MAX_KEPT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    found: Chain | VcError
    since: datetime
    until: datetime


class FederationSource:
    """Safe to share between threads. `outbound`: with tight limits, for the addresses are named by whoever shows a document."""

    def __init__(self, federation: Federation, outbound: Getter) -> None:
        self._federation, self._outbound = federation, outbound
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._lock = Lock()

    def answers(self, query: TrustQuery) -> bool:
        """Documents of social security of a configured kind whose issuer is named, and status lists of issuers found here."""
        if query.list_id != "pub-eaa" or not query.chain or _issuer(query) is None:
            return False
        return query.role == "revocation" or (query.role == "issuance" and query.attestation_type in self._federation.trust_marks)

    def judge(self, query: TrustQuery) -> Judgement:
        """See `TrustSource.judge`; only for what `answers`."""
        issuer, moments = _issuer(query), (query.t_now, query.clock)
        if issuer is None:
            raise ValueError("the question names no issuer")
        open_ = dict.fromkeys(axes.NAMES, not_checked("no_entry", "no member of the federation to compare with"))
        try:
            chain = self._chain(issuer, moments, ISSUER)
        except VcError as error:
            silent = error.code == ANCHOR_SILENT
            listed = (not_checked if silent else failed)(error.code, f"no way to an anchor of the federation: {error.detail}")
            outcome = Outcome.INDETERMINATE if silent else Outcome.UNKNOWN_ISSUER
            return telling.judgement(query, outcome, {**open_, "listed": listed}, issuer, None)
        answers = {
            "path": passed("federation_chain", f"the trust chain of {issuer} to {chain.anchor.sub} holds"),
            "listed": passed("federation_member", f"{issuer} is in the federation of {chain.anchor.sub}"),
            "identity": _identity(query, chain),
            "scope": self._scope(query, chain, moments),
            "content": _content(query),
            "qualified": not_checked("no_source", "a federation does not say whether the seal is qualified"),
        }
        return telling.judgement(query, _outcome(answers), answers, f"{ENTITY_PREFIX}{issuer}", chain)

    def _scope(self, query: TrustQuery, chain: Chain, moments: Sequence[datetime]) -> AxisResult:
        """C: a trust mark per type and country, as the pilot's federation had them. Silence denies."""
        if query.role == "revocation":
            return passed("status_of_entity", f"{chain.subject} publishes the status of its own documents")
        if not query.issuing_country:
            return not_checked(axes.CONTENT_SILENT, "the document does not show its issuing country")
        prefix = self._federation.trust_marks[query.attestation_type or ""]
        wanted = f"{prefix}/{countries.normal(query.issuing_country).lower()}"

        def keys(issuer: str) -> Keys:
            if issuer == chain.anchor.sub:
                return chain.anchor.keys
            other = self._chain(issuer, moments, FEDERATION_ENTITY)
            if other.anchor.sub != chain.anchor.sub:
                raise Refused("mark_issuer", "the issuer of the trust mark is under another anchor")
            return other.keys

        try:
            issuer = marks.check(chain, wanted, moments, keys)
        except VcError as error:
            has = ", ".join(marks.types(chain)) or "none"
            return failed(error.code, f"{error.detail}; {chain.subject} shows trust marks: {has}")
        return passed("mark_valid", f"{issuer} gave {chain.subject} the trust mark {wanted}")

    def _chain(self, entity: str, moments: Sequence[datetime], entity_type: str) -> Chain:
        """As `discover`, remembered for a while; what is remembered is checked again for `moments`."""
        now, name = moments[-1], (entity, entity_type)
        with self._lock:
            kept = self._kept.get(name)
        if kept is None or not kept.since <= now < kept.until:
            kept = self._ask(entity, moments, entity_type)
            with self._lock:
                self._kept.pop(name, None)
                self._kept[name] = kept
                while len(self._kept) > _MAX_KEPT:
                    del self._kept[next(iter(self._kept))]
        if isinstance(kept.found, VcError):
            raise type(kept.found)(kept.found.code, kept.found.detail)  # anew: a raised error grows with each raising
        kept.found.check(self._federation.anchors[kept.found.anchor.sub], moments, entity_type=entity_type)
        return kept.found

    def _ask(self, entity: str, moments: Sequence[datetime], entity_type: str) -> _Kept:
        now = moments[-1]
        try:
            chain = discover(entity, self._federation, self._outbound, moments, entity_type=entity_type)
        except VcError as error:
            return _Kept(found=error, since=now, until=now + _KEEP_FAILURE)
        return _Kept(found=chain, since=now, until=min(now + _KEEP, chain.until))


def _issuer(query: TrustQuery) -> str | None:
    """The entity identifier asked about: named by the document, for a status list by the answer about the document."""
    if query.role == "revocation":
        known = query.entity_id or ""
        return known.removeprefix(ENTITY_PREFIX) if known.startswith(ENTITY_PREFIX) else None
    return query.issuer


def _identity(query: TrustQuery, chain: Chain) -> AxisResult:
    """B: the key that signed is one of the issuer's, and the certificate names the body its entity configuration names."""
    leaf, issuer = query.chain[0], chain.metadata(ISSUER)
    try:
        keys = [*chain.keys.values(), *(keys_of(issuer["jwks"]).values() if "jwks" in issuer else ())]
        known = jwk.thumbprint(public_key(leaf)) in {jwk.thumbprint(key) for key in keys}
    except VcError as error:
        return failed("federation_keys", f"the keys of {chain.subject} or of the certificate cannot be read: {error.detail}")
    if not known:
        return failed("key_of_other_body", f"the key that signed is none of the keys of {chain.subject} in the federation")
    name: Any = chain.metadata(FEDERATION_ENTITY).get("organization_name")
    if not isinstance(name, str) or not name:
        return failed("name_missing", f"{chain.subject} does not say in the federation which organisation it is")
    if subject_value(leaf, NameOID.ORGANIZATION_NAME) != name:
        return failed("name_mismatch", f"the certificate's organisation is not {name}, as the federation has it")
    return passed("identity", f"the key is one of {chain.subject}, {name}")


def _content(query: TrustQuery) -> AxisResult:
    """D: the institutions the document names are of the country it names, for which the trust mark was asked."""
    if query.role == "revocation":
        return not_checked("not_applicable", "there is no document to compare")
    if not query.issuing_country:
        return not_checked(axes.CONTENT_SILENT, "the document does not show its issuing country")
    country = countries.normal(query.issuing_country)
    for institution in query.institution_ids:
        if countries.of_institution(institution) not in (None, country):
            return failed("institution_mismatch", f"the document names an institution of another country than {country}")
    return passed("content", f"the document names {country} as the issuing country")


def _outcome(answers: dict[str, AxisResult]) -> Outcome:
    if answers["identity"].result is Result.FAILED:
        return Outcome.UNKNOWN_ISSUER
    if Result.FAILED in (answers["scope"].result, answers["content"].result):
        return Outcome.OUT_OF_SCOPE
    return Outcome.INDETERMINATE if answers["scope"].result is Result.NOT_CHECKED else Outcome.TRUSTED
