"""What a wallet sent beyond the question: found, and cut out before anything looks at it (SECURITY V-12)."""

from collections.abc import Mapping
from typing import Any

from vc.encoding.claims_path import Path, touches
from vc.formats import Credential
from verifier.purposes import Ask


def unasked(credential: Credential, ask: Ask | None) -> frozenset[Path]:
    """What was disclosed although no claim of the query covers it: neither it, nor a part of it, nor what contains it."""
    if ask is None:
        return frozenset()
    return frozenset(path for path in credential.disclosed if not any(touches(asked, path) for asked in ask.claims))


def without(claims: Mapping[str, Any], paths: frozenset[Path]) -> dict[str, Any]:
    """A copy of `claims` less the elements at `paths`; array elements that go make the array shorter."""
    if not paths:
        return dict(claims)
    return {
        key: _prune(value, frozenset(path[1:] for path in paths if path[0] == key))
        for key, value in claims.items()
        if (key,) not in paths
    }


def _prune(value: Any, paths: frozenset[Path]) -> Any:
    if not paths:
        return value
    if isinstance(value, Mapping):
        return without(value, paths)
    if isinstance(value, list):
        return [
            _prune(item, frozenset(path[1:] for path in paths if path[0] == index))
            for index, item in enumerate(value)
            if (index,) not in paths
        ]
    return value
