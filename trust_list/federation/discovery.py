"""From an entity up to a pinned anchor (OpenID Federation 1.0 §4.1, §8.1, §9, §10.1): bounded in depth, number, size and time."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from trust_list.client import Getter
from trust_list.federation.chains import Chain, Link
from trust_list.federation.settings import Federation
from trust_list.federation.statements import MAX_STATEMENT, MEDIA_TYPE, Statement, identifier, parse
from vc.errors import Refused, Unreachable, VcError

MAX_INTERMEDIATES = 4
MAX_REQUESTS = 16
ANCHOR_SILENT = "federation_anchor_unreachable"
_WELL_KNOWN = "/.well-known/openid-federation"


def discover(entity: str, federation: Federation, outbound: Getter, moments: Sequence[datetime], *, entity_type: str) -> Chain:
    """The first chain from `entity` to a pinned anchor that stands.

    Raises `Unreachable("federation_anchor_unreachable")` when an anchor of ours does not answer, so that nothing can be said, and
    otherwise `VcError` (codes `federation_…`) with what is wrong with the first way that was tried.
    """
    walk = _Walk(federation, outbound, moments, entity_type)
    return walk.up(walk.configuration(identifier(entity)), ())


class _Walk:
    """One search, with what is left of its budget."""

    def __init__(self, federation: Federation, outbound: Getter, moments: Sequence[datetime], entity_type: str) -> None:
        self._federation, self._outbound, self._moments, self._entity_type = federation, outbound, moments, entity_type
        self._left = MAX_REQUESTS

    def up(self, entity: Statement, links: tuple[Link, ...]) -> Chain:
        failures: list[VcError] = []
        for hint in entity.authority_hints:
            try:
                return self._by(hint, entity, links)
            except VcError as failure:
                failures.append(failure)
        if not failures:
            raise Refused("federation_foreign_anchor", "the way ends at an entity that is no anchor here")
        raise next((one for one in failures if one.code == ANCHOR_SILENT), failures[0])

    def _by(self, superior: str, entity: Statement, links: tuple[Link, ...]) -> Chain:
        """By way of `superior`, one of those that `entity` names."""
        if superior in {entity.sub, *(link.configuration.sub for link in links)}:
            raise Refused("federation_loop", "the way upwards leads back to where it was")
        pinned = self._federation.anchors.get(superior)
        if pinned is None and len(links) >= MAX_INTERMEDIATES:
            raise Refused("federation_too_deep", "there are more intermediates than are followed")
        above = self.configuration(superior)
        link = Link(configuration=entity, statement=self._statement(above, entity.sub))
        if pinned is None:
            return self.up(above, (*links, link))
        chain = Chain(links=(*links, link), anchor=above)
        chain.check(pinned, self._moments, entity_type=self._entity_type)
        return chain

    def configuration(self, entity: str) -> Statement:
        """What `entity` says about itself."""
        read = self._read(f"{entity.rstrip('/')}{_WELL_KNOWN}", anchor=entity in self._federation.anchors)
        if (read.iss, read.sub) != (entity, entity):
            raise Refused("federation_subject", "an entity configuration is that of another entity")
        return read

    def _statement(self, superior: Statement, subject: str) -> Statement:
        """What `superior` says about `subject` (§8.1.1)."""
        endpoint = superior.metadata.get("federation_entity", {}).get("federation_fetch_endpoint")
        if not isinstance(endpoint, str) or "#" in endpoint:
            raise Refused("federation_no_fetch", "a superior names no address to ask for statements at")
        sign = "&" if "?" in endpoint else "?"
        read = self._read(f"{endpoint}{sign}sub={quote(subject, safe='')}", anchor=superior.sub in self._federation.anchors)
        if (read.iss, read.sub) != (superior.sub, subject):
            raise Refused("federation_subject", "a statement is by or about another entity than asked for")
        return read

    def _read(self, url: str, *, anchor: bool) -> Statement:
        if self._left == 0:
            raise Refused("federation_too_many_requests", "finding the way takes more requests than are allowed")
        self._left -= 1
        silent = ANCHOR_SILENT if anchor else "federation_unreachable"
        try:
            got = self._outbound.get(url, headers={"accept": MEDIA_TYPE}, max_bytes=MAX_STATEMENT)
        except Unreachable as exc:
            raise Unreachable(silent, f"an entity statement could not be had: {exc.detail}") from exc
        if got.status >= 500:
            raise Unreachable(silent, f"an entity statement could not be had: HTTP status {got.status}")
        if got.status != 200:
            raise Refused("federation_unknown", f"there is no entity statement: HTTP status {got.status}")
        if got.media_type != MEDIA_TYPE:
            raise Refused("federation_media_type", f"an entity statement is served as {MEDIA_TYPE}")
        return parse(got.body)
