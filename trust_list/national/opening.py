"""From octets to a list that may be believed: read, seal verified against pinned certificates, parsed, of the type and place meant.

The list of lists is believed through its pivots (ETSI TS 119 615 clause 4.1): each is an earlier edition of it, sealed by a
certificate of the set before and stating the next set. The first set comes from the caller, who has it from the Official Journal.
"""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from cryptography import x509

from trust_list.national import parsing
from trust_list.national.model import Pointer, TrustedList
from trust_list.national.names import LIST_OF_LISTS, MEDIA_TYPE, NATIONAL
from trust_list.national.reading import read
from trust_list.national.signature import verify
from vc.errors import Refused

MAX_PIVOTS = 32
_EU = "EU"
_AHEAD = timedelta(minutes=5)
Fetch = Callable[[str], bytes]
"""The octets at an address. Raises `VcError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOfLists:
    """`pivots`: sequence numbers of the earlier editions that lead to it, oldest first."""

    list: TrustedList
    pivots: tuple[int, ...]

    @property
    def national(self) -> tuple[Pointer, ...]:
        """Where the national lists are, in the form read here."""
        return tuple(one for one in self.list.pointers if one.list_type == NATIONAL and one.media_type == MEDIA_TYPE)


def open_national(data: bytes, pointer: Pointer, *, now: datetime) -> TrustedList:
    """The national list `pointer` is about, sealed by one of the certificates the pointer states.

    Raises `Refused("list_type")`, `Refused("territory")`, and what `verify` raises. Its next update is not judged here.
    """
    found = _open(data, pointer.signers, at=now)
    if found.list_type != NATIONAL:
        raise Refused("list_type", "this is no national trusted list")
    if found.territory != pointer.territory:
        raise Refused("territory", "this is the list of another country than the one asked for")
    return _not_ahead(found, now)


def open_lotl(data: bytes, signers: Collection[x509.Certificate], fetch: Fetch, *, now: datetime) -> ListOfLists:
    """The list of lists, believed from `signers` on through the pivots it names, which `fetch` brings.

    Raises `Refused("pivot")` for a chain that does not hold together, and what `verify` and `fetch` raise. Its next update is
    not judged here.
    """
    addresses = _pivots(parsing.parse(read(data), digest=b"").information)  # unverified: only to know what to fetch
    if len(addresses) > MAX_PIVOTS:
        raise Refused("pivot", "the list of lists names more pivots than are followed")
    trusted, before, steps = tuple(signers), 0, []
    for address in reversed(addresses):  # they are named newest first
        pivot = _pivot(fetch(address), trusted)
        if address not in _pivots(pivot.information):
            raise Refused("pivot", "a pivot does not name itself as one")
        if pivot.sequence <= before:
            raise Refused("pivot", "the pivots do not follow one another")
        trusted, before = _own(pivot).signers, pivot.sequence
        steps.append(pivot.sequence)
    found = _lotl(_open(data, trusted, at=now))
    if found.sequence < before:
        raise Refused("pivot", "the list of lists is older than its newest pivot")
    if frozenset(_own(found).signers) != frozenset(trusted):
        raise Refused("pivot", "the list of lists states other signers than the last step that leads to it")
    return ListOfLists(list=_not_ahead(found, now), pivots=tuple(steps))


def _open(data: bytes, signers: Collection[x509.Certificate], *, at: datetime) -> TrustedList:
    return parsing.parse(verify(read(data), signers, at=at), digest=hashlib.sha256(data).digest())


def _pivot(data: bytes, signers: Collection[x509.Certificate]) -> TrustedList:
    """A pivot was sealed in the past: its signer is judged as of then. Backdating gains nothing but what a member of the set could
    do anyway while its certificate was valid."""
    return _lotl(_open(data, signers, at=parsing.issue_time(read(data))))


def _lotl(found: TrustedList) -> TrustedList:
    if (found.list_type, found.territory) != (LIST_OF_LISTS, _EU):
        raise Refused("list_type", "this is no list of trusted lists")
    return found


def _own(found: TrustedList) -> Pointer:
    """What the list of lists says of itself, with the set of those who may sign it."""
    own = [one for one in found.pointers if (one.list_type, one.media_type) == (LIST_OF_LISTS, MEDIA_TYPE)]
    if len(own) != 1:
        raise Refused("pivot", "the list of lists does not say who may sign it")
    return own[0]


def _pivots(information: tuple[str, ...]) -> tuple[str, ...]:
    """The addresses before the one of the Official Journal, which is no XML (clause 4.1: newest first)."""
    return tuple(takewhile(lambda address: address.lower().endswith(".xml"), information))


def _not_ahead(found: TrustedList, now: datetime) -> TrustedList:
    if found.issued > now + _AHEAD:
        raise Refused("issued_in_future", "the list says that it is issued later than now")
    return found
