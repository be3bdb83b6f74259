"""The five lists that state no status (TS 119 602 Annexes D to G and I): each proper list passes, each rule has one failing list.

Annex H has its own file, `test_findings.py`."""

import copy
from base64 import b64encode
from typing import Any

import pytest

from tests.support.pki import Authority
from tests.support.trust import Institution, ListOperator, subject
from tests.unit.trust_list.test_findings import AT, CERTIFICATES, ENTITY, INFORMATION, SERVICE, Change, scheme, service, uri
from trust_list import findings, model
from trust_list.authoring import EntityDraft, ServiceDraft
from trust_list.profiles import names, profile
from vc.encoding import json
from vc.errors import Refused
from vc.x509.certificate import der

NAME, NUMBER = "Provider (test)", "NTRFR-000000090"
LISTS = tuple(list_id for list_id in names() if list_id != "pub-eaa")
PREFIX = {
    "pid": "PIDProvider",
    "wallet": "WalletProvider",
    "wrpac": "WRPACProvider",
    "wrprc": "WRPRCProvider",
    "registrars": "Registrar",
}


@pytest.fixture(scope="module")
def lists(operator: ListOperator, authority: Authority) -> dict[str, model.LoTE]:
    """One proper list of each type, with one entity."""
    signer = authority.leaf(subject=subject(NAME, "FR", NUMBER))
    made = {}
    for list_id in LISTS:
        one = ServiceDraft(
            role="issuance",
            certificates=signer.chain[:1],
            supply_point="https://register.example/api" if list_id == "registrars" else None,
            unique_identifier="urn:example:wallet:1" if list_id == "wallet" else None,
        )
        draft = EntityDraft(name=NAME, country="FR", registration_id=NUMBER, services=(one,))
        made[list_id] = operator.lote(draft, list_id=list_id)
    return made


def faults(lote: model.LoTE, list_id: str, change: Change) -> list[tuple[str, str, str, str]]:
    document = copy.deepcopy(json.loads(model.render(lote)))
    change(document["LoTE"])
    found = findings.check(model.parse(json.dumps(document)), profile(list_id))
    return [(item.severity, item.code, item.clause, item.pointer) for item in found]


@pytest.mark.parametrize("list_id", LISTS)
def test_a_proper_list_has_no_findings(operator: ListOperator, lists: dict[str, model.LoTE], list_id: str) -> None:
    assert findings.check(lists[list_id], profile(list_id), signer=operator.signer.chain[0]) == ()
    assert lists[list_id].entities[0].country == "FR"


def _contact(scheme_of: str) -> Change:
    def change(document: dict[str, Any]) -> None:
        address = document["TrustedEntitiesList"][0]["TrustedEntityInformation"]["TEAddress"]
        address["TEElectronicAddress"] = [i for i in address["TEElectronicAddress"] if not i["uriValue"].startswith(scheme_of)]

    return change


def _no_country(document: dict[str, Any]) -> None:
    information = document["TrustedEntitiesList"][0]["TrustedEntityInformation"]
    information["TEInformationURI"] = [uri("https://x.example")]


def _history(document: dict[str, Any]) -> None:
    entry = document["TrustedEntitiesList"][0]["TrustedEntityServices"][0]
    entry["ServiceHistory"] = [
        {
            "ServiceName": entry["ServiceInformation"]["ServiceName"],
            "ServiceDigitalIdentity": {"X509SKIs": ["AAAA"]},
            "ServiceStatus": "http://uri.etsi.org/19602/PubEAAProvidersList/SvcStatus/notified",
            "StatusStartingTime": "2026-11-23T00:00:00Z",
        }
    ]


TABLE = "Annex {0}, Table {0}."
RULES: list[tuple[Change, str, str, str]] = [
    (scheme(LoTEVersionIdentifier=2), "version", TABLE + "1", f"{AT}/LoTEVersionIdentifier"),
    (scheme(LoTEType=profile("pub-eaa").list_type), "list_type", TABLE + "1", f"{AT}/LoTEType"),
    (scheme(SchemeInformationURI=[uri("https://x.example")]), "archive_uri", TABLE + "1", f"{AT}/SchemeInformationURI"),
    (
        scheme(StatusDeterminationApproach=profile("pub-eaa").status_determination),
        "status_determination",
        TABLE + "1",
        f"{AT}/StatusDeterminationApproach",
    ),
    (
        scheme(SchemeTypeCommunityRules=[uri(profile("pub-eaa").community_rules)]),
        "community_rules",
        TABLE + "1",
        f"{AT}/SchemeTypeCommunityRules",
    ),
    (scheme(SchemeTerritory="FR"), "territory", TABLE + "1", f"{AT}/SchemeTerritory"),
    (scheme(HistoricalInformationPeriod=65535), "history_period", TABLE + "1", f"{AT}/HistoricalInformationPeriod"),
    (scheme(PointersToOtherLoTE=None), "pointers", TABLE + "1", f"{AT}/PointersToOtherLoTE"),
    (scheme(NextUpdate="2027-06-24T12:00:00Z"), "next_update", TABLE + "1", f"{AT}/NextUpdate"),
    (_contact("mailto:"), "contact", TABLE + "2", f"{ENTITY}/TrustedEntityInformation/TEAddress/TEElectronicAddress"),
    (_contact("tel:"), "contact", TABLE + "2", f"{ENTITY}/TrustedEntityInformation/TEAddress/TEElectronicAddress"),
    (_no_country, "country_uri", TABLE + "2", f"{ENTITY}/TrustedEntityInformation/TEInformationURI"),
    (
        service(ServiceTypeIdentifier="http://uri.etsi.org/19602/SvcType/PubEAA/Issuance"),
        "service_type",
        TABLE + "3",
        f"{INFORMATION}/ServiceTypeIdentifier",
    ),
    (
        service(ServiceStatus="http://uri.etsi.org/19602/PubEAAProvidersList/SvcStatus/notified"),
        "service_status",
        TABLE + "3",
        f"{INFORMATION}/ServiceStatus",
    ),
    (service(StatusStartingTime="2026-11-24T12:00:00Z"), "status_start", TABLE + "3", f"{INFORMATION}/StatusStartingTime"),
    (service(ServiceDigitalIdentity={"OtherIds": ["x"]}), "certificate", "6.6.0", CERTIFICATES),
    (_history, "history", "6.3.12", f"{SERVICE}/ServiceHistory"),
]


@pytest.mark.parametrize("list_id", LISTS)
@pytest.mark.parametrize("rule", RULES, ids=[f"{rule[1]}-{number}" for number, rule in enumerate(RULES)])
def test_each_rule_has_a_failing_list(lists: dict[str, model.LoTE], list_id: str, rule: tuple[Change, str, str, str]) -> None:
    change, code, clause, pointer = rule
    assert faults(lists[list_id], list_id, change) == [("error", code, clause.format(profile(list_id).annex), pointer)]


@pytest.mark.parametrize(
    ("list_id", "member", "code"),
    [("wallet", "ServiceInformationExtensions", "unique_identifier"), ("registrars", "ServiceSupplyPoints", "supply_point")],
)
def test_what_only_one_annex_asks_for(lists: dict[str, model.LoTE], list_id: str, member: str, code: str) -> None:
    annex = profile(list_id).annex
    assert faults(lists[list_id], list_id, service(**{member: None})) == [
        ("error", code, f"Annex {annex}, Table {annex}.3", f"{INFORMATION}/{member}")
    ]


@pytest.mark.parametrize("list_id", LISTS)
def test_a_registration_number_is_asked_for_where_there_is_one(lists: dict[str, model.LoTE], list_id: str) -> None:
    def change(document: dict[str, Any]) -> None:
        document["TrustedEntitiesList"][0]["TrustedEntityInformation"].pop("TETradeName")

    found = faults(lists[list_id], list_id, change)
    assert [(severity, code) for severity, code, _, _ in found] == [("warning", "registration_id")]


def _certificates(*listed: Institution) -> Change:
    return service(ServiceDigitalIdentity={"X509Certificates": [{"val": b64encode(der(i.seal.chain[0])).decode()} for i in listed]})


@pytest.mark.parametrize(
    ("list_id", "expected"),
    [
        ("pid", [("error", "certificate_name"), ("error", "certificate_identifier")]),
        ("wallet", [("error", "certificate_name"), ("error", "certificate_identifier")]),
        ("registrars", [("error", "certificate_name"), ("error", "certificate_identifier")]),
        ("wrpac", [("warning", "certificate_name")]),  # Tables F.3 and G.3 ask for no name; clause 6.6.3 says "should"
        ("wrprc", [("warning", "certificate_name")]),
    ],
)
def test_certificates_of_somebody_else(
    lists: dict[str, model.LoTE], urssaf: Institution, list_id: str, expected: list[tuple[str, str]]
) -> None:

    assert [(severity, code) for severity, code, _, _ in faults(lists[list_id], list_id, _certificates(urssaf))] == expected


def test_only_annex_h_asks_for_one_key(lists: dict[str, model.LoTE], authority: Authority) -> None:
    """Table D.3 says "one or more certificates"; Table H.3 alone wants one key."""
    made = [authority.leaf(subject=subject(NAME, "FR", NUMBER)) for _ in range(2)]
    values = [{"val": b64encode(der(signer.chain[0])).decode()} for signer in made]
    assert faults(lists["pid"], "pid", service(ServiceDigitalIdentity={"X509Certificates": values})) == []


def test_a_natural_person_is_named_by_the_common_name(lists: dict[str, model.LoTE], authority: Authority) -> None:
    signer = authority.leaf(subject={"C": "FR", "CN": NAME})
    value = {"X509Certificates": [{"val": b64encode(der(signer.chain[0])).decode()}]}
    assert faults(lists["pid"], "pid", service(ServiceDigitalIdentity=value)) == []


# --- as printed (TRUST 1.3) ---


def test_what_is_printed_with_an_error_is_written_as_printed() -> None:
    """Clause C.2.2 lacks a P, the rules of Annex D lack "List"; no profile repairs them."""
    assert profile("wrprc").status_determination == "http://uri.etsi.org/19602/WRPRCrovidersList/StatusDetn/EU"
    assert profile("pid").community_rules == "http://uri.etsi.org/19602/PIDProviders/schemerules/EU"
    assert profile("wrprc").list_type == "http://uri.etsi.org/19602/LoTEType/EUWRPRCProvidersList"
    assert profile("pub-eaa").history_period == 65535  # no year: clause 6.3.12


def test_the_corrected_spelling_is_tolerated_on_reading(lists: dict[str, model.LoTE]) -> None:
    corrected = scheme(StatusDeterminationApproach="http://uri.etsi.org/19602/WRPRCProvidersList/StatusDetn/EU")
    found = faults(lists["wrprc"], "wrprc", corrected)
    assert [(severity, code) for severity, code, _, _ in found] == [("warning", "status_determination")]
    assert faults(lists["wrpac"], "wrpac", corrected)[0][:2] == ("error", "status_determination")


def test_the_six_lists_are_known_and_differ() -> None:
    rules = [profile(list_id) for list_id in names()]
    assert [item.annex for item in rules] == ["H", "D", "E", "F", "G", "I"]
    assert len({item.list_type for item in rules}) == 6
    assert [item.list_id for item in rules if item.has_status] == ["pub-eaa"]
    assert {item.list_id: item.country_uri.prefix.split("/")[-2] for item in rules if not item.has_status} == PREFIX
    with pytest.raises(Refused) as caught:
        profile("qeaa")
    assert caught.value.code == "list_unknown"
