"""The error table (PROTOCOLS 1.10) and the shape of errors (RFC 6749 §5.2, RFC 6750 §3, RFC 9449 §7.1, VCI-NOT-3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vc.encoding import json
from vc.errors import Malformed, Refused, Unreachable, VcError, VerificationFailed
from vc.openid4vci.errors import Endpoint, ProtocolError, challenge, is_plain, parse, plain, translate

T, N, C, F = Endpoint.TOKEN, Endpoint.NONCE, Endpoint.CREDENTIAL, Endpoint.NOTIFICATION
P, A, H, D = Endpoint.PAR, Endpoint.AUTHORIZE, Endpoint.CHALLENGE, Endpoint.DEFERRED


@pytest.mark.parametrize(
    ("endpoint", "cause", "error", "status"),
    [
        (T, Refused("code_unknown"), "invalid_grant", 400),
        (T, Refused("tx_code_wrong"), "invalid_grant", 400),  # VCI-TOK-2, -11: never invalid_tx_code
        (T, Refused("tx_code_missing"), "invalid_request", 400),
        (T, Refused("tx_code_unexpected"), "invalid_request", 400),
        (T, Refused("document_revoked"), "invalid_grant", 400),
        (T, Refused("grant_type"), "unsupported_grant_type", 400),
        (T, Refused("client_missing"), "invalid_client", 401),
        (T, Malformed("authorization_details"), "invalid_authorization_details", 400),
        (T, Refused("configuration_not_offered"), "invalid_authorization_details", 400),
        (T, VerificationFailed("dpop_url"), "invalid_dpop_proof", 400),
        (T, Refused("dpop_replay"), "invalid_dpop_proof", 400),
        (T, Refused("dpop_nonce"), "use_dpop_nonce", 400),
        (T, Malformed("form_duplicate"), "invalid_request", 400),
        (T, Refused("anything"), "invalid_request", 400),
        (T, VerificationFailed("anything"), "invalid_request", 400),
        (T, Refused("rate_limit"), "temporarily_unavailable", 429),
        (T, Malformed("too_large"), "invalid_request", 413),
        (T, Unreachable("database"), "temporarily_unavailable", 503),
        (T, VcError("strange"), "server_error", 500),
        (N, Malformed("json"), "invalid_request", 400),
        (N, Refused("rate_limit"), "temporarily_unavailable", 429),
        (C, Refused("token_missing"), "", 401),
        (C, Refused("token_unknown"), "invalid_token", 401),
        (C, Refused("token_expired"), "invalid_token", 401),
        (C, Refused("scope_insufficient"), "insufficient_scope", 403),
        (C, VerificationFailed("dpop_key"), "invalid_dpop_proof", 401),
        (C, Refused("dpop_nonce"), "use_dpop_nonce", 401),
        (C, Refused("configuration_unknown"), "unknown_credential_configuration", 400),
        (C, Refused("identifier_unknown"), "unknown_credential_identifier", 400),
        (C, VerificationFailed("proof_audience"), "invalid_proof", 400),
        (C, Malformed("proof_missing"), "invalid_proof", 400),
        (C, VerificationFailed("nonce_missing"), "invalid_nonce", 400),
        (C, Refused("nonce_spent"), "invalid_nonce", 400),
        (C, Refused("encryption_unsupported"), "invalid_encryption_parameters", 400),
        (C, Refused("document_revoked"), "credential_request_denied", 400),
        (C, Refused("grant_exhausted"), "credential_request_denied", 400),
        (C, Refused("lint"), "credential_request_denied", 400),
        (C, Malformed("json"), "invalid_credential_request", 400),
        (C, VerificationFailed("anything"), "invalid_credential_request", 400),
        (F, Refused("token_missing"), "", 401),
        (F, Refused("token_unknown"), "invalid_token", 401),
        (F, Refused("notification_id"), "invalid_notification_id", 400),
        (F, Malformed("notification"), "invalid_notification_request", 400),
        (F, Malformed("json_object"), "invalid_notification_request", 400),
        (T, Refused("attestation_missing"), "invalid_client", 401),
        (T, VerificationFailed("attestation_pop_audience"), "invalid_client", 401),
        (T, Refused("attestation_challenge"), "use_attestation_challenge", 400),
        (T, VerificationFailed("attestation_expired"), "use_fresh_attestation", 400),
        (T, VerificationFailed("attestation_stale"), "use_fresh_attestation", 400),
        (T, Unreachable("attestation_status"), "temporarily_unavailable", 503),
        (T, VerificationFailed("pkce_mismatch"), "invalid_grant", 400),
        (T, Malformed("pkce_missing"), "invalid_request", 400),
        (T, Refused("redirect_uri_mismatch"), "invalid_grant", 400),
        (T, Malformed("redirect_uri_missing"), "invalid_request", 400),
        (T, Refused("refresh_unknown"), "invalid_grant", 400),
        (T, Refused("scope_unknown"), "invalid_scope", 400),
        (P, Malformed("pkce_missing"), "invalid_request", 400),
        (P, Refused("pkce_method"), "invalid_request", 400),
        (P, Refused("redirect_uri_scheme"), "invalid_request", 400),
        (P, Refused("scope_unknown"), "invalid_scope", 400),
        (P, Malformed("authorization_details"), "invalid_authorization_details", 400),
        (P, Refused("configuration_not_offered"), "invalid_authorization_details", 400),
        (P, Refused("response_type"), "unsupported_response_type", 400),
        (P, Refused("resource"), "invalid_target", 400),
        (P, Refused("client_unknown"), "invalid_client", 401),
        (P, VerificationFailed("client_id_mismatch"), "invalid_client", 401),
        (P, Refused("attestation_challenge"), "use_attestation_challenge", 400),
        (P, VerificationFailed("attestation_expired"), "use_fresh_attestation", 400),
        (P, VerificationFailed("dpop_url"), "invalid_dpop_proof", 400),
        (P, Refused("dpop_nonce"), "use_dpop_nonce", 400),
        (P, Malformed("request_uri"), "invalid_request", 400),
        (P, Refused("anything"), "invalid_request", 400),
        (A, Refused("request_uri_unknown"), "invalid_request_uri", 400),
        (A, Refused("request_uri_foreign"), "invalid_request_uri", 400),
        (A, Refused("redirect_uri_scheme"), "invalid_request", 400),
        (A, Refused("scope_unknown"), "invalid_scope", 400),
        (A, Refused("access_denied"), "access_denied", 400),
        (A, Refused("client_unknown"), "invalid_client", 401),
        (A, Malformed("anything"), "invalid_request", 400),
        (A, Unreachable("sign_in"), "temporarily_unavailable", 503),
        (A, VcError("strange"), "server_error", 500),
        (H, Refused("rate_limit"), "temporarily_unavailable", 429),
        (H, Malformed("json"), "invalid_request", 400),
        (D, Refused("transaction_unknown"), "invalid_transaction_id", 400),
        (D, Refused("token_expired"), "invalid_token", 401),
        (D, Refused("encryption_required"), "invalid_encryption_parameters", 400),
        (D, Refused("document_revoked"), "credential_request_denied", 400),
        (D, Refused("anything"), "credential_request_denied", 400),
        (D, Malformed("request"), "invalid_credential_request", 400),
        (C, Refused("proof_attestation_untrusted"), "invalid_proof", 400),
        (C, VerificationFailed("proof_attestation_level"), "invalid_proof", 400),
        (C, Unreachable("proof_attestation_status"), "temporarily_unavailable", 503),
    ],
)  # fmt: skip
def test_each_endpoint_says_an_error_as_its_specification_does(endpoint: Endpoint, cause: VcError, error: str, status: int) -> None:
    found = translate(endpoint, cause)
    assert (found.error, found.status, found.code) == (error, status, cause.code)


def test_a_protocol_error_passes_unchanged() -> None:
    error = ProtocolError("invalid_grant")
    assert translate(C, error) is error


def test_the_detail_and_place_are_told_and_made_harmless() -> None:
    found = translate(C, Malformed("request", 'say "é"\n', pointer="/proofs"))
    assert found.body() == {
        "error": "invalid_credential_request",
        "error_description": "say '''' (/proofs)",
    }


def test_what_the_table_does_not_know_says_nothing() -> None:
    assert translate(C, VcError("strange", "a secret")).body() == {"error": "server_error"}
    assert "secret" not in str(translate(T, Unreachable("database", "a secret at db.internal")).body())


@pytest.mark.parametrize("code", ["attestation_status", "proof_attestation_trust"])
def test_what_others_publish_and_cannot_be_read_is_told(code: str) -> None:
    assert translate(T, Unreachable(code, "the list is gone")).description == "the list is gone"


def test_retry_after_is_said_when_trying_again_helps() -> None:
    assert translate(T, Unreachable("database")).headers == {"Retry-After": "5"}
    assert translate(T, Refused("rate_limit")).headers == {"Retry-After": "60"}
    assert translate(T, Refused("code_unknown")).headers == {}


def test_rfc_6750_rfc_9449_a_missing_token_is_answered_with_a_challenge_and_no_code() -> None:
    found = translate(C, Refused("token_missing", "no token"))
    assert found.body() == {}
    assert found.headers == {"WWW-Authenticate": 'DPoP algs="ES256 ES384 ES512"'}
    assert translate(C, Refused("token_missing", "no token"), scheme="Bearer").headers == {"WWW-Authenticate": "Bearer"}


def test_rfc_6750_rfc_9449_a_bad_token_is_answered_with_its_code() -> None:
    found = translate(C, Refused("token_expired", "over"), scheme="Bearer")
    assert found.headers == {"WWW-Authenticate": 'Bearer error="invalid_token", error_description="over"'}
    assert (
        translate(F, Refused("dpop_key")).headers["WWW-Authenticate"] == 'DPoP error="invalid_dpop_proof", algs="ES256 ES384 ES512"'
    )
    assert challenge("Bearer", "invalid_token", 'a"b') == 'Bearer error="invalid_token", error_description="a\'b"'


@pytest.mark.parametrize("character", ['"', "\\", "\n", "\x1f", "\x7f", "é", "\u202e"])
def test_vci_not_3_characters_that_may_not_be_there_are_replaced(character: str) -> None:
    assert not is_plain(character)
    assert plain(f"a{character}b") == "a'b"
    assert ProtocolError("x", character).description == "'"


def test_vci_not_3_characters_that_may_be_there_stay() -> None:
    allowed = "".join(chr(code) for code in (*range(0x20, 0x22), *range(0x23, 0x5C), *range(0x5D, 0x7F)))
    assert is_plain(allowed)
    assert plain(allowed) == allowed


def test_a_wallet_reads_an_error() -> None:
    found = parse(b'{"error":"invalid_grant","error_description":"no","future":1}', status=400)
    assert (found.error, found.description, found.status) == ("invalid_grant", "no", 400)
    assert parse(b'{"error":"invalid_nonce"}', status=400).body() == {"error": "invalid_nonce"}


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"error":5}', b'{"error":"x","error_description":5}', b"\xff"])
def test_a_wallet_reads_anything_else_as_a_server_error(body: bytes) -> None:
    assert (parse(body, status=502).error, parse(body, status=502).status) == ("server_error", 502)


@given(st.binary(max_size=60))
def test_any_body_gives_an_error_with_plain_text(body: bytes) -> None:
    found = parse(body, status=400)
    assert is_plain(found.error + found.description)


@pytest.mark.parametrize(
    "error",
    ["use_attestation_challenge", "use_fresh_attestation", "invalid_transaction_id", "invalid_request_uri", "access_denied"],
)
def test_vci_wia_7_a_wallet_reads_the_codes_it_acts_upon(error: str) -> None:
    body = json.dumps(ProtocolError(error, "why").body())
    assert parse(body, status=400).body() == {"error": error, "error_description": "why"}


@given(st.sampled_from(list(Endpoint)), st.text(max_size=20), st.text(max_size=20))
def test_any_error_of_ours_becomes_one_of_the_protocol(endpoint: Endpoint, code: str, detail: str) -> None:
    for family in (Malformed, Refused, VerificationFailed, Unreachable, VcError):
        found = translate(endpoint, family(code, detail))
        assert 400 <= found.status <= 503
        assert is_plain(found.description)
