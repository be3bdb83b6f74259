"""The response: VP-RSP-1, -2, -3, -7, -9, VP-REQ-9, OLD-13, -15, -16; SECURITY V-3..V-6."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.pki import new_key
from vc.encoding import json
from vc.errors import Malformed, Refused, VcError, VerificationFailed
from vc.jose import jwe
from vc.openid4vp import response
from vc.openid4vp.client_metadata import EncryptionTarget
from vc.openid4vp.response import DecryptionKey, EncryptedResponse, PlainResponse, VpToken, WalletError, open_response, parse_form

KEY = new_key()
OURS = DecryptionKey(key=KEY, kid="k")
TARGET = EncryptionTarget(key=KEY.public_key(), kid="k")
TOKEN = {"pid": ["a~b~"], "mdl": ["c", "d"]}
STATE = "state"


def sealed(payload: Any, *, raw: bytes | None = None, **header: Any) -> EncryptedResponse:
    content = json.dumps(payload) if raw is None else raw
    return EncryptedResponse(token=jwe.encrypt(content, to=TARGET.key, kid="k", enc="A128GCM", header=header))


def test_plain_response_arrives() -> None:
    form = response.build_plain(TOKEN, state=STATE)
    assert set(form) == {"vp_token", "state"}
    opened = open_response(parse_form(form), encryption=None, state=STATE)
    assert opened == VpToken(entries={"pid": ("a~b~",), "mdl": ("c", "d")})


@pytest.mark.parametrize("enc", ["A128GCM", "A256GCM"])
def test_encrypted_response_arrives(enc: str) -> None:
    form = response.build_encrypted(TOKEN, state=STATE, to=TARGET, enc=enc)
    assert set(form) == {"response"}
    assert "pid" not in form["response"]
    opened = open_response(parse_form(form), encryption=OURS, state=STATE)
    assert opened == VpToken(entries={"pid": ("a~b~",), "mdl": ("c", "d")})


def test_state_is_left_out_when_the_request_had_none() -> None:
    assert "state" not in response.build_plain(TOKEN, state=None)
    assert open_response(parse_form(response.build_plain(TOKEN, state=None)), encryption=None, state=None)
    assert open_response(
        parse_form(response.build_encrypted(TOKEN, state=None, to=TARGET, enc="A128GCM")), encryption=OURS, state=None
    )


@pytest.mark.parametrize("encryption", [None, OURS])
def test_errors_arrive_unencrypted_in_every_mode(encryption: DecryptionKey | None) -> None:  # VP-RSP-7
    form = response.build_error("access_denied", state=STATE, description="no thanks")
    opened = open_response(parse_form(form), encryption=encryption, state=STATE)
    assert opened == WalletError(error="access_denied", description="no thanks", state=STATE)
    assert set(response.build_error("access_denied", state=None)) == {"error"}


def test_errors_may_be_encrypted() -> None:
    opened = open_response(sealed({"error": "access_denied", "state": STATE}), encryption=OURS, state=STATE)
    assert opened == WalletError(error="access_denied", description="", state=STATE)


FORMS: list[tuple[str, dict[str, str], str]] = [
    ("empty", {}, "response"),
    ("junk only", {"x": "y"}, "response"),
    ("form and JWE together", {"vp_token": "{}", "response": "a.b.c.d.e"}, "response"),
    ("error and token together", {"vp_token": "{}", "error": "access_denied"}, "response"),
    ("OLD-13", {"vp_token": "{}", "presentation_submission": "{}"}, "old_draft"),
    ("error with a quote", {"error": 'a"b'}, "response"),
    ("error with a line break", {"error": "a\n"}, "response"),
    ("error endless", {"error": "a" * 513}, "response"),
    ("error description with markup beyond ASCII", {"error": "access_denied", "error_description": "é"}, "response"),
]


@pytest.mark.parametrize(("form", "code"), [case[1:] for case in FORMS], ids=[case[0] for case in FORMS])
def test_forms_that_are_no_response_are_refused(form: dict[str, str], code: str) -> None:
    with pytest.raises((Malformed, Refused)) as caught:
        parse_form(form)
    assert caught.value.code == code


@pytest.mark.parametrize("state", [None, "", "other", "stat"])
@pytest.mark.parametrize("kind", ["plain", "encrypted", "error"])
def test_another_state_is_refused(kind: str, state: str | None) -> None:  # VP-REQ-9
    form = {
        "plain": lambda: response.build_plain(TOKEN, state=state),
        "encrypted": lambda: response.build_encrypted(TOKEN, state=state, to=TARGET, enc="A256GCM"),
        "error": lambda: response.build_error("access_denied", state=state),
    }[kind]()
    with pytest.raises(Refused, match="state"):
        open_response(parse_form(form), encryption=OURS if kind == "encrypted" else None, state=STATE)


@pytest.mark.parametrize("state", [1, ["state"], {"state": 1}])
def test_state_of_another_kind_is_refused(state: Any) -> None:
    with pytest.raises(Refused, match="state"):
        open_response(sealed({"vp_token": TOKEN, "state": state}), encryption=OURS, state=STATE)
    with pytest.raises(Malformed, match="state"):
        open_response(sealed({"error": "access_denied", "state": state}), encryption=OURS, state=None)


def test_plain_where_encrypted_is_due_is_refused() -> None:  # SECURITY V-5
    with pytest.raises(Refused, match="encryption_required"):
        open_response(parse_form(response.build_plain(TOKEN, state=STATE)), encryption=OURS, state=STATE)


def test_encrypted_where_plain_is_due_is_refused() -> None:
    with pytest.raises(Refused, match="encryption_unexpected"):
        open_response(sealed({"vp_token": TOKEN}), encryption=None, state=None)


def test_foreign_key_is_refused() -> None:  # VP-RSP-3, SECURITY V-4
    foreign = new_key()
    same_kid = jwe.encrypt(json.dumps({"vp_token": TOKEN}), to=foreign.public_key(), kid="k", enc="A128GCM")
    with pytest.raises(VerificationFailed, match="jwe_decryption"):
        open_response(EncryptedResponse(token=same_kid), encryption=OURS, state=None)


@pytest.mark.parametrize("kid", [None, "other"])
def test_kid_must_be_that_of_this_request(kid: str | None) -> None:
    token = jwe.encrypt(json.dumps({"vp_token": TOKEN}), to=TARGET.key, kid=kid, enc="A128GCM")
    with pytest.raises(Refused, match="jwe_key"):
        open_response(EncryptedResponse(token=token), encryption=OURS, state=None)


def test_content_encryption_must_have_been_offered() -> None:
    only = DecryptionKey(key=KEY, kid="k", enc_values=("A256GCM",))
    with pytest.raises(Refused, match="jwe_enc"):
        open_response(sealed({"vp_token": TOKEN}), encryption=only, state=None)


@pytest.mark.parametrize(
    ("token", "detail"),
    [
        (EncryptedResponse(token="a.b.c"), "OLD-15: a response"),
        (sealed(None, raw=b"eyJ.eyJ.sig"), "OLD-15: the content"),
        (sealed({"vp_token": TOKEN, "presentation_submission": {}}), "OLD-13"),
    ],
)
def test_old_drafts_are_named(token: EncryptedResponse, detail: str) -> None:
    with pytest.raises(Refused) as caught:
        open_response(token, encryption=OURS, state=None)
    assert caught.value.code == "old_draft"
    assert caught.value.detail.startswith(detail)


@pytest.mark.parametrize("name", ["apu", "apv"])
def test_party_information_is_noted_not_refused(name: str) -> None:  # OLD-16
    header: dict[str, Any] = {name: "AA"}
    opened = open_response(sealed({"vp_token": TOKEN}, **header), encryption=OURS, state=None)
    assert isinstance(opened, VpToken)
    assert opened.entries["pid"] == ("a~b~",)
    assert opened.notes[0].startswith("OLD-16")


PAYLOADS: list[tuple[str, Any, str]] = [
    ("not JSON", b"{", "json"),
    ("not an object", b"[]", "json_object"),
    ("empty", b"{}", "response"),
    ("duplicate names", b'{"vp_token":{"a":["x"],"a":["y"]}}', "json_duplicate_member"),
    ("error and token", b'{"vp_token":{"a":["x"]},"error":"access_denied"}', "response"),
    ("error not text", b'{"error":1}', "response"),
]


@pytest.mark.parametrize(("raw", "code"), [case[1:] for case in PAYLOADS], ids=[case[0] for case in PAYLOADS])
def test_contents_that_are_no_response_are_refused(raw: bytes, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        open_response(sealed(None, raw=raw), encryption=OURS, state=None)
    assert caught.value.code == code


TOKENS: list[tuple[str, Any]] = [
    ("a list", ["x"]),
    ("a text", "x"),
    ("null", None),
    ("no entries", {}),
    ("a text instead of an array", {"pid": "x"}),
    ("an empty array", {"pid": []}),
    ("an object instead of a text", {"pid": [{"protected": "x"}]}),
    ("an empty text", {"pid": [""]}),
    ("a null", {"pid": ["x", None]}),
    ("an id with markup", {"<b>": ["x"]}),
    ("an id with a line break", {"pid\n": ["x"]}),
    ("an empty id", {"": ["x"]}),
    ("ten thousand entries", {f"q{at}": ["x"] for at in range(10_000)}),
    ("ten thousand presentations", {"pid": ["x"] * 10_000}),
]


@pytest.mark.parametrize("token", [case[1] for case in TOKENS], ids=[case[0] for case in TOKENS])
@pytest.mark.parametrize("encrypted", [False, True])
def test_vp_token_of_another_shape_is_refused(token: Any, encrypted: bool) -> None:  # VP-RSP-1, SECURITY V-6
    message = sealed({"vp_token": token}) if encrypted else PlainResponse(vp_token=json.dumps(token).decode(), state=None)
    with pytest.raises(Malformed, match="vp_token"):
        open_response(message, encryption=OURS if encrypted else None, state=None)


def test_personal_data_stay_out_of_representations() -> None:
    secret = "Doe"
    shown = repr(
        [PlainResponse(vp_token=secret, state=None), EncryptedResponse(token=secret), VpToken(entries={"pid": (secret,)}), OURS]
    )
    assert secret not in shown


@given(st.dictionaries(st.sampled_from(["vp_token", "response", "error", "error_description", "state"]), st.text(max_size=30)))
def test_any_form_gives_a_response_or_our_error(form: dict[str, str]) -> None:
    try:
        open_response(parse_form(form), encryption=OURS if "response" in form else None, state=None)
    except VcError as error:
        assert error.code  # noqa: PT017 — both ends are allowed, nothing else is


@given(st.binary(max_size=60))
def test_any_content_gives_a_response_or_our_error(raw: bytes) -> None:
    try:
        open_response(sealed(None, raw=raw), encryption=OURS, state=STATE)
    except VcError as error:
        assert error.code  # noqa: PT017
