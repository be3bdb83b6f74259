"""What an offline bundle carries: one signed file with everything a check needs where there is no network (TRUST 7.2 rule 8).

The bundle is a means of transport. Its seal says who put it together; what is inside keeps its own seals, which are
verified again by `opening`. So whoever steals the key of a bundle can hold knowledge back, and can never add an issuer.
"""

from base64 import b64decode, b64encode
from binascii import Error as BinasciiError
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trust_list.model import MAX_SEQUENCE, UtcTime
from vc.encoding import json
from vc.errors import Malformed
from vc.jose import jws
from vc.keys.signer import Signer

TYPE = "ss-trust-bundle+jws"
VERSION: Literal[1] = 1
DEFAULT_LIFE = timedelta(days=7)
MAX_LIFE = timedelta(days=31)
"""A bundle that says it lasts longer is refused: this bounds how long a stolen key can hold knowledge back."""
MAX_PAYLOAD = 64 << 20
MAX_BUNDLE = MAX_PAYLOAD * 4 // 3 + 64 * 1024
Kind = Literal["jwt", "cwt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedList:
    """A sealed list. `checked_at`: when its publisher last confirmed it to the maker."""

    id: str
    jws: bytes = field(repr=False)
    checked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedStatus:
    """A status list token as it was served at `uri`."""

    uri: str
    kind: Kind
    token: bytes = field(repr=False)
    fetched_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedCrl:
    """A revocation list as it was served at `uri`, and the certificate of the authority that signed it (both DER).

    `issuer_uri`: where certificates say that the authority's is (caIssuers), None when they do not."""

    uri: str
    crl: bytes = field(repr=False)
    issuer: bytes = field(repr=False)
    issuer_uri: str | None
    fetched_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """What the maker's program takes for one document type. It widens nothing; a reader that differs says so.

    `formats`: pairs of format and vct or doctype. `labels`: what people call the type, by language.
    """

    type: str
    formats: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """`sequence` grows with every bundle of one maker. `root`: the trust root file, octet for octet. `root_chain`: signed roots,
    the oldest first, that lead a reader with an older one to it."""

    sequence: int
    created: datetime
    not_after: datetime
    root: bytes = field(repr=False)
    lists: tuple[CarriedList, ...]
    statuses: tuple[CarriedStatus, ...] = ()
    crls: tuple[CarriedCrl, ...] = ()
    schemes: tuple[Scheme, ...] = ()
    root_chain: tuple[bytes, ...] = field(default=(), repr=False)


_Base64 = Annotated[str, Field(max_length=MAX_PAYLOAD)]
_Address = Annotated[str, Field(min_length=1, max_length=8192)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class _List(_Strict):
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    jws: str
    checkedAt: UtcTime


class _Status(_Strict):
    uri: _Address
    kind: Kind
    token: str
    fetchedAt: UtcTime


class _Crl(_Strict):
    uri: _Address
    crl: _Base64
    issuer: _Base64
    issuerUri: _Address | None
    fetchedAt: UtcTime


class _Format(_Strict):
    format: str
    typeId: str


class _Scheme(_Strict):
    type: str
    formats: list[_Format]
    labels: dict[str, str]


class _Wire(_Strict):
    v: Literal[1]
    seq: int = Field(ge=1, le=MAX_SEQUENCE)
    created: UtcTime
    notAfter: UtcTime
    root: str = Field(max_length=512 * 1024)
    rootChain: list[Annotated[str, Field(max_length=1 << 20)]] = Field(max_length=64)
    lists: list[_List] = Field(min_length=1, max_length=16)
    statusLists: list[_Status] = Field(max_length=4096)
    crls: list[_Crl] = Field(max_length=1024)
    schemes: list[_Scheme] = Field(max_length=64)


def seal(contents: Contents, signer: Signer) -> bytes:
    """The bundle: compact JWS with the maker's certificate (RFC 7515). Raises ValueError for a signer without certificate."""
    if not signer.chain:
        raise ValueError("a bundle is sealed with a certificate")
    wire = _Wire(
        v=VERSION,
        seq=contents.sequence,
        created=contents.created,
        notAfter=contents.not_after,
        root=contents.root.decode("utf-8"),
        rootChain=[signed.decode("utf-8") for signed in contents.root_chain],
        lists=[_List(id=one.id, jws=one.jws.decode("ascii"), checkedAt=one.checked_at) for one in contents.lists],
        statusLists=[
            _Status(uri=one.uri, kind=one.kind, token=_token_text(one), fetchedAt=one.fetched_at) for one in contents.statuses
        ],
        crls=[
            _Crl(uri=one.uri, crl=_text(one.crl), issuer=_text(one.issuer), issuerUri=one.issuer_uri, fetchedAt=one.fetched_at)
            for one in contents.crls
        ],
        schemes=[
            _Scheme(
                type=one.type,
                formats=[_Format(format=name, typeId=type_id) for name, type_id in one.formats],
                labels=dict(one.labels),
            )
            for one in contents.schemes
        ],
    )
    header = {"typ": TYPE, "x5c": jws.x5c(signer.chain[:1])}
    return jws.sign(header, json.dumps(wire.model_dump(mode="json")), signer).encode("ascii")


def parse(payload: bytes) -> Contents:
    """The contents of a payload whose seal was verified; nothing inside is. Raises `Malformed("bundle")` or the codes of the
    JSON reader. A list, or an address of a kind, that occurs twice is refused: two answers to one question."""
    try:
        wire = _Wire.model_validate(json.loads_object(payload, max_bytes=MAX_PAYLOAD))
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_context=False, include_input=False)[0]
        pointer = "".join(f"/{step}" for step in first["loc"])
        raise Malformed("bundle", f"{first['msg']}", pointer=pointer) from exc
    _once("/lists", [one.id for one in wire.lists])
    _once("/statusLists", [(one.uri, one.kind) for one in wire.statusLists])
    _once("/crls", [one.uri for one in wire.crls])
    return Contents(
        sequence=wire.seq,
        created=wire.created,
        not_after=wire.notAfter,
        root=wire.root.encode("utf-8"),
        root_chain=tuple(signed.encode("utf-8") for signed in wire.rootChain),
        lists=tuple(
            CarriedList(id=one.id, jws=_octets(one.jws, f"/lists/{place}/jws", _ascii), checked_at=one.checkedAt)
            for place, one in enumerate(wire.lists)
        ),
        statuses=tuple(
            CarriedStatus(
                uri=one.uri,
                kind=one.kind,
                token=_octets(one.token, f"/statusLists/{place}/token", _ascii if one.kind == "jwt" else _bytes),
                fetched_at=one.fetchedAt,
            )
            for place, one in enumerate(wire.statusLists)
        ),
        crls=tuple(
            CarriedCrl(
                uri=one.uri,
                crl=_octets(one.crl, f"/crls/{place}/crl", _bytes),
                issuer=_octets(one.issuer, f"/crls/{place}/issuer", _bytes),
                issuer_uri=one.issuerUri,
                fetched_at=one.fetchedAt,
            )
            for place, one in enumerate(wire.crls)
        ),
        schemes=tuple(
            Scheme(
                type=one.type,
                formats=tuple((item.format, item.typeId) for item in one.formats),
                labels=tuple(one.labels.items()),
            )
            for one in wire.schemes
        ),
    )


def _once(pointer: str, names: Sequence[Hashable]) -> None:
    if len(set(names)) != len(names):
        raise Malformed("bundle", "the bundle carries the same thing twice", pointer=pointer)


def _token_text(one: CarriedStatus) -> str:
    return one.token.decode("ascii") if one.kind == "jwt" else _text(one.token)


def _text(octets: bytes) -> str:
    return b64encode(octets).decode("ascii")


def _bytes(text: str) -> bytes:
    return b64decode(text.encode("ascii"), validate=True)


def _ascii(text: str) -> bytes:
    return text.encode("ascii")


def _octets(text: str, pointer: str, read: Callable[[str], bytes]) -> bytes:
    try:
        return read(text)
    except (BinasciiError, UnicodeEncodeError) as exc:
        raise Malformed("bundle", "not ASCII text or not standard base64", pointer=pointer) from exc
