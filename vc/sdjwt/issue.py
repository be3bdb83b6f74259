"""Issuing SD-JWTs (RFC 9901 §5): prepare the payload and its disclosures, then sign once."""

from binascii import b2a_base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from operator import itemgetter
from typing import Any

import orjson
from cryptography import x509

from vc.encoding import base64url, json
from vc.encoding.claims_path import Path
from vc.errors import Refused
from vc.jose import jws
from vc.keys.signer import Signer
from vc.sdjwt.disclosure import DEFAULT_HASH, ELLIPSIS, NEVER_DISCLOSABLE, RESERVED, SD, SD_ALG
from vc.x509 import certificate

# 144 bits: over the 128 of RFC 9901 §9.3, and a multiple of three, so that all salts of a level are encoded in one call.
_SALT_BYTES, _SALT_TEXT = 18, 24
# A member name stands in JSON as `"name":`, and a quote inside a text is escaped: these octets are a reserved member, nothing else.
_RESERVED_MEMBERS = tuple(f'"{name}":'.encode() for name in sorted(RESERVED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which claims are hidden, as a tree; made by `plan` once per document type and used for every credential of it.

    `concealed`: the members that are hidden themselves; `inner`: those with something hidden inside.
    """

    disclosable: bool
    children: Mapping[str | int | None, "Plan"]
    concealed: frozenset[str]
    inner: tuple[tuple[str, "Plan"], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedSdJwt:
    """Everything but the signature: to be looked at first, then signed exactly once (the one who calls `sign` sees to it).

    `tail`: the disclosures, each followed by `~`.
    """

    header: Mapping[str, Any]
    payload: Mapping[str, Any]
    tail: str

    @property
    def disclosures(self) -> tuple[str, ...]:
        """The disclosure texts in the order of the claims."""
        return tuple(self.tail.split("~")[:-1])


def plan(disclosable: Sequence[Path]) -> Plan:
    """The tree of `disclosable` paths. A path ending in None hides every element of that array one by one.

    Raises `Refused("not_disclosable")` for a claim that must stay visible (`NEVER_DISCLOSABLE`), or anything inside it.
    """
    tree: dict[str | int | None, Any] = {}
    for path in disclosable:
        if not path or path[0] in NEVER_DISCLOSABLE:
            raise Refused("not_disclosable", "this claim must not be selectively disclosable")
        node = tree
        for component in path:
            node = node.setdefault(component, {})
        node[SD] = True  # cannot be a claim's name: reserved names are refused in `prepare`
    return _frozen(tree)


def _frozen(tree: Mapping[str | int | None, Any]) -> Plan:
    every = tree.get(None, {})  # what holds for every element holds for a single one too
    children = {
        component: _frozen(_merged(every, below) if isinstance(component, int) else below)
        for component, below in tree.items()
        if component != SD
    }
    return Plan(
        disclosable=SD in tree,
        children=children,
        concealed=frozenset(name for name, child in children.items() if child.disclosable and isinstance(name, str)),
        inner=tuple((name, child) for name, child in children.items() if child.children and isinstance(name, str)),
    )


def _merged(one: Mapping[str | int | None, Any], other: Mapping[str | int | None, Any]) -> dict[str | int | None, Any]:
    shared = {component: _merged(one[component], other[component]) for component in one.keys() & other.keys() if component != SD}
    return {**one, **other, **shared}


def prepare(
    claims: Mapping[str, Any],
    *,
    disclosable: Sequence[Path] | Plan,
    header: Mapping[str, Any],
    random_bytes: Callable[[int], bytes],
    decoys: int = 0,
) -> PreparedSdJwt:
    """Hide the `disclosable` claims of `claims` that are there; the others stay visible.

    `header`: protected header without `alg`; must carry `typ` (SDJ-13; ValueError). `random_bytes`: a secure source; every
    salt is fresh. `decoys`: number of digests without disclosure added to each `_sd` array. Digests are sorted, so that
    their order says nothing (RFC 9901 §4.2.4.1). Raises `Refused("reserved_name")` for `_sd`, `_sd_alg` or `...` as a
    member anywhere in `claims` (SDJ-12), `Refused("not_disclosable")`, `Malformed("json_unencodable")`.
    """
    if not header.get("typ"):
        raise ValueError("an SD-JWT is issued with an explicit typ")
    encoded = json.dumps(claims)
    if (b'"_sd' in encoded or b'"..."' in encoded) and any(member in encoded for member in _RESERVED_MEMBERS):
        raise Refused("reserved_name", "the claims use a name reserved for selective disclosure")
    root = disclosable if isinstance(disclosable, Plan) else plan(disclosable)
    writer = _Writer(random_bytes, decoys)
    payload = writer.conceal(claims, root)
    if writer.tail:
        payload[SD_ALG] = DEFAULT_HASH
    return PreparedSdJwt(header=header, payload=payload, tail=writer.tail)


def sign(prepared: PreparedSdJwt, signer: Signer) -> str:
    """The issued SD-JWT `<jwt>~<disclosure>~…~`; `x5c` and `x5t#S256` come from the signer's chain (HAIP 1.0 §6.1.1, EAA-S-11)."""
    protected = _protected(signer.curve.alg, json.dumps(prepared.header), signer.chain)
    return f"{jws.seal(protected, json.dumps(prepared.payload), signer)}~{prepared.tail}"


@lru_cache(maxsize=1024)
def _protected(alg: str, header: bytes, chain: tuple[x509.Certificate, ...]) -> str:
    """The encoded protected header: one institution signs thousands of credentials under the same one."""
    members = {"alg": alg, **json.loads_object(header)}
    if chain:
        members |= {"x5c": jws.x5c(chain), "x5t#S256": base64url.encode(certificate.sha256(chain[0]))}
    return base64url.encode(json.dumps(members))


class _Writer:
    """Walks the claims beside the plan, inner levels first, and collects the disclosures in `tail`."""

    __slots__ = ("_decoys", "_random_bytes", "tail")

    def __init__(self, random_bytes: Callable[[int], bytes], decoys: int) -> None:
        self._random_bytes = random_bytes
        self._decoys = decoys
        self.tail = ""

    def conceal(self, value: Any, node: Plan) -> Any:
        if type(value) is dict or isinstance(value, Mapping):  # the first is the usual case and much cheaper to see
            return self._object(value, node)
        if isinstance(value, list | tuple):
            return self._array(value, node.children)
        raise Refused("claims_path", "a path to hide leads through something that is neither object nor array")

    def _object(self, value: Mapping[str, Any], node: Plan) -> dict[str, Any]:
        inner = {name: self.conceal(value[name], child) for name, child in node.inner if name in value}
        if inner:
            value = {**value, **inner}
        visible = dict(value)
        names = list(filter(node.concealed.__contains__, visible))
        if not names:
            return visible
        digests = self._disclose(names, [visible.pop(name) for name in names])
        if self._decoys:
            digests = [*digests, *(base64url.encode(sha256(self._random_bytes(32)).digest()) for _ in range(self._decoys))]
        return {SD: sorted(digests), **visible}

    def _array(self, value: Sequence[Any], children: Mapping[str | int | None, Plan]) -> list[Any]:
        result: list[Any] = []
        hidden: list[int] = []
        every = children.get(None)
        for index, item in enumerate(value):
            child = children.get(index, every)
            result.append(self.conceal(item, child) if child is not None and child.children else item)
            if child is not None and child.disclosable:
                hidden.append(index)
        if hidden:
            for index, digest in zip(hidden, self._disclose([result[index] for index in hidden]), strict=True):
                result[index] = {ELLIPSIS: digest}
        return result

    def _disclose(self, *columns: list[Any]) -> Sequence[str]:
        """Write the disclosures of one level, given as columns (names and values, or values); return their digests in that order.

        The result is that of `disclosure.make` and `disclosure.digest` one by one; the loops run inside the libraries, because
        they would otherwise take half of the issuing time.
        """
        count = len(columns[0])
        salts = _cut(count)(base64url.encode(self._random_bytes(_SALT_BYTES * count)))
        # b2a_base64 ends each disclosure with a line feed, which becomes the `~` that has to follow it anyway.
        lines = b"".join(map(b2a_base64, map(orjson.dumps, zip(salts, *columns, strict=True))))
        texts = lines.replace(b"\n", b"~").replace(b"=", b"").replace(b"+", b"-").replace(b"/", b"_")
        hashes = [sha256(text).digest() for text in texts[:-1].split(b"~")]
        self.tail += texts.decode("ascii")
        return base64url.encode_each(hashes)


@lru_cache(maxsize=1024)
def _cut(count: int) -> Callable[[str], Sequence[str]]:
    """A function that cuts a text into `count` salts; faster than a loop of slices."""
    pieces = [slice(at, at + _SALT_TEXT) for at in range(0, count * _SALT_TEXT, _SALT_TEXT)]
    return itemgetter(*pieces) if count > 1 else lambda text: (text[pieces[0]],)
