"""Token, nonce, credential and notification messages: VCI-TOK, VCI-NONCE, VCI-CRED, VCI-RESP, VCI-NOT, OLD-01 to -04."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vc.encoding import json
from vc.errors import Malformed, VcError, VerificationFailed
from vc.openid4vci import credential, nonce, notification, token
from vc.openid4vci.credential import CredentialResponse, Deferred
from vc.openid4vci.errors import Endpoint, ProtocolError, translate
from vc.openid4vci.notification import Event, Notification
from vc.openid4vci.offer import PRE_AUTHORIZED
from vc.openid4vci.token import PreAuthorizedTokenRequest, TokenResponse

ISSUER = "https://issuer.test/fr"


def error_of(endpoint: Endpoint, call: Callable[[], object]) -> ProtocolError:
    with pytest.raises(VcError) as caught:
        call()
    return translate(endpoint, caught.value)


# --- token request ---


def form(**changes: str) -> dict[str, str]:
    return {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": "code", **changes}


def details(*entries: Any) -> str:
    return json.dumps(list(entries)).decode()


def token_error(values: dict[str, str]) -> ProtocolError:
    return error_of(Endpoint.TOKEN, lambda: token.parse_request(values, credential_issuer=ISSUER))


def test_vci_tok_1_what_a_wallet_sends_a_server_reads() -> None:
    made = token.create_request(pre_authorized_code="code", tx_code="1234", client_id="wallet", configuration_ids=["a", "b"])
    assert token.parse_request(made, credential_issuer=ISSUER) == PreAuthorizedTokenRequest(
        pre_authorized_code="code", tx_code="1234", client_id="wallet", configuration_ids=("a", "b")
    )
    least = token.create_request(pre_authorized_code="code")
    assert least == form()
    assert token.parse_request(least, credential_issuer=ISSUER) == PreAuthorizedTokenRequest(
        pre_authorized_code="code", tx_code=None, client_id=None, configuration_ids=None
    )


def test_vci_authz_8_unknown_parameters_and_empty_ones_are_not_there() -> None:
    found = token.parse_request(form(tx_code="", client_id="", user_pin="1", resource="x"), credential_issuer=ISSUER)
    assert (found.tx_code, found.client_id) == (None, None)


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({}, "invalid_request"),
        ({"pre-authorized_code": "code"}, "invalid_request"),
        (form(grant_type=""), "invalid_request"),
        ({"grant_type": PRE_AUTHORIZED}, "invalid_request"),
        (form(**{"pre-authorized_code": ""}), "invalid_request"),
        ({"grant_type": PRE_AUTHORIZED, "pre_authorized_code": "code"}, "invalid_request"),  # the underscore form of old drafts
        (form(**{"pre-authorized_code": "a" * 70_000}), "invalid_request"),
        (form(grant_type="password"), "unsupported_grant_type"),  # A-3
        (form(grant_type="client_credentials"), "unsupported_grant_type"),
        (form(grant_type="authorization_code"), "unsupported_grant_type"),
        (form(grant_type="refresh_token"), "unsupported_grant_type"),
    ],
)
def test_vci_tok_2_a_3_a_4_requests_that_are_none_are_refused(values: dict[str, str], error: str) -> None:
    refused = token_error(values)
    assert (refused.error, refused.status) == (error, 400)


@pytest.mark.parametrize(
    "value",
    [
        "x",
        "{}",
        "[]",
        details("x"),
        details({}),
        details({"type": "other", "credential_configuration_id": "a"}),
        details({"type": "openid_credential"}),
        details({"type": "openid_credential", "credential_configuration_id": 5}),
        details({"type": "openid_credential", "format": "vc+sd-jwt", "vct": "x"}),
        details({"type": "openid_credential", "credential_configuration_id": "a", "locations": ["https://other.test"]}),
        details({"type": "openid_credential", "credential_configuration_id": "a", "locations": "x"}),
    ],
)
def test_vci_authz_1_details_that_are_none_are_refused(value: str) -> None:
    refused = token_error(form(authorization_details=value))
    assert (refused.error, refused.status) == ("invalid_authorization_details", 400)


def test_vci_authz_1_vci_tok_8_details_with_junk_and_our_location_are_read() -> None:
    entry = {"type": "openid_credential", "credential_configuration_id": "a", "locations": [ISSUER], "future": 1, "claims": []}
    found = token.parse_request(form(authorization_details=details(entry, entry)), credential_issuer=ISSUER)
    assert found.configuration_ids == ("a",)


def test_secrets_do_not_show_in_a_representation() -> None:
    assert "code" not in repr(token.parse_request(form(tx_code="9876"), credential_issuer=ISSUER)).replace("tx_code", "")
    assert "secret" not in repr(
        token.parse_response(token.response(access_token="secret", token_type="DPoP", expires_in=1), dpop=True)
    )


# --- token response ---


def test_vci_tok_4_5_old_3_the_response_and_its_reading() -> None:
    body = token.response(access_token="t", token_type="DPoP", expires_in=300, credential_identifiers={"a": ["1", "2"]})
    assert body == {
        "access_token": "t",
        "token_type": "DPoP",
        "expires_in": 300,
        "authorization_details": [
            {"type": "openid_credential", "credential_configuration_id": "a", "credential_identifiers": ["1", "2"]}
        ],
    }
    assert token.parse_response({**body, "c_nonce": "old", "future": 1}, dpop=True) == TokenResponse(
        access_token="t", token_type="DPoP", expires_in=300, credential_identifiers={"a": ("1", "2")}
    )
    plain = token.response(access_token="t", token_type="Bearer", expires_in=300)
    assert token.parse_response(plain, dpop=False).credential_identifiers == {}
    assert token.parse_response({"access_token": "t", "token_type": "bearer"}, dpop=False).expires_in is None


def test_vci_tok_9_a_bearer_token_that_lives_long_is_not_made() -> None:
    with pytest.raises(ValueError, match="five minutes"):
        token.response(access_token="t", token_type="Bearer", expires_in=301)
    assert token.response(access_token="t", token_type="DPoP", expires_in=3600)


def test_vci_tok_5_a_configuration_without_identifiers_is_not_written() -> None:
    with pytest.raises(ValueError, match="identifier"):
        token.response(access_token="t", token_type="DPoP", expires_in=1, credential_identifiers={"a": []})


@pytest.mark.parametrize(("kind", "dpop"), [("Bearer", True), ("DPoP", False), ("mac", True)])
def test_vci_dpop_4_a_token_of_another_kind_is_refused_by_the_wallet(kind: str, dpop: bool) -> None:
    with pytest.raises(VerificationFailed, match="token_type"):
        token.parse_response({"access_token": "t", "token_type": kind}, dpop=dpop)


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        {"access_token": "t"},
        {"token_type": "DPoP"},
        {"access_token": 5, "token_type": "DPoP"},
        {"access_token": "", "token_type": "DPoP"},
        {"access_token": "t", "token_type": "DPoP", "expires_in": 0},
        {"access_token": "t", "token_type": "DPoP", "expires_in": "300"},
        {"access_token": "t", "token_type": "DPoP", "authorization_details": {}},
        {"access_token": "t", "token_type": "DPoP", "authorization_details": ["x"]},
        {"access_token": "t", "token_type": "DPoP", "authorization_details": [{"type": "openid_credential"}]},
        {
            "access_token": "t",
            "token_type": "DPoP",
            "authorization_details": [{"type": "openid_credential", "credential_configuration_id": "a"}],
        },
        {
            "access_token": "t",
            "token_type": "DPoP",
            "authorization_details": [{"type": "openid_credential", "credential_identifiers": ["x"]}],
        },
        {
            "access_token": "t",
            "token_type": "DPoP",
            "authorization_details": [
                {"type": "openid_credential", "credential_configuration_id": "a", "credential_identifiers": []}
            ],
        },
    ],
)
def test_vci_tok_5_a_response_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(Malformed, match="token_response"):
        token.parse_response(value, dpop=True)


def test_details_of_other_types_in_a_response_are_ignored() -> None:
    value = {"access_token": "t", "token_type": "DPoP", "authorization_details": [{"type": "other"}]}
    assert token.parse_response(value, dpop=True).credential_identifiers == {}


# --- nonce ---


def test_vci_nonce_1_the_nonce_and_its_reading() -> None:
    assert nonce.parse_response({**nonce.response("n"), "c_nonce_expires_in": 5}) == "n"


@pytest.mark.parametrize("value", [None, [], {}, {"c_nonce": ""}, {"c_nonce": 5}, {"nonce": "n"}])
def test_vci_nonce_1_w_4_an_answer_without_nonce_stops_the_wallet(value: object) -> None:
    with pytest.raises(Malformed, match="nonce_response"):
        nonce.parse_response(value)


# --- credential request ---


def request(**changes: Any) -> dict[str, Any]:
    value = {"credential_configuration_id": "a", "proofs": {"jwt": ["p"]}, **changes}
    return {name: member for name, member in value.items() if member is not ...}


def read(value: object, **changes: Any) -> credential.CredentialRequest:
    arguments: dict[str, Any] = {"configuration_ids": ["a", "b"], "credential_identifiers": None, "batch_size": 3, **changes}
    return credential.parse_request(value, **arguments)


def by_identifier(identifier: str) -> dict[str, Any]:
    return request(credential_configuration_id=..., credential_identifier=identifier)


IDENTIFIERS = {"id-1": "a", "id-2": "foreign"}


def test_vci_cred_1_what_a_wallet_asks_an_issuer_reads() -> None:
    found = read(credential.create_request(configuration_id="a", proofs=["p", "q"]))
    assert (found.configuration_id, found.identifier, found.proofs) == ("a", None, ("p", "q"))
    found = read(credential.create_request(identifier="id-1", proofs=["p"]), credential_identifiers=IDENTIFIERS)
    assert (found.configuration_id, found.identifier) == ("a", "id-1")


def test_vci_cred_12_unknown_members_are_ignored() -> None:
    assert read(request(future=1, issuer_state="x")) == read(request())


@pytest.mark.parametrize("names", [{}, {"configuration_id": "a", "identifier": "id-1"}])
def test_vci_cred_1_a_wallet_gives_exactly_one_name(names: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        credential.create_request(proofs=["p"], **names)


@pytest.mark.parametrize(
    ("name", "value", "identifiers", "error"),
    [
        ("not an object", [], None, "invalid_credential_request"),
        ("no name", request(credential_configuration_id=...), None, "invalid_credential_request"),
        ("both names", request(credential_identifier="id-1"), None, "invalid_credential_request"),
        ("name not text", request(credential_configuration_id=5), None, "invalid_credential_request"),
        ("name empty", request(credential_configuration_id=""), None, "invalid_credential_request"),
        ("configuration although identifiers", request(), IDENTIFIERS, "invalid_credential_request"),
        ("identifier although none", by_identifier("id-1"), None, "invalid_credential_request"),
        ("unknown configuration", request(credential_configuration_id="x"), None, "unknown_credential_configuration"),
        ("unknown identifier", by_identifier("x"), IDENTIFIERS, "unknown_credential_identifier"),
        ("identifier of another grant", by_identifier("id-2"), IDENTIFIERS, "unknown_credential_configuration"),
        # I-18, OLD-01
        ("old format", request(format="vc+sd-jwt"), None, "invalid_credential_request"),
        ("old vct", request(vct="x"), None, "invalid_credential_request"),
        ("old doctype", {"format": "mso_mdoc", "doctype": "x", "proofs": {"jwt": ["p"]}}, None, "invalid_credential_request"),
        ("old definition", request(credential_definition={}), None, "invalid_credential_request"),
        # I-4, OLD-02, VCI-CRED-3
        ("old proof", request(proofs=..., proof={"proof_type": "jwt", "jwt": "p"}), None, "invalid_proof"),
        ("old proof beside", request(proof={"proof_type": "jwt", "jwt": "p"}), None, "invalid_proof"),
        ("no proofs", request(proofs=...), None, "invalid_proof"),
        ("proofs null", request(proofs=None), None, "invalid_proof"),
        ("proofs a list", request(proofs=["p"]), None, "invalid_proof"),
        ("proofs empty", request(proofs={}), None, "invalid_proof"),
        ("two kinds", request(proofs={"jwt": ["p"], "attestation": ["x"]}), None, "invalid_proof"),
        ("another kind", request(proofs={"cwt": ["p"]}), None, "invalid_proof"),
        ("attestation", request(proofs={"attestation": ["p"]}), None, "invalid_proof"),
        ("list empty", request(proofs={"jwt": []}), None, "invalid_proof"),
        ("not a list", request(proofs={"jwt": "p"}), None, "invalid_proof"),
        ("not texts", request(proofs={"jwt": ["p", 5]}), None, "invalid_proof"),
        ("empty text", request(proofs={"jwt": [""]}), None, "invalid_proof"),
        ("over the batch size", request(proofs={"jwt": ["p"] * 4}), None, "invalid_proof"),
        ("150 proofs", request(proofs={"jwt": ["p"] * 150}), None, "invalid_proof"),
        ("endless proof", request(proofs={"jwt": ["p" * 70_000]}), None, "invalid_proof"),
        # I-14, VCI-ENC-2
        ("encrypted response", request(credential_response_encryption={"jwk": {}}), None, "invalid_encryption_parameters"),
        ("encryption junk", request(credential_response_encryption=5), None, "invalid_encryption_parameters"),
    ],
)  # fmt: skip
def test_vci_cred_1_2_3_i_3_i_4_i_18_a_request_with_one_fault_is_refused(
    name: str, value: object, identifiers: dict[str, str] | None, error: str
) -> None:
    refused = error_of(Endpoint.CREDENTIAL, lambda: read(value, credential_identifiers=identifiers))
    assert (refused.error, refused.status) == (error, 400), name


# --- credential response ---


def test_vci_resp_1_old_4_the_response_and_its_reading() -> None:
    body = credential.response(["c1", "c2"], notification_id="n")
    assert body == {"credentials": [{"credential": "c1"}, {"credential": "c2"}], "notification_id": "n"}
    assert credential.parse_response({**body, "c_nonce": "old"}, requested=2) == CredentialResponse(
        credentials=("c1", "c2"), notification_id="n"
    )
    assert credential.response(["c"]) == {"credentials": [{"credential": "c"}]}
    assert credential.parse_response({"transaction_id": "t", "interval": 5}, requested=1) == Deferred(
        transaction_id="t", interval=5
    )


def test_vci_resp_1_an_answer_without_credentials_is_not_made() -> None:
    with pytest.raises(ValueError, match="credentials"):
        credential.response([])


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"credential": "c"},  # OLD-04
        {"acceptance_token": "x"},  # OLD-04
        {"credentials": []},
        {"credentials": "c"},
        {"credentials": ["c"]},
        {"credentials": [{}]},
        {"credentials": [{"credential": ""}]},
        {"credentials": [{"credential": {"a": 1}}]},
        {"credentials": [{"credential": "c"}] * 3},
        {"credentials": [{"credential": "c"}], "transaction_id": "t", "interval": 1},
        {"credentials": [{"credential": "c"}], "notification_id": 5},
        {"transaction_id": "t"},
        {"transaction_id": "t", "interval": 0},
        {"transaction_id": "t", "interval": 1.5},
        {"transaction_id": "", "interval": 1},
        {"transaction_id": "t", "interval": 1, "notification_id": "n"},  # VCI-RESP-3
        {"notification_id": "n"},
    ],
)
def test_vci_resp_1_3_an_answer_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(Malformed, match="credential_response"):
        credential.parse_response(value, requested=2)


# --- notification ---


@pytest.mark.parametrize("event", list(Event))
def test_vci_not_1_what_a_wallet_tells_an_issuer_reads(event: Event) -> None:
    made = notification.create("n", event, description='said "no"')
    assert notification.parse({**made, "future": 1}) == Notification(notification_id="n", event=event, description="said 'no'")
    assert notification.create("n", event) == {"notification_id": "n", "event": event.value}


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        {"notification_id": "n"},
        {"event": "credential_accepted"},
        {"notification_id": "", "event": "credential_accepted"},
        {"notification_id": 5, "event": "credential_accepted"},
        {"notification_id": "n" * 300, "event": "credential_accepted"},
        {"notification_id": "n\n", "event": "credential_accepted"},
        {"notification_id": "n", "event": "credential_eaten"},
        {"notification_id": "n", "event": ["credential_accepted"]},
        {"notification_id": "n", "event": "credential_failure", "event_description": 5},
        {"notification_id": "n", "event": "credential_failure", "event_description": "x" * 1001},
        *(
            {"notification_id": "n", "event": "credential_failure", "event_description": text}
            for text in ('"', "\\", "\t", "é", "\x7f")
        ),
    ],
)
def test_vci_not_2_3_i_16_a_notification_that_is_none_is_refused(value: object) -> None:
    refused = error_of(Endpoint.NOTIFICATION, lambda: notification.parse(value))
    assert (refused.error, refused.status) == ("invalid_notification_request", 400)


# --- any value ---

names = st.sampled_from(
    [
        "credentials",
        "credential",
        "transaction_id",
        "interval",
        "notification_id",
        "event",
        "proofs",
        "jwt",
        "c_nonce",
        "credential_configuration_id",
        "credential_identifier",
        "access_token",
        "token_type",
        "authorization_details",
        "type",
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["a", "DPoP", "openid_credential", "credential_accepted", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5),
    max_leaves=20,
)


READERS: tuple[Callable[[object], object], ...] = (
    read,
    nonce.parse_response,
    notification.parse,
    lambda value: credential.parse_response(value, requested=2),
    lambda value: token.parse_response(value, dpop=True),
)


@given(values)
def test_any_value_gives_a_message_or_our_error(value: object) -> None:
    for reader in READERS:
        try:
            assert reader(value)
        except VcError:
            continue


@given(
    st.dictionaries(
        st.sampled_from(["grant_type", "pre-authorized_code", "tx_code", "client_id", "authorization_details"]),
        st.text(max_size=20) | st.sampled_from([PRE_AUTHORIZED, '[{"type":"openid_credential"}]', "[[]]"]),
    )
)
def test_any_form_gives_a_request_or_our_error(values: dict[str, str]) -> None:
    try:
        assert token.parse_request(values, credential_issuer=ISSUER).pre_authorized_code
    except VcError:
        return
