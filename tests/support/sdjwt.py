"""SD-JWTs for tests: issued the right way, or put together by hand to be wrong in one place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from vc.encoding import base64url, json
from vc.jose import jws
from vc.keys import jwk
from vc.keys.signer import LocalSigner
from vc.sdjwt import disclosure, issue, present
from vc.sdjwt.issue import Plan

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NONCE, AUDIENCE = "n-0S6_WzA2Mj-n-0S6_WzA2Mj", "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk"
HEADER = {"typ": "dc+sd-jwt"}


def counting_bytes() -> Callable[[int], bytes]:
    """A source of "randomness" that never repeats and is the same in every run."""
    blocks = count(1)
    return lambda size: b"".join(next(blocks).to_bytes(8, "big") for _ in range(size // 8 + 1))[:size]


@dataclass(frozen=True, slots=True)
class Lab:
    """An issuer and a holder, with fresh keys."""

    issuer: LocalSigner = field(default_factory=lambda: LocalSigner(ec.generate_private_key(ec.SECP256R1())))
    holder: LocalSigner = field(default_factory=lambda: LocalSigner(ec.generate_private_key(ec.SECP256R1())))
    stranger: LocalSigner = field(default_factory=lambda: LocalSigner(ec.generate_private_key(ec.SECP256R1())))

    def claims(self, **more: Any) -> dict[str, Any]:
        """The registered claims of a credential bound to the holder, and `more`."""
        return {
            "iss": "https://issuer.test/fr",
            "vct": "urn:test:type:1",
            "nbf": 1_770_000_000,
            "exp": 1_800_000_000,
            "cnf": {"jwk": jwk.from_public(self.holder.public_key)},
            **more,
        }

    def issued(self, disclosable: Sequence[Any] | Plan = (), *, header: Mapping[str, Any] = HEADER, **more: Any) -> str:
        """A credential issued by the code under test."""
        prepared = issue.prepare(self.claims(**more), disclosable=disclosable, header=header, random_bytes=counting_bytes())
        return issue.sign(prepared, self.issuer)

    def forged(self, payload: Mapping[str, Any], *disclosures: str, header: Mapping[str, Any] = HEADER) -> str:
        """A correctly signed SD-JWT with exactly this payload and these disclosures, right or wrong."""
        return "~".join((jws.sign(header, json.dumps(payload), self.issuer), *disclosures, ""))

    def bound(self, presentation: str, **changes: Any) -> str:
        """The presentation with a key binding; `changes` as for `present.bind`."""
        arguments = {"holder": self.holder, "nonce": NONCE, "audience": AUDIENCE, "now": NOW, **changes}
        return present.bind(presentation, **arguments)


def of_name(name: str, value: Any, salt: str = "salt") -> str:
    """The disclosure of an object property, with any JSON in the places."""
    return base64url.encode(json.dumps([salt, name, value]))


def of_element(value: Any, salt: str = "salt") -> str:
    """The disclosure of an array element."""
    return base64url.encode(json.dumps([salt, value]))


def raw(text: str | bytes) -> str:
    """base64url of any text, as a disclosure that may be nonsense."""
    return base64url.encode(text.encode("utf-8") if isinstance(text, str) else text)


def digest(text: str) -> str:
    """The sha-256 digest of a disclosure."""
    return disclosure.digest(text)
