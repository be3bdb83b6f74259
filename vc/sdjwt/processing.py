"""From payload and disclosures to processed claims (RFC 9901 §7.1 step 3): used by verifiers and, unverified, by holders.

Says what the text contains. It checks no signature; `verify.verify_issuer` does that first.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from vc.encoding.claims_path import Path
from vc.errors import VerificationFailed
from vc.sdjwt.disclosure import ELLIPSIS, NEVER_DISCLOSABLE, SD, SD_ALG, element_of, property_of

MAX_NESTING = 16
"""Levels of objects and arrays in the processed claims, the payload itself being the first (SECURITY 4.2)."""


class Processed(NamedTuple):
    """`claims`: without any structure of selective disclosure. `paths` and `texts`: concrete path and text of each disclosure, a
    parent before its children, in the order of the payload. `hidden`: how many digests had no disclosure (decoys included).
    """

    claims: dict[str, Any]
    paths: tuple[Path, ...]
    texts: tuple[str, ...]
    hidden: int


def process(payload: Mapping[str, Any], disclosures: Mapping[str, tuple[str, Any]]) -> Processed:
    """Put each disclosed value in the place of its digest. `disclosures`: text and decoded JSON by digest.

    Raises `VerificationFailed` with `disclosure_unreferenced`, `digest_repeated`, `claim_repeated`, `not_disclosable`,
    `sd_structure` (a `_sd` or `...` that is not what it must be) or `nesting`; `Malformed("disclosure")` for a disclosure
    that is not of the kind its digest stands for.
    """
    reader = _Reader(dict(disclosures))
    claims = reader.members(payload, (), 1)
    if reader.waiting:
        raise VerificationFailed("disclosure_unreferenced", "a disclosure belongs to no digest")
    if not NEVER_DISCLOSABLE.isdisjoint([path[0] for path in reader.paths]):
        raise VerificationFailed("not_disclosable", "a claim that decides validity is selectively disclosed")
    hidden = len(reader.seen) - len(reader.paths)
    return tuple.__new__(Processed, (claims, tuple(reader.paths), tuple(reader.texts), hidden))


class _Reader:
    """Walks the tree once. The nesting limit also bounds the work: no digest is taken twice."""

    __slots__ = ("paths", "seen", "texts", "waiting")

    def __init__(self, waiting: dict[str, tuple[str, Any]]) -> None:
        self.waiting = waiting
        self.seen: set[str] = set()
        self.paths: list[Path] = []
        self.texts: list[str] = []

    def value(self, value: Any, path: Path, level: int) -> Any:
        kind = type(value)
        if kind is dict:
            return self.members(value, path, level)
        return self.elements(value, path, level) if kind is list else value

    def members(self, value: Mapping[str, Any], path: Path, level: int) -> dict[str, Any]:
        if level > MAX_NESTING:
            raise VerificationFailed("nesting", "the claims are nested too deep")
        claims = dict(value)
        digests = self._structure(claims, level) if SD in claims or ELLIPSIS in claims or SD_ALG in claims else None
        for name, item in claims.items():
            if type(item) is dict or type(item) is list:
                claims[name] = self.value(item, (*path, name), level + 1)
        if digests:
            for text, content in self._take(digests):
                name, item = property_of(content)
                if name in claims:
                    raise VerificationFailed("claim_repeated", "a disclosed claim is there already")
                at = (*path, name)
                self.paths.append(at)
                self.texts.append(text)
                claims[name] = self.value(item, at, level + 1) if type(item) is dict or type(item) is list else item
        return claims

    def _structure(self, claims: dict[str, Any], level: int) -> list[Any]:
        """Take `_sd` (and `_sd_alg` of the payload) out of an object and return the digests."""
        digests = claims.pop(SD, [])
        if level == 1:
            claims.pop(SD_ALG, None)
        if type(digests) is not list or ELLIPSIS in claims or SD_ALG in claims:  # §7.1 step 3.d, §4.1.1
            raise VerificationFailed("sd_structure", "a reserved name stands where it has no meaning, or _sd is not an array")
        return digests

    def elements(self, value: list[Any], path: Path, level: int) -> list[Any]:
        if level > MAX_NESTING:
            raise VerificationFailed("nesting", "the claims are nested too deep")
        items: list[Any] = []
        for item in value:
            at = (*path, len(items))
            if type(item) is not dict or ELLIPSIS not in item:
                items.append(self.value(item, at, level + 1))
                continue
            if len(item) != 1:
                raise VerificationFailed("sd_structure", "an array placeholder has further members")
            for text, content in self._take([item[ELLIPSIS]]):
                self.paths.append(at)
                self.texts.append(text)
                items.append(self.value(element_of(content), at, level + 1))
        return items

    def _take(self, digests: list[Any]) -> list[tuple[str, Any]]:
        """The disclosures of these digests, each once; a digest without one is a hidden claim or a decoy and counts as seen."""
        if not {str}.issuperset(map(type, digests)):
            raise VerificationFailed("sd_structure", "a digest is not text")
        before = len(self.seen)
        self.seen.update(digests)
        if len(self.seen) != before + len(digests):
            raise VerificationFailed("digest_repeated", "the same digest is there twice")
        return [self.waiting.pop(found) for found in filter(self.waiting.__contains__, digests)]
