"""Credential offers: VCI-OFF-1 to -10, and issuer identifiers (VCI-META-1, -2)."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vc.encoding import json
from vc.errors import Malformed, Refused, VcError, VerificationFailed
from vc.openid4vci.identifiers import check_endpoint, check_issuer, is_loopback, well_known
from vc.openid4vci.offer import (
    PRE_AUTHORIZED,
    CredentialOffer,
    TxCode,
    check_against,
    create,
    link_by_reference,
    link_by_value,
    parse,
    parse_fetched,
    parse_link,
)

ISSUER = "https://issuer.test/fr"


def offer(**changes: Any) -> dict[str, Any]:
    value: dict[str, Any] = {
        "credential_issuer": ISSUER,
        "credential_configuration_ids": ["a", "b"],
        "grants": {PRE_AUTHORIZED: {"pre-authorized_code": "code"}},
        **changes,
    }
    return {name: member for name, member in value.items() if member is not ...}


def grant(**members: Any) -> dict[str, Any]:
    return {PRE_AUTHORIZED: {"pre-authorized_code": "code", **members}}


def test_vci_off_2_what_is_created_is_read_back() -> None:
    made = create(credential_issuer=ISSUER, configuration_ids=["a"], pre_authorized_code="code", tx_code={"length": 6})
    assert made == {
        "credential_issuer": ISSUER,
        "credential_configuration_ids": ["a"],
        "grants": {PRE_AUTHORIZED: {"pre-authorized_code": "code", "tx_code": {"length": 6}}},
    }
    assert parse(made) == CredentialOffer(
        credential_issuer=ISSUER, configuration_ids=("a",), pre_authorized_code="code", tx_code=TxCode(length=6)
    )
    plain = create(credential_issuer=ISSUER, configuration_ids=["a"], pre_authorized_code="code")
    assert "tx_code" not in plain["grants"][PRE_AUTHORIZED]


@pytest.mark.parametrize(
    "wrong", [{"configuration_ids": []}, {"configuration_ids": ["a", "a"]}, {"pre_authorized_code": ""}, {"tx_code": {"length": 0}}]
)
def test_vci_off_2_a_wrong_offer_is_not_created(wrong: dict[str, Any]) -> None:
    with pytest.raises(Malformed, match="offer"):
        create(**{"credential_issuer": ISSUER, "configuration_ids": ["a"], "pre_authorized_code": "code", **wrong})


def test_haip_vci_8_an_offer_of_the_authorization_code_is_read_back() -> None:
    made = create(credential_issuer=ISSUER, configuration_ids=["a"], authorization_code=True)
    assert made["grants"] == {"authorization_code": {}}
    found = parse(made)
    assert (found.authorization_code, found.no_grants, found.issuer_state) == (True, False, None)
    made = create(
        credential_issuer=ISSUER,
        configuration_ids=["a"],
        pre_authorized_code="code",
        authorization_code=True,
        issuer_state="state",
        authorization_server="https://as.test",
    )
    assert made["grants"] == {
        "authorization_code": {"issuer_state": "state", "authorization_server": "https://as.test"},
        PRE_AUTHORIZED: {"pre-authorized_code": "code", "authorization_server": "https://as.test"},
    }
    assert parse(made) == CredentialOffer(
        credential_issuer=ISSUER,
        configuration_ids=("a",),
        pre_authorized_code="code",
        authorization_code=True,
        issuer_state="state",
        authorization_server="https://as.test",
    )
    assert not parse(offer()).authorization_code


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"issuer_state": "s"},
        {"authorization_code": True, "tx_code": {}},
        {"pre_authorized_code": "code", "issuer_state": "s"},
    ],
)
def test_an_offer_without_grant_or_with_what_belongs_to_another_is_not_created(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"grant|goes with"):
        create(credential_issuer=ISSUER, configuration_ids=["a"], **wrong)


def test_vci_off_5_grants_that_name_two_servers_are_refused() -> None:
    named = {"authorization_code": {"authorization_server": "https://one.test"}, **grant(authorization_server="https://two.test")}
    with pytest.raises(Refused, match="offer_authorization_server"):
        parse(offer(grants=named))
    named = {"authorization_code": {}, **grant(authorization_server="https://two.test")}
    assert parse(offer(grants=named)).authorization_server == "https://two.test"


@pytest.mark.parametrize("scheme", ["openid-credential-offer", "haip-vci"])
def test_vci_off_1_both_links_are_read(scheme: str) -> None:
    by_value = link_by_value(offer(), scheme=scheme)
    assert by_value.startswith(f"{scheme}://?credential_offer=%7B")
    assert parse_link(by_value).offer == parse(offer())
    assert parse_link(by_value).uri is None
    by_reference = link_by_reference("https://issuer.test/offers/1?x=1", scheme=scheme)
    assert by_reference == f"{scheme}://?credential_offer_uri=https%3A%2F%2Fissuer.test%2Foffers%2F1%3Fx%3D1"
    assert parse_link(by_reference).uri == "https://issuer.test/offers/1?x=1"
    assert parse_link(by_reference).offer is None


def test_vci_off_11_a_universal_link_is_read_too() -> None:
    assert parse_link("https://wallet.test/offer?x=1&credential_offer_uri=https%3A%2F%2Fissuer.test%2F1").uri


@pytest.mark.parametrize(
    "link",
    [
        "",
        "openid-credential-offer://",
        "openid-credential-offer://?",
        "openid-credential-offer://?other=1",
        "openid4vp://?credential_offer_uri=https%3A%2F%2Fissuer.test",
        "javascript:alert(1)?credential_offer_uri=https%3A%2F%2Fissuer.test",
        link_by_reference("https://issuer.test/1") + "&credential_offer=%7B%7D",
        link_by_reference("https://issuer.test/1") + "&credential_offer_uri=https%3A%2F%2Fissuer.test%2F2",
        "openid-credential-offer://?credential_offer_uri=%ff",
        "openid-credential-offer://?" + "&".join(f"a{index}=1" for index in range(30)),
        "openid-credential-offer://[?credential_offer=1",
        link_by_reference("https://issuer.test/" + "a" * 9000),
    ],
)
def test_vci_off_1_a_link_without_exactly_one_offer_is_refused(link: str) -> None:
    with pytest.raises(Malformed, match="offer_link"):
        parse_link(link)


@pytest.mark.parametrize(
    "uri", ["", "http://issuer.test/1", "http://localhost/1", "file:///etc/passwd", "ftp://issuer.test/1", "issuer.test/1"]
)
def test_vci_off_1_the_reference_is_https(uri: str) -> None:
    with pytest.raises(Malformed, match="url"):
        parse_link(link_by_reference(uri))


def test_the_loopback_may_be_plain_http_when_told() -> None:
    assert parse_link(link_by_reference("http://localhost:8080/1"), allow_http_loopback=True).uri
    assert parse_link(link_by_value(offer(credential_issuer="http://127.0.0.1:1/x")), allow_http_loopback=True).offer
    with pytest.raises(Malformed, match="url"):
        parse_link(link_by_value(offer(credential_issuer="http://127.0.0.1:1/x")))


def test_an_offer_by_value_that_is_no_json_is_refused() -> None:
    with pytest.raises(Malformed, match="json"):
        parse_link("openid-credential-offer://?credential_offer=" + quote('{"a":1,"a":2}'))


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_vci_off_3_a_fetched_offer_is_json(content_type: str) -> None:
    assert parse_fetched(json.dumps(offer()), content_type=content_type).configuration_ids == ("a", "b")


@pytest.mark.parametrize(
    "content_type", ["application/jwt", "text/html", "", "application/jsonx", "application/entity-statement+jwt"]
)
def test_vci_off_3_and_never_a_token(content_type: str) -> None:
    with pytest.raises(Malformed, match="offer_media_type"):
        parse_fetched(json.dumps(offer()), content_type=content_type)


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ([], ""),
        (None, ""),
        (offer(credential_configuration_ids=...), "/credential_configuration_ids"),
        (offer(credential_configuration_ids=[]), "/credential_configuration_ids"),
        (offer(credential_configuration_ids="a"), "/credential_configuration_ids"),
        (offer(credential_configuration_ids=["a", "a"]), "/credential_configuration_ids"),
        (offer(credential_configuration_ids=["a", 1]), "/credential_configuration_ids"),
        (offer(credential_configuration_ids=[""]), "/credential_configuration_ids"),
        (offer(credential_configuration_ids=[{"format": "jwt_vc"}]), "/credential_configuration_ids"),  # old drafts
        (offer(credential_configuration_ids=..., credentials=["a"]), "/credential_configuration_ids"),  # old drafts
        (offer(grants=[]), "/grants"),
        (offer(grants={PRE_AUTHORIZED: None}), f"/grants/{PRE_AUTHORIZED}"),
        (offer(grants={PRE_AUTHORIZED: {}}), f"/grants/{PRE_AUTHORIZED}/pre-authorized_code"),
        (offer(grants={PRE_AUTHORIZED: {"pre_authorized_code": "x"}}), f"/grants/{PRE_AUTHORIZED}/pre-authorized_code"),
        (offer(grants=grant(**{"pre-authorized_code": ""})), f"/grants/{PRE_AUTHORIZED}/pre-authorized_code"),
        (offer(grants=grant(**{"pre-authorized_code": 5})), f"/grants/{PRE_AUTHORIZED}/pre-authorized_code"),
        (offer(grants=grant(tx_code=True)), f"/grants/{PRE_AUTHORIZED}/tx_code"),
        (offer(grants=grant(tx_code={"input_mode": "voice"})), f"/grants/{PRE_AUTHORIZED}/tx_code/input_mode"),
        (offer(grants=grant(tx_code={"length": "4"})), f"/grants/{PRE_AUTHORIZED}/tx_code/length"),
        (offer(grants=grant(tx_code={"length": True})), f"/grants/{PRE_AUTHORIZED}/tx_code/length"),
        (offer(grants=grant(tx_code={"description": "x" * 301})), f"/grants/{PRE_AUTHORIZED}/tx_code/description"),
        (offer(grants=grant(tx_code={"description": 1})), f"/grants/{PRE_AUTHORIZED}/tx_code/description"),
        (offer(grants=grant(authorization_server=1)), f"/grants/{PRE_AUTHORIZED}/authorization_server"),
        (offer(grants={"authorization_code": 1}), "/grants/authorization_code"),
        (offer(grants={"authorization_code": {"issuer_state": 1}}), "/grants/authorization_code/issuer_state"),
    ],
)  # fmt: skip
def test_vci_off_2_an_offer_that_is_none_is_refused_with_its_place(value: object, pointer: str) -> None:
    with pytest.raises(Malformed, match="offer") as caught:
        parse(value)
    assert caught.value.pointer == pointer


def test_vci_off_7_a_tx_code_object_means_a_code_even_when_empty() -> None:
    assert parse(offer(grants=grant(tx_code={}))).tx_code == TxCode(input_mode="numeric", length=None, description=None)
    assert parse(offer(grants=grant())).tx_code is None
    full = {"input_mode": "text", "length": 8, "description": "x" * 300}
    assert parse(offer(grants=grant(tx_code=full))).tx_code == TxCode(input_mode="text", length=8, description="x" * 300)


def test_vci_off_8_10_other_grants_and_none_at_all() -> None:
    found = parse(
        offer(grants={"authorization_code": {"issuer_state": "s", "authorization_server": "https://as.test"}, "other": 1})
    )
    assert (found.issuer_state, found.authorization_server, found.pre_authorized_code, found.no_grants) == (
        "s",
        "https://as.test",
        None,
        False,
    )
    assert parse(offer(grants=...)).no_grants
    assert parse(offer(grants={})).no_grants
    assert parse(offer(future=1)) == parse(offer())


def test_vci_off_2_5_the_offer_fits_the_metadata() -> None:
    found = parse(offer())
    assert check_against(found, configuration_ids=["a", "b", "c"]) == ISSUER
    assert check_against(found, configuration_ids=["a", "b"], authorization_servers=["https://as.test"]) == "https://as.test"
    with pytest.raises(VerificationFailed, match="offer_configuration"):
        check_against(found, configuration_ids=["a"])


def test_vci_off_5_an_authorization_server_is_named_only_where_there_are_several() -> None:
    named = parse(offer(grants=grant(authorization_server="https://as.test")))
    two = ["https://as.test", "https://other.test"]
    assert check_against(named, configuration_ids=["a", "b"], authorization_servers=two) == "https://as.test"
    for servers in ([], ["https://as.test"], ["https://other.test", "https://third.test"]):
        with pytest.raises(VerificationFailed, match="offer_authorization_server"):
            check_against(named, configuration_ids=["a", "b"], authorization_servers=servers)
    with pytest.raises(Refused, match="offer_authorization_server"):
        check_against(parse(offer()), configuration_ids=["a", "b"], authorization_servers=two)


# --- identifiers ---


@pytest.mark.parametrize(
    "url", ["https://issuer.test", "https://issuer.test/", "https://issuer.test:8443/a/b", "https://Issuer.test/A"]
)
def test_vci_meta_1_issuer_identifiers_are_kept_as_they_are(url: str) -> None:
    assert check_issuer(url) == url


@pytest.mark.parametrize(
    "url",
    [
        None, 5, "", "issuer.test", "http://issuer.test", "http://localhost", "https://", "https:///x", "https://issuer.test?",
        "https://issuer.test?a=1", "https://issuer.test#", "https://issuer.test#a", "https://user@issuer.test", "https://:p@issuer.test",
        "https://issuer.test:99999", "https://issuer.test:x", "https://[::1", "https://issuer.test\\@evil.test",
        "https://issuer.test/a b",
        "https://issuer.test/\n", "https://íssuer.test", "javascript:alert(1)", "https://issuer.test/" + "a" * 3000,
    ],
)  # fmt: skip
def test_vci_meta_1_what_is_no_issuer_identifier_is_refused(url: object) -> None:
    with pytest.raises(Malformed, match="url"):
        check_issuer(url)


def test_an_endpoint_may_have_a_query() -> None:
    assert check_endpoint("https://issuer.test/token?tenant=1")
    with pytest.raises(Malformed, match="url"):
        check_endpoint("https://issuer.test/token#a")


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True), ("a.localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True),
        (None, False), ("localhost.evil.test", False), ("10.0.0.1", False), ("0.0.0.0", False), ("notlocalhost", False),
    ],
)  # fmt: skip
def test_what_is_this_machine(host: str | None, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("issuer", "metadata"),
    [
        ("https://issuer.test", "https://issuer.test/.well-known/openid-credential-issuer"),
        ("https://issuer.test/", "https://issuer.test/.well-known/openid-credential-issuer"),
        ("https://issuer.test/fr", "https://issuer.test/.well-known/openid-credential-issuer/fr"),
        ("https://issuer.test:8443/a/b/", "https://issuer.test:8443/.well-known/openid-credential-issuer/a/b"),
    ],
)
def test_vci_meta_2_old_11_the_well_known_part_goes_between_host_and_path(issuer: str, metadata: str) -> None:
    assert well_known(issuer, "openid-credential-issuer") == metadata


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["credential_issuer", "credential_configuration_ids", "grants", PRE_AUTHORIZED, "tx_code", "length"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(json_values)
def test_any_value_gives_an_offer_or_our_error(value: object) -> None:
    if isinstance(value, dict):
        value = {"credential_issuer": ISSUER, "credential_configuration_ids": ["a"], **value}
    try:
        assert parse(value).credential_issuer
    except VcError as refusal:
        assert refusal.code  # noqa: PT017


@given(st.text(max_size=60) | st.text(max_size=60).map(lambda text: "openid-credential-offer://?credential_offer=" + text))
def test_any_link_gives_an_offer_or_our_error(link: str) -> None:
    try:
        parse_link(link)
    except VcError:
        return
