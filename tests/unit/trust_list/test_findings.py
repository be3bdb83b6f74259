"""Every rule of the list profiles has one failing list; the control is the list before the change (TRUST 8, Annex H)."""

import copy
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.pki import NOW, Authority
from tests.support.trust import Institution, ListOperator, subject
from trust_list import drafts, findings, model
from trust_list.profiles import profile
from vc.encoding import json
from vc.x509.certificate import der

Change = Callable[[dict[str, Any]], Any]
ENTITY = "/TrustedEntitiesList/0"
SERVICE = f"{ENTITY}/TrustedEntityServices/0"
INFORMATION = f"{SERVICE}/ServiceInformation"
CERTIFICATES = f"{INFORMATION}/ServiceDigitalIdentity/X509Certificates"


def scheme(**members: Any) -> Change:
    """Set members of the scheme information; None removes."""

    def change(document: dict[str, Any]) -> None:
        _put(document["ListAndSchemeInformation"], members)

    return change


def entity(**members: Any) -> Change:
    def change(document: dict[str, Any]) -> None:
        _put(document["TrustedEntitiesList"][0]["TrustedEntityInformation"], members)

    return change


def service(**members: Any) -> Change:
    def change(document: dict[str, Any]) -> None:
        _put(document["TrustedEntitiesList"][0]["TrustedEntityServices"][0]["ServiceInformation"], members)

    return change


def electronic(keep: Callable[[str], bool], *more: str) -> Change:
    def change(document: dict[str, Any]) -> None:
        address = document["TrustedEntitiesList"][0]["TrustedEntityInformation"]["TEAddress"]
        kept = [item for item in address["TEElectronicAddress"] if keep(item["uriValue"])]
        address["TEElectronicAddress"] = kept + [uri(value) for value in more]

    return change


def uri(value: str) -> dict[str, str]:
    return {"lang": "en", "uriValue": value}


def text(value: str) -> dict[str, str]:
    return {"lang": "en", "value": value}


def _put(target: dict[str, Any], members: dict[str, Any]) -> None:
    for name, value in members.items():
        target.pop(name, None)
        if value is not None:
            target[name] = value


def check(lote: model.LoTE, change: Change, list_id: str = "pub-eaa") -> list[tuple[str, str, str]]:
    document = copy.deepcopy(json.loads(model.render(lote)))
    change(document["LoTE"])
    changed = model.parse(json.dumps(document))
    return [(f.severity, f.code, f.pointer) for f in findings.check(changed, profile(list_id))]


@pytest.fixture(scope="module")
def lote(operator: ListOperator, urssaf: Institution) -> model.LoTE:
    return operator.lote(urssaf.draft())


def test_a_proper_list_has_no_findings(operator: ListOperator, lote: model.LoTE) -> None:
    assert findings.check(lote, profile("pub-eaa"), signer=operator.signer.chain[0]) == ()


AT = "/ListAndSchemeInformation"


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        (scheme(LoTEVersionIdentifier=2), "version", f"{AT}/LoTEVersionIdentifier"),
        (scheme(LoTEType=None), "list_type", f"{AT}/LoTEType"),
        (scheme(StatusDeterminationApproach="http://uri.etsi.org/x"), "status_determination", f"{AT}/StatusDeterminationApproach"),
        (scheme(SchemeTypeCommunityRules=None), "community_rules", f"{AT}/SchemeTypeCommunityRules"),
        (scheme(SchemeTypeCommunityRules=[uri("https://x.example")]), "community_rules", f"{AT}/SchemeTypeCommunityRules"),
        (scheme(SchemeTerritory="FR"), "territory", f"{AT}/SchemeTerritory"),
        (scheme(SchemeName=[text("no prefix")]), "scheme_name", f"{AT}/SchemeName"),
        (scheme(SchemeName=[text("EU:name"), {"lang": "fr", "value": "nom"}]), "scheme_name", f"{AT}/SchemeName"),
        (scheme(SchemeName=None), "scheme_name", f"{AT}/SchemeName"),
        (scheme(SchemeName=[{"lang": "fr", "value": "EU:nom"}]), "language", f"{AT}/SchemeName"),
        (scheme(SchemeInformationURI=None), "information_uri", f"{AT}/SchemeInformationURI"),
        (scheme(PolicyOrLegalNotice=None), "policy", f"{AT}/PolicyOrLegalNotice"),
        (scheme(PolicyOrLegalNotice=[{}]), "policy", f"{AT}/PolicyOrLegalNotice"),
        (
            scheme(PolicyOrLegalNotice=[{"LoTEPolicy": uri("https://x.example"), "LoTELegalNotice": "both"}]),
            "policy",
            f"{AT}/PolicyOrLegalNotice",
        ),
        (
            scheme(PolicyOrLegalNotice=[{"LoTEPolicy": uri("https://x.example")}, {"LoTELegalNotice": "mixed"}]),
            "policy",
            f"{AT}/PolicyOrLegalNotice",
        ),
        (scheme(HistoricalInformationPeriod=None), "history_period", f"{AT}/HistoricalInformationPeriod"),
        (scheme(HistoricalInformationPeriod=10), "history_period", f"{AT}/HistoricalInformationPeriod"),
        (scheme(NextUpdate="2026-11-24T12:00:00Z"), "next_update", f"{AT}/NextUpdate"),
        (scheme(NextUpdate="2027-06-24T12:00:00Z"), "next_update", f"{AT}/NextUpdate"),
        (scheme(SchemeExtensions=[{"Critical": True, "New": 1}]), "critical_extension", f"{AT}/SchemeExtensions/0"),
        (scheme(SchemeExtensions=[{"Critical": False}, {"New": 1}]), "critical_extension", f"{AT}/SchemeExtensions/1"),
        (scheme(SchemeExtensions=["text"]), "critical_extension", f"{AT}/SchemeExtensions/0"),
        (scheme(SchemeOperatorAddress=None), "operator_address", f"{AT}/SchemeOperatorAddress"),
        (
            entity(TETradeName=[text("OJ:FR-X")]),
            "registration_id",
            f"{ENTITY}/TrustedEntityInformation/TETradeName",
        ),
        (entity(TETradeName=[text("NTRFR-1")]), "law", f"{ENTITY}/TrustedEntityInformation/TETradeName"),
        (
            entity(TETradeName=[text("NTRFR-1"), text("OJ:SE-SFS-2010:110")]),
            "law",
            f"{ENTITY}/TrustedEntityInformation/TETradeName",
        ),
        (
            entity(TEInformationURI=[uri("http://uri.etsi.org/19602/ListOfTrustedEntities/PubEAAProvider/FR")]),
            "entity_information",
            f"{ENTITY}/TrustedEntityInformation/TEInformationURI",
        ),
        (
            entity(TEInformationURI=[{"lang": "fr", "uriValue": "https://x.example"}]),
            "language",
            f"{ENTITY}/TrustedEntityInformation/TEInformationURI",
        ),
        (service(ServiceName=[{"lang": "fr", "value": "nom"}]), "language", f"{INFORMATION}/ServiceName"),
        (
            electronic(lambda value: not value.startswith("mailto:")),
            "contact",
            f"{ENTITY}/TrustedEntityInformation/TEAddress/TEElectronicAddress",
        ),
        (
            electronic(lambda value: not value.startswith("tel:")),
            "contact",
            f"{ENTITY}/TrustedEntityInformation/TEAddress/TEElectronicAddress",
        ),
        (
            electronic(lambda value: "uri.etsi.org" not in value),
            "country_uri",
            f"{ENTITY}/TrustedEntityInformation/TEAddress",
        ),
        (
            electronic(lambda _: True, "http://uri.etsi.org/19602/ListOfTrustedEntities/PubEAAProvider/DE"),
            "country_uri",
            f"{ENTITY}/TrustedEntityInformation/TEAddress",
        ),
        (
            electronic(
                lambda value: "uri.etsi.org" not in value, "http://uri.etsi.org/19602/ListOfTrustedEntities/PubEAAProvider/france"
            ),
            "country_uri",
            f"{ENTITY}/TrustedEntityInformation/TEAddress",
        ),
        (
            entity(TEInformationExtensions=[{"Critical": True}]),
            "critical_extension",
            f"{ENTITY}/TrustedEntityInformation/TEInformationExtensions/0",
        ),
        (
            service(ServiceTypeIdentifier="http://uri.etsi.org/19602/SvcType/PID/Issuance"),
            "service_type",
            f"{INFORMATION}/ServiceTypeIdentifier",
        ),
        (service(ServiceTypeIdentifier=None), "service_type", f"{INFORMATION}/ServiceTypeIdentifier"),
        (service(ServiceStatus="http://uri.etsi.org/granted"), "service_status", f"{INFORMATION}/ServiceStatus"),
        (service(ServiceStatus=None), "service_status", f"{INFORMATION}/ServiceStatus"),
        (service(StatusStartingTime=None), "status_start", f"{INFORMATION}/StatusStartingTime"),
        (
            service(ServiceInformationExtensions=[{"Critical": True, "Unheard": 1}]),
            "critical_extension",
            f"{INFORMATION}/ServiceInformationExtensions/0",
        ),
        (
            service(ServiceDigitalIdentity={"X509SKIs": ["AAAA"]}),
            "certificate",
            CERTIFICATES,
        ),
        (
            service(ServiceDigitalIdentity={"X509Certificates": [{"val": "AAAA"}]}),
            "certificate",
            CERTIFICATES,
        ),
        (
            service(ServiceDigitalIdentity={"X509Certificates": [{"val": "-----BEGIN CERTIFICATE-----"}]}),
            "certificate",
            CERTIFICATES,
        ),
        (
            entity(TEName=[text("Another name")]),
            "certificate_name",
            CERTIFICATES,
        ),
    ],
)
def test_each_rule_of_annex_h_has_a_failing_list(lote: model.LoTE, change: Change, code: str, pointer: str) -> None:
    found = check(lote, change)
    assert ("error", code, pointer) in found


@pytest.mark.parametrize("missing", ["mailto:", "https:"])
def test_the_operator_has_mail_and_web_addresses(lote: model.LoTE, missing: str) -> None:
    def change(document: dict[str, Any]) -> None:
        address = document["ListAndSchemeInformation"]["SchemeOperatorAddress"]
        address["SchemeOperatorElectronicAddress"] = [
            item for item in address["SchemeOperatorElectronicAddress"] if not item["uriValue"].startswith(missing)
        ]

    assert check(lote, change) == [("error", "operator_address", f"{AT}/SchemeOperatorAddress/SchemeOperatorElectronicAddress")]


def test_a_country_is_two_capital_letters(lote: model.LoTE) -> None:
    """Clause 6.1.5, for the operator and for entities."""

    def change(document: dict[str, Any]) -> None:
        operator_of = document["ListAndSchemeInformation"]["SchemeOperatorAddress"]["SchemeOperatorPostalAddress"][0]
        entity_of = document["TrustedEntitiesList"][0]["TrustedEntityInformation"]["TEAddress"]["TEPostalAddress"][0]
        operator_of["Country"], entity_of["Country"] = "be", "FRA"

    assert check(lote, change) == [
        ("error", "country_code", f"{AT}/SchemeOperatorAddress/SchemeOperatorPostalAddress/0/Country"),
        ("error", "country_code", f"{ENTITY}/TrustedEntityInformation/TEAddress/TEPostalAddress/0/Country"),
    ]


BODY = {"AssociatedBodyName": [text("Body (test)")], "AssociatedBodyTypeIdentifier": "https://trust.example/type"}


@pytest.mark.parametrize(
    ("bodies", "pointers"),
    [
        ([BODY], []),
        ([BODY, BODY], []),  # ETSI's XML schema allows one and knows no type of body
        ([], [""]),
        ([{"AssociatedBodyTradeName": [text("Body (test)")]}], ["/0"]),
        ([{**BODY, "AssociatedBodyName": [{"lang": "en"}]}], ["/0/AssociatedBodyName/0"]),
        ([{**BODY, "Surprise": 1}], ["/0"]),
        ("Body", [""]),
    ],
)
@pytest.mark.parametrize("is_critical", [True, False])
def test_associated_bodies_follow_their_schema(lote: model.LoTE, bodies: Any, pointers: list[str], is_critical: bool) -> None:
    """Clause 6.5.5.1. The TIE schema refers to the main schema by a file name that does not exist; we know which it means."""
    found = check(lote, entity(TEInformationExtensions=[{"Critical": is_critical, "OtherAssociatedBodies": bodies}]))
    place = f"{ENTITY}/TrustedEntityInformation/TEInformationExtensions/0/OtherAssociatedBodies"
    assert found == [("error", "associated_body", f"{place}{pointer}") for pointer in pointers]


def test_annex_h_has_no_pointers(operator: ListOperator, lote: model.LoTE) -> None:
    pid = json.loads(model.render(operator.lote(list_id="pid")))["LoTE"]["ListAndSchemeInformation"]["PointersToOtherLoTE"]
    assert check(lote, scheme(PointersToOtherLoTE=pid)) == [("error", "pointers", f"{AT}/PointersToOtherLoTE")]


def test_certificates_of_one_entry_share_key_and_subject(
    operator: ListOperator, lote: model.LoTE, urssaf: Institution, authority: Authority
) -> None:
    who = subject(urssaf.name, urssaf.country, urssaf.registration_id)
    renewed = authority.leaf(key=urssaf.seal.private_key, subject=who)
    other_key = authority.leaf(subject=who)
    other_name = authority.leaf(key=urssaf.seal.private_key, subject={**who, "CN": "Other"})

    def listing(*signers: Any) -> Change:
        values = [{"val": b64encode(der(signer.chain[0])).decode()} for signer in (urssaf.seal, *signers)]
        return service(ServiceDigitalIdentity={"X509Certificates": values})

    place = CERTIFICATES
    assert check(lote, listing(renewed)) == []
    assert check(lote, listing(other_key)) == [("error", "certificate_key", place)]
    assert check(lote, listing(other_name)) == [("error", "certificate_subject", place)]


def test_a_listed_certificate_of_somebody_else_is_refused(operator: ListOperator, lote: model.LoTE, authority: Authority) -> None:
    """A trust service provider's CA cannot stand under a provider's name (Table H.3)."""
    value = {"X509Certificates": [{"val": b64encode(der(authority.certificate)).decode()}]}
    place = CERTIFICATES
    assert ("error", "certificate_name", place) in check(lote, service(ServiceDigitalIdentity=value))


def test_history_names_keys_by_identifier_newest_first(operator: ListOperator, lote: model.LoTE, urssaf: Institution) -> None:
    rules, day = profile("pub-eaa"), timedelta(days=1)
    gone = drafts.withdraw(lote, rules, urssaf.registration_id, reason="test", now=NOW + day)
    assert {found.code for found in findings.check(gone, rules)} == {"status_future"}
    gone = drafts.next_edition(gone, lote, sequence=2, now=NOW + day, next_update=NOW + 9 * day)
    assert findings.check(gone, rules) == ()

    def history(**members: Any) -> Change:
        def change(document: dict[str, Any]) -> None:
            _put(document["TrustedEntitiesList"][0]["TrustedEntityServices"][0]["ServiceHistory"][0], members)

        return change

    at = f"{SERVICE}/ServiceHistory/0"
    certificate = [{"val": b64encode(der(urssaf.seal.chain[0])).decode()}]
    skis = json.loads(model.render(gone))["LoTE"]["TrustedEntitiesList"][0]["TrustedEntityServices"][0]["ServiceHistory"][0]
    ski = skis["ServiceDigitalIdentity"]["X509SKIs"]
    assert check(gone, history(ServiceDigitalIdentity={"X509SKIs": ski, "X509Certificates": certificate})) == [
        ("error", "history_identity", f"{at}/ServiceDigitalIdentity")
    ]
    assert check(gone, history(ServiceDigitalIdentity={"OtherIds": ["x"]})) == [
        ("error", "history_identity", f"{at}/ServiceDigitalIdentity")
    ]
    assert check(gone, history(ServiceStatus="http://uri.etsi.org/granted")) == [("error", "service_status", f"{at}/ServiceStatus")]
    assert check(gone, history(StatusStartingTime="2027-01-01T00:00:00Z")) == [("error", "history_order", at)]


def identity(**members: Any) -> Change:
    def change(document: dict[str, Any]) -> None:
        first = document["TrustedEntitiesList"][0]["TrustedEntityServices"][0]["ServiceInformation"]
        _put(first["ServiceDigitalIdentity"], members)

    return change


def closed(document: dict[str, Any]) -> None:
    document["ListAndSchemeInformation"]["NextUpdate"] = None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (service(ServiceInformationExtensions=[{"Critical": False, "AuthorisedAttestations": {"entries": []}}]), "scope_extension"),
        (identity(X509SKIs=["AAAA"]), "ski"),
        (identity(New=1), "unknown_member"),
        (service(StatusStartingTime="2026-12-24T12:00:00Z"), "status_future"),
        (closed, "closed"),
        (scheme(SchemeName=[text("EU:x"), {"lang": "FR", "value": "EU:x"}]), "language_tag"),
    ],
    ids=["scope", "ski", "unknown", "future", "closed", "tag"],
)
def test_warns_without_refusing(lote: model.LoTE, change: Change, code: str) -> None:
    assert [(severity, found) for severity, found, _ in check(lote, change)] == [("warning", code)]


def test_an_unknown_extension_that_is_not_critical_passes(lote: model.LoTE) -> None:
    assert check(lote, entity(TEInformationExtensions=[{"Critical": False, "Anything": 1}])) == []


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ((2026, 8, 31), 6, (2027, 2, 28)),
        ((2027, 8, 31), 6, (2028, 2, 29)),
        ((2026, 12, 15), 1, (2027, 1, 15)),
        ((2026, 6, 30), 6, (2026, 12, 30)),
    ],
)
def test_months_later_keeps_within_the_month(start: tuple[int, int, int], months: int, end: tuple[int, int, int]) -> None:
    assert findings.months_later(datetime(*start, tzinfo=UTC), months) == datetime(*end, tzinfo=UTC)
