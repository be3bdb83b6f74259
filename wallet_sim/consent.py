"""What the user is told before anything is disclosed: who asks, how that is known, what would be shown, where it goes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cryptography.x509.oid import NameOID

from vc.encoding.claims_path import Path
from vc.openid4vp.request import AuthorizationRequest
from vc.x509.certificate import subject_value
from wallet_sim.holdings import Holding

Ask = Callable[[str], bool]
"""Shows the text and returns the user's answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One credential about to be presented for query `query_id`: `paths` are the claims that would become visible."""

    query_id: str
    holding: Holding
    paths: frozenset[Path]


def verifier_name(request: AuthorizationRequest) -> str:
    """Organisation and country from the checked access certificate; its common name when it names no organisation."""
    leaf = request.chain[0]
    organisation = subject_value(leaf, NameOID.ORGANIZATION_NAME) or subject_value(leaf, NameOID.COMMON_NAME) or "unnamed"
    country = subject_value(leaf, NameOID.COUNTRY_NAME)
    return plain(f"{organisation} ({country})" if country else organisation)


def describe(request: AuthorizationRequest, shown: Sequence[Shown]) -> str:
    """The text of the consent screen; it holds claim names, never values."""
    lines = [
        f"{verifier_name(request)} asks for {len(shown)} credential(s).",
        f"  known by: {request.client.prefix} {plain(request.client.value)}",
        f"  answer goes to: {plain(request.response_uri)} ({'encrypted' if request.encrypted else 'not encrypted'})",
    ]
    for item in shown:
        lines.append(f"  credential {item.holding.number}: {plain(item.holding.type_id)} ({item.holding.format})")
        lines.extend(f"    - {name}" for name in names(item.paths))
        if not item.paths:
            lines.append("    - nothing beyond what every presentation of it shows")
    return "\n".join(lines)


def names(paths: frozenset[Path]) -> list[str]:
    """Claim paths as text, sorted."""
    return sorted(plain("/".join(str(part) for part in path)) for path in paths)


def disclosed(shown: Sequence[Shown]) -> Mapping[str, list[str]]:
    """Claim names by query id."""
    return {item.query_id: names(item.paths) for item in shown}


def plain(text: str) -> str:
    """`text` without control and direction characters: it may come from a stranger (SECURITY W-3)."""
    return "".join(character if character.isprintable() else "�" for character in text)[:300]
