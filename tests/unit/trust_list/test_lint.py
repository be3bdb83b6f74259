"""The lint finds all faults at once, each with clause and path; and every trap of the standard (TRUST 1.3) has its answer."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.pki import NOW
from tests.support.trust import Institution, ListOperator
from trust_list import jades, model
from trust_list.accept import accept
from trust_list.jades_profiles import HeaderProfile
from trust_list.lint import lint
from trust_list.profiles import profile
from vc.encoding import base64url, json
from vc.errors import Malformed, VcError

EXAMPLES = Path(__file__).parents[2] / "vectors" / "trust"
FIRST = EXAMPLES / "example-pub-eaa-lote-seq1.json"
H = profile("pub-eaa")
SCHEME = "/LoTE/ListAndSchemeInformation"
Rows = list[tuple[str, str, str, str, str]]


def rows(data: bytes, **options: Any) -> Rows:
    return [(f.part, f.finding.severity, f.finding.code, f.finding.clause, f.path) for f in lint(data, H, **options)]


def changed(change: Callable[[dict[str, Any]], Any]) -> bytes:
    document = copy.deepcopy(json.loads(FIRST.read_bytes()))
    change(document["LoTE"])
    return json.dumps(document)


def scheme(**members: Any) -> bytes:
    return changed(lambda lote: lote["ListAndSchemeInformation"].update(members))


@pytest.mark.parametrize("name", ["example-pub-eaa-lote-seq1", "example-pub-eaa-lote-seq2-withdrawal"])
def test_the_worked_examples_are_clean(name: str) -> None:
    assert rows((EXAMPLES / f"{name}.json").read_bytes()) == []
    assert rows((EXAMPLES / f"{name}.jws").read_bytes()) == []


def test_all_faults_come_at_once() -> None:
    data = scheme(LoTESequenceNumber=0, SchemeTerritory="Europe", Extra=1, NextUpdate="tomorrow")
    assert rows(data) == [
        ("list", "error", "structure", "6.3.2", f"{SCHEME}/LoTESequenceNumber"),
        ("list", "error", "structure", "6.3.10", f"{SCHEME}/SchemeTerritory"),
        ("list", "error", "structure", "6.3.15", f"{SCHEME}/NextUpdate"),
        ("list", "error", "structure", "6.3.0", f"{SCHEME}/Extra"),
    ]


def test_faults_of_the_profile_carry_their_table_and_full_path() -> None:
    assert rows(scheme(SchemeTerritory="FR", LoTEVersionIdentifier=2)) == [
        ("list", "error", "version", "Annex H, Table H.1", f"{SCHEME}/LoTEVersionIdentifier"),
        ("list", "error", "territory", "Annex H, Table H.1", f"{SCHEME}/SchemeTerritory"),
        # The names of the scheme still begin with EU:
    ]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"LoTE": {', "json"),
        (b'{"LoTE": 1, "LoTE": 2}', "json_duplicate_member"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "json_depth"),
    ],
)
def test_what_is_no_json(data: bytes, code: str) -> None:
    assert [(row[1], row[2]) for row in rows(data)] == [("error", code)]


@pytest.mark.parametrize("data", [b"", b"a.b", b"\xff\xfe", b"[]", b"<TrustServiceStatusList/>"])
def test_what_is_no_list_at_all(data: bytes) -> None:
    assert rows(data) == [("seal", "error", "jws", "6.8.0", "")]


def test_the_wrapper_is_needed() -> None:
    """The schema asks for the member LoTE."""
    inner = json.dumps(json.loads_object(FIRST.read_bytes())["LoTE"])
    assert ("list", "error", "structure", "6.2", "/LoTE") in rows(inner)


def test_a_seal_is_checked_against_the_certificate_it_carries(operator: ListOperator) -> None:
    token = operator.seal(operator.lote())
    assert rows(token) == []
    head, payload, signature = token.split(b".")
    assert rows(b".".join((head, payload, signature[:-4] + b"AAAA")))[0][:3] == ("seal", "error", "signature")


def test_a_seal_without_certificate_needs_one_given(operator: ListOperator) -> None:
    token = jades.sign(model.render(operator.lote()), operator.signer, at=NOW, profile=HeaderProfile.APTITUDE).encode()
    assert [row[1:3] for row in rows(token, headers=HeaderProfile.APTITUDE)] == [("warning", "not_checked")]
    assert rows(token, headers=HeaderProfile.APTITUDE, signer=operator.signer.chain[0]) == []
    other = operator.new_signer().chain[0]
    assert [row[1:3] for row in rows(token, headers=HeaderProfile.APTITUDE, signer=other)] == [("error", "signature")]


@pytest.mark.parametrize(
    ("header", "drop", "expected"),
    [
        ({}, ("iat",), [("error", "iat")]),
        ({"typ": "JAdES", "sigT": "2026-11-24T12:00:00Z"}, (), [("warning", "sigT"), ("warning", "typ")]),
        ({"x5c": ["!"]}, (), [("error", "x5c")]),
    ],
)
def test_faults_of_the_seal_stand_beside_those_of_the_list(
    operator: ListOperator, header: dict[str, Any], drop: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    token = operator.seal_changed(
        operator.lote(), lambda lote: lote["ListAndSchemeInformation"].pop("LoTEType"), header=header, drop=drop
    )
    found = rows(token)
    assert [row[1:3] for row in found if row[0] == "seal"] == expected
    assert [row[1:3] for row in found if row[0] == "list"] == [("error", "list_type")]


def test_another_algorithm_than_that_of_the_key(operator: ListOperator) -> None:
    head, payload, signature = operator.seal(operator.lote()).decode().split(".")
    for alg in ("none", "HS256", "ES384"):
        header = base64url.encode(json.dumps({**json.loads_object(base64url.decode(head)), "alg": alg}))
        assert [row[1:3] for row in rows(f"{header}.{payload}.{signature}".encode())] == [("error", "alg")]


def test_who_seals_must_be_the_operator(operator: ListOperator) -> None:
    other = operator.new_signer(subject={"C": "FR", "O": "Somebody else", "CN": "x"})
    found = rows(model.render(operator.lote()), signer=other.chain[0])
    assert [row[2:4] for row in found] == [("signer_country", "6.8"), ("signer_name", "6.8")]


def test_a_certificate_that_may_not_sign(operator: ListOperator) -> None:
    signer = operator.new_signer(usages=("key_agreement",))
    assert [row[2] for row in rows(operator.seal(operator.lote(), signer=signer))] == ["cert_key_usage"]


def test_succession_is_checked_when_the_earlier_edition_is_given(operator: ListOperator, urssaf: Institution) -> None:
    first = operator.lote(urssaf.draft(), sequence=4)
    second = operator.lote(sequence=4)
    assert [row[2:] for row in rows(model.render(second), previous=first)] == [
        ("sequence", "6.3.2", f"{SCHEME}/LoTESequenceNumber"),
        ("entity_removed", "Annex H, Table H.3", "/LoTE/TrustedEntitiesList"),
    ]


# --- traps (TRUST 1.3) ---


def _identity(lote: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = lote["TrustedEntitiesList"][0]["TrustedEntityServices"][0]["ServiceInformation"][
        "ServiceDigitalIdentity"
    ]
    return found


def test_trap_unknown_members_of_an_identity_pass_the_schema_and_are_told() -> None:
    """ETSI's schema has `additionalProperties: false` inside `properties`: it forbids nothing."""
    found = rows(changed(lambda lote: _identity(lote).update(Surprise="x")))
    assert [row[1:4] for row in found] == [("warning", "unknown_member", "6.6.3")]
    # Elsewhere the schema and we both refuse.
    assert rows(scheme(Surprise="x"))[0][1:3] == ("error", "structure")


def test_what_only_the_schema_forbids_is_told() -> None:
    """A public key without its kind: our model keeps keys as they are, ETSI's schema asks for RFC 7517."""
    place = "/LoTE/TrustedEntitiesList/0/TrustedEntityServices/0/ServiceInformation/ServiceDigitalIdentity/PublicKeyValues"
    found = rows(changed(lambda lote: _identity(lote).update(PublicKeyValues=[{"use": "sig"}])))
    assert [row[1:] for row in found] == [("error", "schema", "Annex A.1", f"{place}/0")]


def test_trap_a_closed_list_is_null_in_the_text_and_forbidden_by_the_schema() -> None:
    found = rows(scheme(NextUpdate=None))
    assert [row[1:] for row in found] == [("warning", "closed", "6.3.15", f"{SCHEME}/NextUpdate")]


def test_trap_a_legal_notice_is_a_bare_text() -> None:
    assert rows(scheme(PolicyOrLegalNotice=[{"LoTELegalNotice": "A notice."}])) == []
    multilingual = {"LoTELegalNotice": {"lang": "en", "value": "A notice."}}
    assert rows(scheme(PolicyOrLegalNotice=[multilingual]))[0][2:4] == ("structure", "6.3.11")


def test_trap_the_text_prevails_over_the_schema() -> None:
    """The schema leaves out what the text makes mandatory in an explicit scheme."""

    def drop(lote: dict[str, Any]) -> None:
        for name in ("SchemeOperatorAddress", "SchemeName", "SchemeTerritory", "PolicyOrLegalNotice"):
            lote["ListAndSchemeInformation"].pop(name)

    found = [row[2] for row in rows(changed(drop))]
    assert found == ["territory", "scheme_name", "policy", "operator_address"]


def test_trap_pointers_in_the_singular() -> None:
    """Clause 6.3 says PointerToOtherLoTE, the schema PointersToOtherLoTE: the schema's name is read, the other is told."""
    found = rows(scheme(PointerToOtherLoTE=[]))
    assert [row[2:] for row in found] == [("structure", "6.3.13", f"{SCHEME}/PointerToOtherLoTE")]


def test_trap_the_historical_period_is_no_year_and_must_be_there() -> None:
    for value in (2100, 65534, 0):
        assert [row[2] for row in rows(scheme(HistoricalInformationPeriod=value))] == ["history_period"]
    absent = changed(lambda lote: lote["ListAndSchemeInformation"].pop("HistoricalInformationPeriod"))
    assert [row[2] for row in rows(absent)] == ["history_period"]


def test_trap_the_pid_type_is_not_that_of_registration_certificates() -> None:
    data = changed(lambda lote: lote["ListAndSchemeInformation"].update(LoTEType=profile("pid").list_type))
    assert "list_type" in [f.finding.code for f in lint(data, profile("wrprc"))]


@pytest.mark.parametrize(("uri", "law"), [("EL", "GR"), ("GR", "EL"), ("UK", "GB")])
def test_trap_two_codes_for_one_country(uri: str, law: str) -> None:
    """Clause 6.1.5 wants EL and UK, Table H.2 asks for ISO 3166-1: they are one country when compared."""

    def change(lote: dict[str, Any]) -> None:
        information = lote["TrustedEntitiesList"][0]["TrustedEntityInformation"]
        information["TETradeName"] = [{"lang": "en", "value": f"NTR{uri}-1"}, {"lang": "en", "value": f"OJ:{law}-1"}]
        address = information["TEAddress"]["TEElectronicAddress"]
        for item in address:
            item["uriValue"] = item["uriValue"].replace("PubEAAProvider/FR", f"PubEAAProvider/{uri}")

    assert rows(changed(change)) == []


@pytest.mark.parametrize(
    "value",
    ["2026-12-23T00:00:00.000Z", "2026-12-23T00:00:00+00:00", "2026-12-23T00:00:00", "2026-12-23", "2026-12-23 00:00:00Z"],
)
def test_trap_times_are_utc_without_fractions(value: str) -> None:
    assert [row[2:4] for row in rows(scheme(NextUpdate=value))] == [("structure", "6.3.15")]


def test_trap_a_json_serialisation_with_the_signature_beside_the_list_is_no_list(operator: ListOperator) -> None:
    document = json.loads_object(model.render(operator.lote()))
    flattened = json.dumps({**document, "signature": "AAAA"})
    with pytest.raises(Malformed):
        accept("pub-eaa", flattened, root=operator.root(), state=None, now=NOW)
    assert [row[2] for row in rows(flattened)] == ["structure"]


def test_trap_a_list_whose_numbers_start_over_is_another_list_only_under_another_root(operator: ListOperator) -> None:
    """Test environments begin again at 1: what was accepted binds to location, type and root version."""
    late = accept("pub-eaa", operator.seal(operator.lote(sequence=9)), root=operator.root(), state=None, now=NOW)
    again = operator.seal(operator.lote(sequence=1))
    with pytest.raises(VcError) as caught:
        accept("pub-eaa", again, root=operator.root(), state=late.state, now=NOW)
    assert caught.value.code == "sequence_rollback"
    assert accept("pub-eaa", again, root=operator.root(version=2), state=late.state, now=NOW).sequence == 1
