"""Which claims a client may be registered for, where each stands in a PID, and the question that asks for exactly these."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vc.documents.pid import DOCTYPE
from vc.encoding.claims_path import Path
from verifier.purposes import PURPOSES, Format, Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim of the ID token: where its value stands in the normalised PID (`fact`) and in each format of it.

    `always`: every PID has it (CIR (EU) 2024/2977, annex, table 1); another one is asked for, and left out where there is none.
    """

    name: str
    label: str
    fact: tuple[str, ...]
    sd_jwt: str
    element: str
    always: bool = False

    def path(self, form: Format) -> Path:
        """Where a wallet finds it (OpenID4VP 1.0 §7)."""
        return (self.sd_jwt,) if form == "dc+sd-jwt" else (DOCTYPE, self.element)


def _claim(name: str, label: str, fact: str, element: str | None = None, *, always: bool = False) -> Claim:
    return Claim(name=name, label=label, fact=tuple(fact.split(".")), sd_jwt=name, element=element or name, always=always)


CLAIMS: Mapping[str, Claim] = {
    claim.name: claim
    for claim in (
        _claim("family_name", "surname", "holder.family_name", always=True),
        _claim("given_name", "forenames", "holder.given_name", always=True),
        _claim("birthdate", "date of birth", "holder.birth_date", "birth_date", always=True),
        _claim("birth_family_name", "surname at birth", "holder.birth_family_name", "family_name_birth"),
        _claim("birth_given_name", "forenames at birth", "holder.birth_given_name", "given_name_birth"),
        _claim("nationalities", "nationalities", "holder.nationality", "nationality"),
        _claim("personal_administrative_number", "personal administrative number", "personal_administrative_number"),
        _claim("issuing_country", "country that issued the proof of identity", "issuing_country"),
    )
}
"""Names of OpenID Connect Core 1.0 §5.1 and OpenID Connect for Identity Assurance 1.0 §4; the last two are the PID rulebook's."""

_ID = "sign-in:"
_FORMATS: tuple[Format, ...] = ("dc+sd-jwt", "mso_mdoc")


def purpose(names: Sequence[str]) -> Purpose:
    """The question for a PID with these claims; the ones not every PID has come as an alternative to being left out."""
    wanted = [CLAIMS[name] for name in names]
    certain = [claim for claim in wanted if claim.always]
    sets = [wanted] if certain in ([], wanted) else [wanted, certain]
    return Purpose(
        id=_ID + "+".join(names),
        title="Sign in with the proof of identity",
        document_type="pid",
        asks_for=f"From your proof of identity (PID): {', '.join(claim.label for claim in wanted)}.",
        claims={form: tuple(tuple(claim.path(form) for claim in one) for one in sets) for form in _FORMATS},
    )


def purpose_of(id: str) -> Purpose:
    """The purpose of a stored question: one of the fixed ones, or a sign-in."""
    return purpose(id.removeprefix(_ID).split("+")) if id.startswith(_ID) else PURPOSES[id]


def values(document: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The claims of these names out of a normalised PID; what it does not state is left out."""
    found = {name: _value(document, CLAIMS[name].fact) for name in names}
    if "birthdate" in found and (document.get("holder") or {}).get("birth_date_precision") in ("year", "month"):
        found["birthdate"] = str(found["birthdate"])[:4]  # OpenID Connect Core 1.0 §5.1: the year alone, never an invented day
    return {name: value for name, value in found.items() if value is not None}


def _value(document: Mapping[str, Any], fact: tuple[str, ...]) -> Any:
    value: Any = document
    for step in fact:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
