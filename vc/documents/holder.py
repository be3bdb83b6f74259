"""The person: claims of section 1 and of the identity block that comes with a document (DC4EU `identity`, DOMAIN 5.2)."""

from collections.abc import Mapping
from typing import Any

from vc.documents import codes, country, text
from vc.documents.claim import Claim, Kind, Table, claim
from vc.documents.form import Reader
from vc.documents.model import Problem, leaves
from vc.encoding.claims_path import Path

ROOT = "holder"
MAX_STORED = 255
"""Characters of a member of the identity block that is kept but states nothing on the document."""


def claims(*, mandatory: bool) -> tuple[Claim, ...]:
    """The lines of the holder; `mandatory` for documents that are nothing without the person (the PID)."""
    return (
        claim(ROOT, Kind.OBJECT, "Holder", mandatory=mandatory, paper="1"),
        claim(f"{ROOT}.family_name", Kind.TEXT, "Surname", mandatory=True, max=155, paper="1.2"),
        claim(f"{ROOT}.given_name", Kind.TEXT, "Forenames", mandatory=True, max=155, paper="1.3"),
        claim(f"{ROOT}.birth_family_name", Kind.TEXT, "Surname at birth", max=155, paper="1.4"),
        claim(f"{ROOT}.birth_given_name", Kind.TEXT, "Forenames at birth", max=155),
        claim(f"{ROOT}.birth_date", Kind.DATE, "Date of birth", mandatory=True, paper="1.5"),
        claim(
            f"{ROOT}.birth_date_precision",
            Kind.CODE,
            "How much of the date of birth is known",
            codes=codes.BIRTH_DATE_PRECISION,
            silent=("day",),
        ),
        claim(f"{ROOT}.nationality", Kind.LIST, "Nationality", max=20, single=True, paper="1.6"),
        claim(f"{ROOT}.nationality[]", Kind.COUNTRY, "Nationality", codes=country.NATIONALITIES, paper="1.6"),
        claim(f"{ROOT}.birth_place", Kind.TEXT, "Place of birth", max=155, paper="1.7"),
        claim(f"{ROOT}.birth_country", Kind.COUNTRY, "Country of birth", codes=country.WORLD, paper="1.7"),
        claim(f"{ROOT}.sex", Kind.SEX, "Sex", codes=codes.SEX, paper="1.1"),
    )


_TABLE = Table(claims(mandatory=True))

_SPELLINGS = {
    "family_name_birth": "birth_family_name",
    "family_name_at_birth": "birth_family_name",
    "given_name_birth": "birth_given_name",
    "given_name_at_birth": "birth_given_name",
}
"""Other names the DC4EU identity block has had for the same member."""

_NOT_FACTS = frozenset(
    {
        "authentic_source_person_id",
        "schema",
        "latin",
        "mrz",
        "resident_address",
        "resident_country",
        "resident_state",
        "resident_city",
        "resident_postal_code",
        "resident_street",
        "resident_house_number",
        "personal_administrative_number",
        "email_address",
        "mobile_phone_number",
        "birth_state",
        "birth_city",
        "gender",
    }
)
"""Members of the identity block that serve to find the person and state nothing a document of ours says."""


def read_identity(identity: object, problems: list[Problem]) -> dict[str, Any]:
    """The holder of an identity block. Problems are added with pointers that begin `/identity`."""
    reader = Reader(_TABLE)
    facts: object = identity
    if isinstance(identity, Mapping):
        named = {name: value for name, value in identity.items() if name not in _NOT_FACTS}
        facts = {_SPELLINGS.get(name, name): value for name, value in named.items()}
        for path, value in leaves({name: value for name, value in identity.items() if name in _NOT_FACTS}):
            _check_stored(("identity", *path), value, reader)
    holder = reader.read(facts, at=("identity",), under=(ROOT,))
    problems += reader.problems
    return holder


def _check_stored(at: Path, value: object, reader: Reader) -> None:
    """Members that state nothing on the document are kept by the issuer all the same: bounded and clean (SECURITY D-15)."""
    if not isinstance(value, str):
        return
    found = "length" if len(value) > MAX_STORED else text.fault(text.tidy(value))
    if found:
        reader.add(at, found, f"must be plain text of at most {MAX_STORED} characters")
