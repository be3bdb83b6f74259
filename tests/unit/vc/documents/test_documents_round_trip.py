"""Any document of ours comes back from each shape unchanged, or the shape names what it would lose; any claims can be read."""

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.documents import control, profile
from vc.documents import catalogue, country
from vc.documents.claim import Claim, Kind, Table
from vc.documents.model import Document, leaves, pattern, pointer
from vc.documents.profile import Profile, ProjectionLoses
from vc.encoding.claims_path import Path

DC4EU = [("pda1", "dc4eu-2"), ("pda1", "dc4eu-1"), ("ehic", "dc4eu-1"), ("ehic", "dc4eu-2")]
TEXTS = [
    "A-12",
    "Łódź 4",
    "12 bis",
    "Straße 12 12",
    "Ελλάδα",
    "O’Connor-Smythe & Co.",
    "12",
    "x",
    "Müller 7/3 – Hof",
    "7",
    "a" * 512,
]


def value_of(claim: Claim, choose: Random) -> Any:
    """A value as an institution might send it."""
    match claim.kind:
        case Kind.DATE:
            return choose.choice(["1950-01-01", "1999-12-31", "2026-02-28", "2028-02-29", "2090-12-31"])
        case Kind.END_DATE:
            return choose.choice(["2499-01-01", "2091-01-01", "2400-02-29"])
        case Kind.FLAG:
            return choose.random() < 0.5
        case Kind.COUNTRY | Kind.CODE | Kind.SEX:
            return choose.choice(sorted(claim.codes or ()))
        case Kind.INSTITUTION:
            return choose.choice(["EU:1234", "FR:7500001", "EL:101010", "UK:ABCD123456", "GR:0001"])
        case _:
            texts = [text[: claim.max].strip() for text in TEXTS]
            return choose.choice([text for text in texts if len(text) >= claim.min])


def tree_of(table: Table, under: Path, choose: Random, fullness: float) -> dict[str, Any]:
    """An object as the table declares it; of what is optional, about `fullness`."""
    found = {}
    for claim in table.children[under]:
        if claim.path[-1] not in ("holder", "attestation_legal_category") and (claim.mandatory or choose.random() < fullness):
            found[str(claim.path[-1])] = node_of(table, claim, choose, fullness)
    return found


def node_of(table: Table, claim: Claim, choose: Random, fullness: float) -> Any:
    if claim.kind is Kind.OBJECT:
        return tree_of(table, claim.path, choose, fullness)
    if claim.kind is Kind.LIST:
        element = table.by_path[(*claim.path, None)]
        many = [node_of(table, element, choose, fullness) for _ in range(choose.choice([1, 1, 2, 3]))]
        return [one for index, one in enumerate(many) if one not in many[:index]]
    return value_of(claim, choose)


def any_document(kind: str, seed: int) -> Document:
    """One document of a type with a holder, bare or full."""
    choose = Random(seed)
    table, fullness = catalogue.DOCUMENT_TYPES[kind].table, choose.choice([0.0, 0.1, 0.3, 0.6, 1.0])
    stated = tree_of(table, (), choose, fullness)
    if kind != "pid":
        stated["issuing_country"] = country.of_institution(stated["authentic_source"]["id"]) or "FR"
        stated["issuing_authority"].pop("country", None)
    if kind == "pda1":
        stated["work_information"] = stated["work_information"] or {"no_fixed_place_of_work": ["DE"]}
        if "exception_description" in stated:
            stated["status_confirmation"] = "11"
    if {"date_of_issuance", "date_of_expiry"} <= stated.keys():
        stated["date_of_expiry"] = max(stated["date_of_issuance"], stated["date_of_expiry"])
    if kind == "ehic":
        stated["ending_date"] = max(stated["starting_date"], stated["ending_date"])
    return catalogue.parse(kind, stated, identity=tree_of(table, ("holder",), choose, fullness))


def documents(kind: str) -> st.SearchStrategy[Document]:
    """Any document of a type (built from a seed: quick, and still reproducible)."""
    return st.integers(0, 2**32).map(lambda seed: any_document(kind, seed))


def without(one: Document, keep: frozenset[str]) -> dict[str, Any]:
    """The data of a document with only the holder's members in `keep`."""
    data = one.to_json()
    data["holder"] = {name: value for name, value in data["holder"].items() if name in keep}
    return {name: value for name, value in data.items() if value != {}}


NAMED = frozenset({"family_name", "given_name", "birth_date", "birth_date_precision"})


@given(documents("pda1"))
def test_the_a1_mdoc_carries_everything(one: Document) -> None:
    shape = profile("pda1", "eudi-py-mdoc")
    found = shape.normalise(shape.project(one))
    assert found.data == without(one, NAMED)
    assert found.notes == ()


@given(documents("ehic"))
def test_the_ehic_mdoc_carries_everything(one: Document) -> None:
    shape = profile("ehic", "eudi-py-mdoc")
    found = shape.normalise(shape.project(one))
    assert found.data == without(one, NAMED)
    assert found.notes == ()


@given(st.sampled_from(["pid", "pid-mdoc"]), documents("pid"))
def test_the_pid_carries_everything(id: str, one: Document) -> None:
    shape = profile("pid", id)
    everything = frozenset(one.data["holder"]) - {"birth_date_precision"}
    assert shape.normalise(shape.project(one)).data == without(one, everything)


def silent(one: Document, path: tuple[Any, ...], value: Any) -> bool:
    return value in catalogue.DOCUMENT_TYPES[one.type].table.by_path[pattern(path)].silent


@pytest.mark.parametrize(("kind", "id"), DC4EU)
@given(st.data())
def test_dc4eu_carries_everything_or_names_exactly_what_it_would_lose(kind: str, id: str, choice: st.DataObject) -> None:
    one, shape = choice.draw(documents(kind)), profile(kind, id)
    lost: list[str] = []
    try:
        claims = shape.project(one)
    except ProjectionLoses as exc:
        lost = exc.facts
    if lost:
        assert set(lost) <= {pointer(path) for path, _ in leaves(one.data) if path[0] != "holder"}
        return
    told = shape.normalise(claims)
    expected = [(path, value) for path, value in leaves(one.data) if path[0] != "holder"]
    for path, value in expected:
        assert told.get(*path) == value or silent(one, path, value)
    assert {path for path, _ in leaves(told.data)} <= {path for path, _ in expected}
    assert told.notes == ()


JUNK: list[Any] = [
    None, True, 0, -1, 2.5, "", " ", "x", "FR", "2026-01-01", "2499-01-01", "\x00", "\u202e", b"x", [], [None], ["FR", "FR"],
    [["x"]], {}, {"": 1}, {"x": {"y": [1]}}, [{"country": "FR"}], {"FR": []}, {"FR": [{"address": "x"}]},
]  # fmt: skip


@given(st.sampled_from([entry for kind in catalogue.DOCUMENT_TYPES.values() for entry in kind.profiles]), st.data())
def test_any_claims_can_be_normalised(shape: Profile, choice: st.DataObject) -> None:
    """Whatever an issuer signed, reading gives a document that can be assessed, never an escape."""
    wild = st.sampled_from(JUNK)
    claims: dict[Any, Any] = {}
    for entry in choice.draw(st.lists(st.sampled_from(shape.slots), max_size=8)):
        node: Any = claims
        for step in entry.at[:-1]:
            node = node.setdefault(step, {}) if isinstance(node, dict) and step is not None else {}
        if isinstance(node, dict):
            node[entry.at[-1]] = choice.draw(wild)
    claims |= choice.draw(st.dictionaries(st.sampled_from([str(entry.at[0]) for entry in shape.slots]), wild, max_size=3))
    found = shape.normalise(claims)
    assert found.type == shape.document_type
    json.dumps(found.to_json())
    assert catalogue.DOCUMENT_TYPES[found.type].assess(found, control()).results
