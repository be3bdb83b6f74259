"""The trust root: which lists there are, where they live and who may seal each.

It stands for the Official Journal (TRUST 7.2 rule 1). Location and signers come from here and never from a list.
"""

from base64 import b64decode, b64encode
from binascii import Error as BinasciiError
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trust_list.model import MAX_SEQUENCE, Uri, UtcTime, write_time
from vc.encoding import json
from vc.errors import Malformed, Refused
from vc.keys import jwk
from vc.x509.certificate import der, from_der, sha256

MAX_ROOT = 256 * 1024
MAX_KEYS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class RootList:
    """One list. `signers`: SHA-256 over DER. `certificates`: those of them that are at hand, by the same digest."""

    id: str
    type: str
    uri: str
    signers: frozenset[bytes]
    min_sequence: int
    certificates: dict[bytes, x509.Certificate]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRoot:
    """`version` grows by one with every change; only a new version may lower a list's floor.

    `keys`: who signs the next version, by RFC 7638 thumbprint, and `threshold`: how many of them must (`root_chain`).
    `updates`: the address that, followed by `N.jws`, gives version N. A root without keys is a file that a person installs.
    """

    version: int
    expires: datetime
    lists: tuple[RootList, ...]
    keys: dict[bytes, ec.EllipticCurvePublicKey] = field(default_factory=dict)
    threshold: int = 0
    updates: str | None = None

    @classmethod
    def load(cls, data: bytes) -> "TrustRoot":
        """The root of one JSON text. Raises `Malformed("trust_root")` or the codes of the JSON reader.

        A root without lists, a list without signers or keys without a threshold they can reach are refused: emptiness fails.
        """
        try:
            wire = _Root.model_validate(json.loads_object(data, max_bytes=MAX_ROOT))
        except ValidationError as exc:
            first = exc.errors(include_url=False, include_context=False, include_input=False)[0]
            pointer = "".join(f"/{step}" for step in first["loc"])
            raise Malformed("trust_root", f"{first['msg']}", pointer=pointer) from exc
        if len({item.id for item in wire.lists}) != len(wire.lists):
            raise Malformed("trust_root", "a list is named twice", pointer="/lists")
        keys = _keys(wire)
        return cls(
            version=wire.version,
            expires=wire.expires,
            lists=tuple(_root_list(item) for item in wire.lists),
            keys=keys,
            threshold=wire.threshold or 0,
            updates=wire.updates,
        )

    def render(self) -> bytes:
        """The root as JSON, as `load` reads it."""
        signing: dict[str, Any] = {}
        if self.keys:
            signing = {"threshold": self.threshold, "keys": [jwk.from_public(key) for key in self.keys.values()]}
        if self.updates is not None:
            signing["updates"] = self.updates
        return json.dumps(
            {
                "version": self.version,
                "expires": write_time(self.expires),
                "lists": [
                    {
                        "id": item.id,
                        "type": item.type,
                        "uri": item.uri,
                        "signers": sorted(digest.hex() for digest in item.signers),
                        "minSequence": item.min_sequence,
                        "certificates": [b64encode(der(c)).decode("ascii") for c in item.certificates.values()],
                    }
                    for item in self.lists
                ],
                **signing,
            }
        )

    def for_list(self, list_id: str) -> RootList:
        """The entry of `list_id`. Raises `Refused("list_not_in_root")`."""
        for item in self.lists:
            if item.id == list_id:
                return item
        raise Refused("list_not_in_root", "the trust root names no such list")


class _List(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    type: Uri
    uri: Uri
    signers: list[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]] = Field(min_length=1, max_length=16)
    minSequence: int = Field(ge=1, le=MAX_SEQUENCE)
    certificates: list[str] = Field(default_factory=list, max_length=16)


class _Root(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    version: int = Field(ge=1, le=MAX_SEQUENCE)
    expires: UtcTime
    lists: list[_List] = Field(min_length=1, max_length=16)
    threshold: int | None = Field(default=None, ge=1, le=MAX_KEYS)
    keys: list[dict[str, Any]] = Field(default_factory=list, max_length=MAX_KEYS)
    updates: Annotated[Uri, Field(pattern=r"^https?://[^?#]+/$")] | None = None


def _keys(wire: _Root) -> dict[bytes, ec.EllipticCurvePublicKey]:
    """The signing keys by thumbprint. One key under two names would count twice towards the threshold, so it is refused."""
    keys = [jwk.parse_public(value, pointer=f"/keys/{number}") for number, value in enumerate(wire.keys)]
    by_thumbprint = {jwk.thumbprint(key): key for key in keys}
    if len(by_thumbprint) != len(keys):
        raise Malformed("trust_root", "a key is named twice", pointer="/keys")
    if bool(keys) != (wire.threshold is not None) or (wire.threshold or 0) > len(keys):
        raise Malformed("trust_root", "the threshold is not one that the keys can reach", pointer="/threshold")
    if wire.updates is not None and not keys:
        raise Malformed("trust_root", "without keys nobody can sign an update", pointer="/updates")
    return by_thumbprint


def _root_list(wire: _List) -> RootList:
    signers = frozenset(bytes.fromhex(digest) for digest in wire.signers)
    try:
        certificates = [from_der(b64decode(text.encode("ascii"), validate=True)) for text in wire.certificates]
    except (BinasciiError, UnicodeEncodeError) as exc:
        raise Malformed("trust_root", "a certificate is not standard base64", pointer="/lists") from exc
    by_digest = {sha256(certificate): certificate for certificate in certificates}
    if not by_digest.keys() <= signers:
        raise Malformed("trust_root", "a certificate is given that is not pinned", pointer="/lists")
    return RootList(
        id=wire.id, type=wire.type, uri=wire.uri, signers=signers, min_sequence=wire.minSequence, certificates=by_digest
    )
