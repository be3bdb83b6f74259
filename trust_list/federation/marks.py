"""Trust marks (OpenID Federation 1.0 §7): an accredited issuer of marks says that an entity may do something."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from trust_list.federation.chains import Chain
from trust_list.federation.statements import MAX_STATEMENT, Keys, check_signature, check_time
from vc.clock import from_numeric_date
from vc.errors import Malformed, Refused, VcError
from vc.jose import jws

TYP = "trust-mark+jwt"
_MAX_MARKS = 64


def types(chain: Chain) -> list[str]:
    """The types of the marks the entity shows, not verified: to say what it has instead of what was asked for."""
    return [kind for one in _shown(chain) if isinstance(kind := one.get("trust_mark_type"), str)]


def check(chain: Chain, mark_type: str, moments: Sequence[datetime], keys_of: Callable[[str], Keys]) -> str:
    """The issuer of a mark of `mark_type` about the entity of `chain` that stands at all `moments`.

    `keys_of`: the federation keys of an issuer of marks under the same anchor; raises `VcError`. Raises `Refused("mark_missing")`
    when none of that type is shown, otherwise what is wrong with the first. A mark without an end is refused, since its status is
    not asked for; so is a type with an owner (§7.2), since delegations are not processed.
    """
    failures: list[VcError] = []
    for one in _shown(chain):
        if one.get("trust_mark_type") == mark_type:
            try:
                return _one(chain, mark_type, one.get("trust_mark"), moments, keys_of)
            except VcError as failure:
                failures.append(failure)
    raise failures[0] if failures else Refused("mark_missing", f"there is no trust mark {mark_type}")


def _one(chain: Chain, mark_type: str, text: object, moments: Sequence[datetime], keys_of: Callable[[str], Keys]) -> str:
    if not isinstance(text, str):
        raise Malformed("mark_malformed", "a trust mark is a JWT")
    try:
        token = jws.parse(text, max_length=MAX_STATEMENT)
        claims = token.claims()
    except VcError as exc:
        raise Malformed("mark_malformed", "a trust mark is a JWT") from exc
    issuer = claims.get("iss")
    accredited = _object(chain.anchor.claims.get("trust_mark_issuers")).get(mark_type)
    if not isinstance(issuer, str) or not isinstance(accredited, list) or issuer not in accredited:
        raise Refused("mark_issuer", f"the trust anchor does not name this issuer for trust marks {mark_type}")
    if "delegation" in claims or mark_type in _object(chain.anchor.claims.get("trust_mark_owners")):
        raise Refused("mark_delegated", "trust marks with an owner are not processed here")
    check_signature(token, keys_of(issuer), TYP)
    if claims.get("trust_mark_type") != mark_type:
        raise Refused("mark_type", "the trust mark is of another type than it is shown as")
    if claims.get("sub") != chain.subject:
        raise Refused("mark_subject", "the trust mark is about another entity")
    if "exp" not in claims:
        raise Refused("mark_endless", "the trust mark has no end, and its status is not asked for")
    check_time(from_numeric_date(claims.get("iat")), from_numeric_date(claims["exp"]), moments)
    return issuer


def _shown(chain: Chain) -> list[dict[str, Any]]:
    shown = chain.links[0].configuration.claims.get("trust_marks", [])
    return [one for one in shown[:_MAX_MARKS] if isinstance(one, dict)] if isinstance(shown, list) else []


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
