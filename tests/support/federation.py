"""A pretend federation on the pretend internet: an anchor, intermediates, issuers, and whatever they say wrongly."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx2

from edge.outbound import FetchLimits, Outbound
from tests.support.internet import Internet
from tests.support.pki import NOW, new_key
from trust_list.federation.settings import Federation, FederationFile, read
from trust_list.federation.statements import MEDIA_TYPE
from vc.clock import to_numeric_date
from vc.encoding import json
from vc.jose import jws
from vc.keys import jwk
from vc.keys.signer import LocalSigner

ANCHOR = "https://anchor.test"
MIDDLE = "https://middle.test"
ISSUER = "https://issuer.test/se"
PREFIX = "https://marks.test/PDA1Credential"
NAME = "Exempelkassan (synthetic)"
Bend = Callable[[dict[str, Any]], None]


@dataclass(slots=True)
class Entity:
    """`about`: members of what it says of itself; `above`: members of what its superiors say of it. Both may be bent by a test."""

    id: str
    signer: LocalSigner = field(default_factory=lambda: LocalSigner(new_key()))
    hints: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    above: dict[str, Any] = field(default_factory=dict)
    signs_with: LocalSigner | None = None
    reply: Callable[[httpx2.Request], httpx2.Response] | None = None

    @property
    def jwks(self) -> dict[str, Any]:
        return {"keys": [jwk.from_public(self.signer.public_key, kid=self.id)]}


class PretendFederation:
    """issuer → middle → anchor, each with keys of its own; the anchor issues the trust marks."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now, self.internet, self.entities = now, Internet(), dict[str, Entity]()
        self.typ, self.media_type = "entity-statement+jwt", MEDIA_TYPE
        self.anchor = self.add(ANCHOR)
        self.middle = self.add(MIDDLE, ANCHOR)
        self.issuer = self.add(ISSUER, MIDDLE)
        self.issuer.metadata = {"openid_credential_issuer": {}, "federation_entity": {"organization_name": NAME}}
        self.anchor.about["trust_mark_issuers"] = {f"{PREFIX}/se": [ANCHOR]}
        self.issuer.about["trust_marks"] = [self.mark()]

    def add(self, id: str, *hints: str) -> Entity:
        """An entity that may have others below it."""
        one = Entity(id, hints=list(hints))
        one.metadata = {"federation_entity": {"federation_fetch_endpoint": f"{id}/fetch"}}
        self.entities[id] = one
        self.internet.function(id.removeprefix("https://").partition("/")[0], self.answer)
        return one

    def mark(self, *, by: LocalSigner | None = None, typ: str = "trust-mark+jwt", kid: str = ANCHOR, **changes: Any) -> Any:
        """An item of `trust_marks`; None takes a claim away."""
        claims = {
            "iss": ANCHOR,
            "sub": ISSUER,
            "trust_mark_type": f"{PREFIX}/se",
            "iat": to_numeric_date(self.now - timedelta(hours=1)),
            "exp": to_numeric_date(self.now + timedelta(days=30)),
            **changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        text = jws.sign({"typ": typ, "kid": kid}, json.dumps(claims), by or self.anchor.signer)
        return {"trust_mark_type": claims.get("trust_mark_type"), "trust_mark": text}

    def settings(self, **anchors: Any) -> Federation:
        pinned = [{"id": ANCHOR, "jwks": self.anchor.jwks}]
        return read(FederationFile.model_validate({"anchors": pinned, "trust_marks": {"pda1": PREFIX}, **anchors}))

    def outbound(self) -> Outbound:
        return Outbound(FetchLimits(total_seconds=0.5), transport=self.internet)

    def answer(self, asked: httpx2.Request) -> httpx2.Response:
        """What the entities serve: configurations and statements about those who name them as superior."""
        base = f"https://{asked.url.host}"
        path = asked.url.path
        if path.endswith("/.well-known/openid-federation"):
            one = self.entities.get(base + path.removesuffix("/.well-known/openid-federation"))
            if one is None:
                return httpx2.Response(404)
            if one.reply is not None:
                return one.reply(asked)
            claims = {"authority_hints": one.hints} if one.hints else {}
            return self.said(one.id, one, {**claims, "metadata": one.metadata, **one.about}, one.signs_with or one.signer)
        above = self.entities[base]
        below = self.entities.get(parse_qs(asked.url.query.decode())["sub"][0])
        if below is None or above.id not in below.hints:
            return httpx2.Response(404)
        return self.said(above.id, below, below.above, above.signs_with or above.signer)

    def said(self, by: str, about: Entity, claims: dict[str, Any], signer: LocalSigner) -> httpx2.Response:
        body = {
            "iss": by,
            "sub": about.id,
            "iat": to_numeric_date(self.now - timedelta(minutes=5)),
            "exp": to_numeric_date(self.now + timedelta(hours=12)),
            "jwks": about.jwks,
            **claims,
        }
        text = jws.sign({"typ": self.typ, "kid": by}, json.dumps(body), signer)
        return httpx2.Response(200, content=text.encode(), headers={"content-type": self.media_type})
