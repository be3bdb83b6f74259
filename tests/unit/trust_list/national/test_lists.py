"""Is the seal qualified? Every answer by its code (TRUST 2; ETSI TS 119 615)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509

from tests.support.pki import NOW, Authority, new_key, root
from tests.support.trusted_lists import Draft, State, certificates, identifier, lotl, sealer, service
from trust_list.answers import Result
from trust_list.national import parsing
from trust_list.national.lists import NationalLists
from trust_list.national.model import TrustedList
from trust_list.national.names import CA_QC
from trust_list.national.reading import read
from vc.x509 import qc
from vc.x509.certificate import ski

CA, STRANGER = root("Qualified seal CA (test)"), root("Another CA (test)")
BELOW = CA.authority("Issuing CA (test)")
WITHDRAWN = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/withdrawn"
SIGNATURES = "http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt/ForeSignatures"
IDENTITY = certificates(CA.certificate)
DAY = timedelta(days=1)


def leaf(by: Authority = CA, *, stated: x509.ExtensionType | None = None) -> tuple[x509.Certificate, ...]:
    return by.leaf(more=((stated or qc.extension(None, qualified=True), False),)).chain


SEAL = leaf()


def listed(draft: Draft) -> TrustedList:
    return parsing.parse(read(draft.xml()), digest=b"")


LOTL = listed(lotl(signers=[sealer()]))


def known(*services: str, missing: dict[str, str] | None = None, **changes: object) -> NationalLists:
    lists = (listed(replace(Draft(services=services), **changes)),)  # type: ignore[arg-type]  # any member of a draft
    return NationalLists(as_of=NOW, lotl=LOTL, lists=lists, missing=missing or {})


def answer(lists: NationalLists, chain: Sequence[x509.Certificate] = SEAL, at: datetime = NOW) -> tuple[Result, str]:
    found = lists.qualified(tuple(chain), at=at)
    assert found.detail
    return found.result, found.code


def qualifiers(name: str) -> str:
    uri = f"http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt/{name}"
    return (
        '<Extension Critical="true"><s:Qualifications><s:QualificationElement><s:Qualifiers>'
        f'<s:Qualifier uri="{uri}"/></s:Qualifiers></s:QualificationElement></s:Qualifications></Extension>'
    )


PASSED = (Result.PASSED, "qualified_seal")
UNKNOWN_CRITICAL = '<Extension Critical="true"><Unheard/></Extension>'
CASES = {
    "granted for seals": ((service(IDENTITY),), PASSED),
    "not listed": ((service(certificates(STRANGER.certificate)),), (Result.FAILED, "service_not_listed")),
    "withdrawn": (
        (service(IDENTITY, State(start=NOW - DAY, status=WITHDRAWN), State()),), (Result.FAILED, "service_withdrawn")),
    "withdrawn later": ((service(IDENTITY, State(start=NOW + DAY, status=WITHDRAWN), State()),), PASSED),
    "granted after the certificate was made": (
        (service(IDENTITY, State(start=NOW - DAY), State(status=WITHDRAWN)),), (Result.FAILED, "service_withdrawn")),
    "listed after the certificate was made": (
        (service(IDENTITY, State(start=NOW - DAY)),), (Result.FAILED, "service_not_yet_listed")),
    "for signatures only": (
        (service(IDENTITY, State(purposes=(SIGNATURES,))),), (Result.FAILED, "service_not_for_seals")),
    "for seals only before": (
        (service(IDENTITY, State(start=NOW - DAY, purposes=(SIGNATURES,)), State()),), (Result.FAILED, "service_not_for_seals")),
    "another kind of service": (
        (service(IDENTITY, State(service_type=CA_QC.replace("QC", "PKC"))),), (Result.FAILED, "service_not_for_seals")),
    "one entry for each purpose": ((service(IDENTITY, State(purposes=(SIGNATURES,))), service(IDENTITY)), PASSED),
    "entries that contradict": (
        (service(IDENTITY), service(IDENTITY, State(status=WITHDRAWN))), (Result.NOT_CHECKED, "entries_contradict")),
    "a condition that takes away": (
        (service(IDENTITY, State(more=qualifiers("NotQualified"))),), (Result.NOT_CHECKED, "qualifiers_not_read")),
    "a condition that confirms": ((service(IDENTITY, State(more=qualifiers("QCWithQSCD"))),), PASSED),
    "a critical extension that is not known": (
        (service(IDENTITY, State(more=UNKNOWN_CRITICAL)),), (Result.NOT_CHECKED, "qualifiers_not_read")),
    "another extension": ((service(IDENTITY, State(more=UNKNOWN_CRITICAL.replace("true", "false"))),), PASSED),
    "an unreadable one beside": ((service(IDENTITY + "<DigitalId><X509Certificate>AAAA</X509Certificate></DigitalId>"),), PASSED),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_service_that_issued_decides(case: str) -> None:
    services, wanted = CASES[case]
    assert answer(known(*services)) == wanted


def test_the_time_of_signing_is_judged() -> None:
    lists = known(service(IDENTITY, State(start=NOW - DAY, status=WITHDRAWN), State()))
    assert answer(lists, at=NOW - 2 * DAY) == PASSED
    assert answer(lists, at=NOW) == (Result.FAILED, "service_withdrawn")


NOT_SEAL = x509.UnrecognizedExtension(
    qc.QC_STATEMENTS,
    qc.extension(None, qualified=True).value.replace(bytes.fromhex("04008e46010602"), bytes.fromhex("04008e46010601")),
)
NO_DEVICE = x509.UnrecognizedExtension(
    qc.QC_STATEMENTS, qc.extension(None, qualified=True).value.replace(bytes.fromhex("04008e460104"), bytes.fromhex("04008e460109"))
)
PSB = qc.extension(qc.QcPsb(country="FR", authentic_source="urn:test", legislation="urn:test"))


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        (PSB, "certificate_not_qualified"),
        (NOT_SEAL, "certificate_not_qualified"),
        (NO_DEVICE, "certificate_not_qualified"),
        (x509.UnrecognizedExtension(qc.QC_STATEMENTS, b"\x30\x01"), "qc_statements"),
    ],
    ids=["nothing", "for signatures", "no device", "unreadable"],
)
def test_the_certificate_must_say_so_itself(stated: x509.ExtensionType, code: str) -> None:
    """An authority for qualified seals makes other certificates too: they are not qualified by their company."""
    assert answer(known(service(IDENTITY)), leaf(stated=stated)) == (Result.FAILED, code)
    assert answer(known(), leaf(stated=stated)) == (Result.FAILED, code)


def test_what_the_certificate_leaves_unsaid_a_list_may_say() -> None:
    lists = known(service(IDENTITY, State(more=qualifiers("QCWithQSCD"))))
    assert answer(lists, leaf(stated=NO_DEVICE)) == (Result.NOT_CHECKED, "qualifiers_not_read")


def test_a_listed_root_reaches_through_an_intermediate() -> None:
    assert answer(known(service(IDENTITY)), leaf(BELOW)) == PASSED
    assert answer(known(service(IDENTITY)), leaf(BELOW)[:1]) == (Result.FAILED, "service_not_listed")


def test_an_intermediate_that_is_none_leads_nowhere() -> None:
    """A sibling leaf of the listed authority vouches for nobody."""
    key = new_key()
    sibling = CA.leaf(key=key)
    forged = Authority(sibling.chain[0], key)
    chain = (*leaf(forged)[:1], sibling.chain[0])
    assert answer(known(service(IDENTITY)), chain) == (Result.FAILED, "service_not_listed")
    unrelated = (leaf(STRANGER)[0], BELOW.certificate)
    assert answer(known(service(IDENTITY)), unrelated) == (Result.FAILED, "service_not_listed")


def test_a_key_identifier_stands_for_its_key() -> None:
    """A history may name the key by its identifier alone."""
    lists = known(service(identifier(ski(BELOW.certificate))))
    assert answer(lists, leaf(BELOW)) == PASSED
    assert answer(lists, leaf(CA.authority("Sibling CA (test)"))) == (Result.FAILED, "service_not_listed")


def test_another_certificate_of_the_same_key_counts() -> None:
    own = certificates(BELOW.certificate)
    assert answer(known(service(own)), leaf(BELOW)) == PASSED


def test_a_list_that_has_run_out_says_nothing() -> None:
    assert answer(known(service(IDENTITY), next_update=NOW)) == (Result.NOT_CHECKED, "national_list_missing")
    assert answer(known(service(IDENTITY), next_update=None)) == (Result.NOT_CHECKED, "national_list_missing")


def test_a_missing_list_leaves_it_open() -> None:
    lists = known(missing={"DE": "unreachable"})
    found = lists.qualified(SEAL, at=NOW)
    assert (found.result, found.code) == (Result.NOT_CHECKED, "national_list_missing")
    assert "DE" in found.detail


def test_without_a_list_of_lists_nothing_is_said() -> None:
    lists = known(service(IDENTITY))
    assert answer(replace(lists, lotl=None)) == (Result.NOT_CHECKED, "lotl_never_accepted")
    assert answer(replace(lists, lotl=replace(LOTL, next_update=NOW))) == (Result.NOT_CHECKED, "lotl_expired")
