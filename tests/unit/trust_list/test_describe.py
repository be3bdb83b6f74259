"""A list from its description: what is described is listed, what is listed is never lost by silence (TRUST 8; Table H.3)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.pki import NOW, Authority
from tests.support.trust import Institution, subject
from trust_list import authoring, description, editions, scope, sources
from trust_list.accept import accept
from trust_list.model import LoTE
from trust_list.profiles import names, profile
from trust_list.store import Publisher
from vc.errors import Malformed, Refused, VcError

DAY = timedelta(days=1)
H = profile("pub-eaa")

LIST = """\
list: pub-eaa
valid_days: 7
scheme:
  name: EU:Synthetic bodies (test)
  information: [https://trust.example/about, https://trust.example/archive]
  policy: https://trust.example/policy
entities:
  - name: Urssaf-like (test)
    country: fr
    registration_id: NTRFR-000000010
    law: OJ:FR-TEST-1
    mail: attestations@urssaf.example
    phone: +33-1-00-00-00-10
    website: https://www.urssaf.example
    street: 1 rue Exemple
    locality: Montreuil
    postal_code: 01000
    services:
      - certificates: [seal.pem]
        types: [{type: pda1, formats: [dc+sd-jwt], authentic_source: "urn:example:pda1"}]
        supply_point: https://issuer.urssaf.example
      - role: revocation
        certificates: [status.pem]
"""


def pem(certificate: Any) -> bytes:
    data: bytes = certificate.public_bytes(Encoding.PEM)
    return data


@pytest.fixture
def home(tmp_path: Path, urssaf: Institution) -> Path:
    authoring.init(tmp_path, base_url="https://lists.test", now=NOW)
    (tmp_path / "seal.pem").write_bytes(pem(urssaf.seal.chain[0]))
    (tmp_path / "document.pem").write_bytes(pem(urssaf.document_signer.chain[0]))
    (tmp_path / "status.pem").write_bytes(pem(urssaf.status.chain[0]))
    return tmp_path


def author(home: Path, text: str = LIST, *, days: int = 0, stage: bool = False) -> LoTE:
    wanted = description.read(text.encode())
    authoring.author(home, wanted, lambda name: sources.read_certificates(home / name)[:1], now=NOW + days * DAY, stage=stage)
    edition = Publisher(home).latest(wanted.list)
    return edition.lote if edition is not None and not stage else Publisher(home).draft(wanted.list)


def refused(home: Path, text: str) -> tuple[str, str]:
    before = Publisher(home).sequences("pub-eaa")
    with pytest.raises(VcError) as caught:
        author(home, text, days=1)
    assert Publisher(home).sequences("pub-eaa") == before
    return caught.value.code, caught.value.pointer


def test_what_is_described_is_published_and_accepted(home: Path) -> None:
    lote = author(home)
    scheme, entity = lote.scheme, lote.entities[0]
    assert (scheme.LoTESequenceNumber, scheme.NextUpdate) == (1, NOW + 7 * DAY)
    assert scheme.SchemeName is not None
    assert scheme.SchemeName[0].value == "EU:Synthetic bodies (test)"
    assert scheme.SchemeInformationURI is not None
    assert [item.uriValue for item in scheme.SchemeInformationURI] == [
        "https://trust.example/about",
        "https://trust.example/archive",
    ]
    assert scheme.PolicyOrLegalNotice is not None
    policy = scheme.PolicyOrLegalNotice[0].LoTEPolicy
    assert policy is not None
    assert policy.uriValue == "https://trust.example/policy"
    assert (entity.name, entity.country, entity.law, entity.entity_id) == (
        "Urssaf-like (test)", "FR", "OJ:FR-TEST-1", "NTRFR-000000010",
    )  # fmt: skip
    postal = entity.TrustedEntityInformation.TEAddress.TEPostalAddress[0]
    assert (postal.StreetAddress, postal.Locality, postal.PostalCode) == ("1 rue Exemple", "Montreuil", "01000")
    addresses = [item.uriValue for item in entity.TrustedEntityInformation.TEAddress.TEElectronicAddress]
    assert addresses[:3] == ["mailto:attestations@urssaf.example", "https://www.urssaf.example", "tel:+33-1-00-00-00-10"]
    issuance, revocation = (service.ServiceInformation for service in entity.TrustedEntityServices)
    assert (issuance.ServiceTypeIdentifier, revocation.ServiceTypeIdentifier) == (H.services["issuance"], H.services["revocation"])
    allowed = scope.read(issuance.ServiceInformationExtensions)
    assert allowed is not None
    assert (allowed[0].attestation_type, allowed[0].authentic_source) == ("pda1", "urn:example:pda1")
    assert {name for name, _ in allowed[0].formats} == {"dc+sd-jwt"}
    edition = Publisher(home).latest("pub-eaa")
    assert edition is not None
    root = authoring.trust_root(home, now=NOW)
    assert accept("pub-eaa", edition.jws, root=root, state=None, now=NOW).findings == ()


def test_authoring_again_changes_number_and_dates_only(home: Path) -> None:
    """Also not the start of a status, nor that of an authorisation."""
    first, second = author(home), author(home, days=3)
    assert second.scheme.LoTESequenceNumber == 2
    assert first.entities == second.entities
    assert {item.what for item in editions.changes(first, second)} == {"scheme"}
    assert editions.succession(first, second, H) == ()


def test_a_change_of_address_keeps_every_status(home: Path) -> None:
    first = author(home)
    second = author(home, LIST.replace("1 rue Exemple", "2 rue Exemple"), days=1)
    assert [item.pointer for item in editions.changes(first, second) if item.what != "scheme"] == [
        "/TrustedEntitiesList/0/TrustedEntityInformation/TEAddress"
    ]


def test_a_further_service_starts_with_the_edition_that_announces_it(home: Path) -> None:
    first = author(home)
    second = author(
        home, LIST + "      - certificates: [document.pem]\n        types: [{type: pda1, formats: [mso_mdoc]}]\n", days=1
    )
    starts = [s.ServiceInformation.StatusStartingTime for s in second.entities[0].TrustedEntityServices]
    assert starts == [NOW, NOW, NOW + DAY]
    assert editions.succession(first, second, H) == ()


def test_withdrawing_one_service_keeps_it_with_its_history(home: Path) -> None:
    first = author(home)
    gone = LIST.replace("      - certificates: [seal.pem]\n", "      - certificates: [seal.pem]\n        withdrawn: superseded\n")
    second, third = author(home, gone, days=1), author(home, gone, days=2)
    assert editions.succession(first, second, H) == ()
    assert second.entities == third.entities
    service, other = second.entities[0].TrustedEntityServices
    assert (service.ServiceInformation.ServiceStatus, service.ServiceInformation.StatusStartingTime) == (H.withdrawn, NOW + DAY)
    assert service.ServiceHistory is not None
    assert (service.ServiceHistory[0].ServiceStatus, service.ServiceHistory[0].StatusStartingTime) == (H.notified, NOW)
    assert {"Critical": False, "WithdrawalReason": "superseded"} in (service.ServiceInformation.ServiceInformationExtensions or [])
    assert other.ServiceInformation.ServiceStatus == H.notified
    assert refused(home, LIST) == ("already_withdrawn", "")


def test_withdrawing_an_entity_withdraws_all_its_services(home: Path) -> None:
    author(home)
    second = author(home, LIST.replace("    services:", "    withdrawn: merged\n    services:"), days=1)
    assert {s.ServiceInformation.ServiceStatus for s in second.entities[0].TrustedEntityServices} == {H.withdrawn}


ENTITY = LIST[LIST.index("  - name:") :]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (LIST[: LIST.index("entities:")], "entity_missing"),
        (LIST[: LIST.index("      - role: revocation")], "service_missing"),
        (LIST + ENTITY, "entity_exists"),
        (LIST + "      - certificates: [seal.pem]\n", "service_exists"),
        (LIST + "      - certificates: [document.pem]\n        withdrawn: never there\n", "not_listed"),
        (LIST.replace("OJ:FR-TEST-1", "OJ:SE-TEST-1"), "list_findings"),
        (LIST.replace("name: Urssaf-like (test)", "name: Another"), "list_findings"),
        (LIST.replace("EU:Synthetic", "Synthetic"), "list_findings"),
        (LIST.replace("type: pda1", "type: a1"), "type_unknown"),
    ],
)
def test_refuses_what_would_break_the_list(home: Path, text: str, code: str) -> None:
    author(home)
    assert refused(home, text)[0] == code


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        (("list: pub-eaa", "list: qeaa"), "description", "/list"),
        (("    country: fr", "    country: France"), "description", "/entities/0/country"),
        (("valid_days: 7", "valid_days: 200"), "description", "/valid_days"),
        (("valid_days: 7", "valid_days: soon"), "description", "/valid_days"),
        (("    law: OJ:FR-TEST-1", "    lwa: OJ:FR-TEST-1"), "description", "/entities/0/lwa"),
        (("    mail: attestations@urssaf.example\n", ""), "description", "/entities/0/mail"),
        (("https://www.urssaf.example", "no address"), "description", "/entities/0/website"),
        (("role: revocation", "role: both"), "description", "/entities/0/services/1/role"),
        (("[status.pem]", "[]"), "description", "/entities/0/services/1/certificates"),
        (("    country: fr", "    country: fr\n    country: de"), "yaml_duplicate_key", "line 10"),
        (("    country: fr", "    country: &c fr"), "yaml_alias", "line 9"),
        (("Montreuil", '"a\\nb"'), "description", "/entities/0/locality"),
    ],
)
def test_refuses_a_description_and_says_where(change: tuple[str, str], code: str, pointer: str) -> None:
    assert change[0] in LIST
    with pytest.raises(Malformed) as caught:
        description.read(LIST.replace(*change).encode())
    assert (caught.value.code, caught.value.pointer) == (code, pointer)


@pytest.mark.parametrize("text", ["- a\n", "just text\n", "~\n"])
def test_a_description_is_a_mapping(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        description.read(text.encode())
    assert (caught.value.code, caught.value.pointer) == ("description", "")


def test_staged_changes_wait(home: Path) -> None:
    author(home, stage=True)
    assert Publisher(home).latest("pub-eaa") is None
    assert len(Publisher(home).draft("pub-eaa").entities) == 1


# --- the other five lists ---


@pytest.fixture
def provider(home: Path, authority: Authority) -> Path:
    signer = authority.leaf(subject=subject("Provider (test)", "FR", "NTRFR-000000090"))
    (home / "provider.pem").write_bytes(pem(signer.chain[0]))
    return home


def described(list_id: str, *more: str) -> str:
    lines = [
        f"list: {list_id}", "entities:", "  - name: Provider (test)", "    country: FR", "    registration_id: NTRFR-000000090",
        "    mail: contact@provider.example", "    phone: +33-1-00-00-00-90", "    website: https://provider.example",
        "    street: 1 rue Exemple", "    locality: Paris", "    services:", "      - certificates: [provider.pem]",
    ]  # fmt: skip
    return "\n".join((*lines, *(f"        {line}" for line in more))) + "\n"


MORE = {
    "wallet": ("name: Wallet One (test)", "unique_identifier: urn:example:wallet:1"),
    "registrars": ("name: Register (test)", "supply_point: https://register.provider.example/api"),
}


@pytest.mark.parametrize("list_id", [name for name in names() if name != "pub-eaa"])
def test_each_list_is_authored_from_its_description(provider: Path, list_id: str) -> None:
    """Also one the publisher did not begin with: it gets the operator of the others."""
    lote = author(provider, described(list_id, *MORE.get(list_id, ())))
    edition = Publisher(provider).latest(list_id)
    assert edition is not None
    accepted = accept(list_id, edition.jws, root=authoring.trust_root(provider, now=NOW), state=None, now=NOW)
    assert (accepted.sequence, accepted.findings, accepted.notes) == (1, (), ())
    assert lote.scheme.SchemeOperatorAddress == Publisher(provider).draft("pid").scheme.SchemeOperatorAddress
    service = lote.entities[0].TrustedEntityServices[0].ServiceInformation
    if list_id in MORE:
        assert service.ServiceName[0].value == MORE[list_id][0].removeprefix("name: ")
    assert service.ServiceStatus is None


@pytest.mark.parametrize("list_id", ["wallet", "registrars"])
def test_what_only_one_list_asks_for_is_asked_for(provider: Path, list_id: str) -> None:
    with pytest.raises(Refused) as caught:
        author(provider, described(list_id))
    assert caught.value.code == "list_findings"


def test_a_list_without_status_drops_who_is_not_described(provider: Path) -> None:
    author(provider, described("pid"))
    assert author(provider, "list: pid\n", days=1).TrustedEntitiesList is None
    with pytest.raises(Refused) as caught:
        author(provider, described("pid", "withdrawn: gone"), days=2)
    assert caught.value.code == "no_status"


def test_a_register_has_no_status_service(provider: Path) -> None:
    with pytest.raises(Refused) as caught:
        author(provider, described("registrars", "role: revocation"))
    assert caught.value.code == "role"


def test_a_directory_without_a_publisher(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        author(tmp_path)
    assert caught.value.code == "not_initialised"
