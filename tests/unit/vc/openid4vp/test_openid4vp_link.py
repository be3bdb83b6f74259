"""The link and the POST to request_uri (VP-REQ-4, -6, -7; EAA-P-1; SECURITY W-1, V-2)."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.openid4vp import Verifier
from tests.support.pki import new_key
from vc.encoding import json
from vc.errors import Malformed, Refused, VcError
from vc.openid4vp import link, request_uri
from vc.openid4vp.client_metadata import EncryptionTarget
from vc.openid4vp.request_uri import WalletWishes

CLIENT, URI = "x509_hash:abc", "https://verifier.example/oid4vp/1/request?x=1&y=é".replace("é", "%C3%A9")


@pytest.mark.parametrize("scheme", ["openid4vp", "haip-vp", "eu-eaap"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_is_read_as_it_was_built(scheme: str, method: Any) -> None:
    built = link.build(client_id=CLIENT, request_uri=URI, method=method, scheme=scheme)
    assert built.startswith(f"{scheme}://?client_id=")
    assert ("request_uri_method" in built) is (method == "post")
    assert link.parse(built) == link.RequestLink(client_id=CLIENT, request_uri=URI, method=method)


def test_authorize_path_and_unknown_parameters_are_tolerated() -> None:
    text = f" openid4vp://authorize?client_id={CLIENT}&request_uri={quote(URI, safe='')}&junk=1 "
    assert link.parse(text).request_uri == URI


GOOD = f"client_id={CLIENT}&request_uri={quote(URI, safe='')}"
BAD = [
    ("no link", "hello", "link"),
    ("other scheme", f"openid-credential-offer://?{GOOD}", "link"),
    ("https", f"https://verifier.example/?{GOOD}", "link"),
    ("no query", "openid4vp://", "link"),
    ("a host", f"openid4vp://evil.example?{GOOD}", "link"),
    ("parameter twice", f"openid4vp://?{GOOD}&client_id=x", "link"),
    ("not UTF-8", f"openid4vp://?{GOOD}&x=%ff", "link"),
    ("not ASCII", f"openid4vp://?{GOOD}&x=é", "link"),
    ("too long", f"openid4vp://?{GOOD}&x={'a' * 8192}", "link"),
    ("client_id missing", f"openid4vp://?request_uri={URI}", "link"),
    ("request beside request_uri", f"openid4vp://?{GOOD}&request=a.b.c", "link"),
    ("request_uri missing", f"openid4vp://?client_id={CLIENT}", "request_unsigned"),
    ("inline object", f"openid4vp://?client_id={CLIENT}&request=a.b.c", "request_unsigned"),
    ("plain parameters", "openid4vp://?client_id=redirect_uri%3Ahttps%3A%2F%2Fx&nonce=1&dcql_query=%7B%7D", "request_unsigned"),
    ("method without request_uri", f"openid4vp://?client_id={CLIENT}&request_uri_method=post", "request_uri_method"),
    ("method unknown", f"openid4vp://?{GOOD}&request_uri_method=put", "request_uri_method"),
    ("method in capitals", f"openid4vp://?{GOOD}&request_uri_method=POST", "request_uri_method"),
    ("OLD-12", f"openid4vp://?{GOOD}&client_id_scheme=x509_san_dns", "old_draft"),
    ("OLD-13", f"openid4vp://?client_id={CLIENT}&presentation_definition_uri=https://x", "old_draft"),
]


@pytest.mark.parametrize(("text", "code"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_links_are_refused(text: str, code: str) -> None:
    with pytest.raises((Malformed, Refused)) as caught:
        link.parse(text)
    assert caught.value.code == code


@given(st.text(max_size=40), st.sampled_from(["", "openid4vp://?", f"openid4vp://?{GOOD}&"]))
def test_any_text_gives_a_link_or_our_error(text: str, start: str) -> None:
    try:
        assert link.parse(start + text).client_id
    except (Malformed, Refused) as error:
        assert error.code  # noqa: PT017 — both ends are allowed, nothing else is


# --- POST to request_uri ------------------------------------------------------------------------------------------------------


def test_wallet_nonce_and_key_arrive() -> None:
    key = new_key()
    target = EncryptionTarget(key=key.public_key(), kid="w")
    wishes = request_uri.parse_form(request_uri.build_form(wallet_nonce="n", encryption=target))
    assert wishes == WalletWishes(wallet_nonce="n", encryption=target, enc="A256GCM")


def test_without_key_nothing_is_encrypted() -> None:
    wishes = request_uri.parse_form(request_uri.build_form(wallet_nonce="n"))
    assert wishes.encryption is None
    assert request_uri.encrypt("a.b.c", wishes) == "a.b.c"


def test_an_empty_form_is_fine() -> None:
    assert request_uri.parse_form({"junk": "x"}).wallet_nonce is None


def test_encrypted_request_opens_with_the_wallets_key_only() -> None:
    key, verifier = new_key(), Verifier()
    token = verifier.token(verifier.claims())
    wishes = WalletWishes(wallet_nonce="n", encryption=EncryptionTarget(key=key.public_key(), kid="w"), enc="A128GCM")
    sent = request_uri.encrypt(token, wishes)
    assert sent.count(".") == 4
    assert request_uri.open_request(sent.encode(), find_key=lambda kid: key if kid == "w" else None) == token
    with pytest.raises(VcError, match="jwe_key"):
        request_uri.open_request(sent.encode(), find_key=lambda _: None)


def test_plain_request_is_taken_as_it_is() -> None:
    assert request_uri.open_request(b"a.b.c", find_key=lambda _: None) == "a.b.c"


def test_request_that_is_not_text_is_refused() -> None:
    with pytest.raises(Malformed, match="jws"):
        request_uri.open_request(b"\xff.\xff.\xff", find_key=lambda _: None)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"wallet_nonce": ""}, "wallet_nonce"),
        ({"wallet_nonce": "a" * 513}, "wallet_nonce"),
        ({"wallet_nonce": "a\r\nX: y"}, "wallet_nonce"),
        ({"wallet_nonce": "é"}, "wallet_nonce"),
        ({"wallet_metadata": "junk"}, "wallet_metadata"),
        ({"wallet_metadata": "[]"}, "wallet_metadata"),
        ({"wallet_metadata": '{"a":1,"a":2}'}, "wallet_metadata"),
        ({"wallet_metadata": '{"a":"' + "x" * 65536 + '"}'}, "wallet_metadata"),
    ],
)
def test_bad_posts_are_refused(form: dict[str, str], code: str) -> None:  # SECURITY V-2
    with pytest.raises(Malformed) as caught:
        request_uri.parse_form(form)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "members",
    [
        {"jwks": "junk"},
        {"jwks": {"keys": [{"kty": "EC", "crv": "P-256", "kid": "k", "alg": "ECDH-ES", "x": "AA", "y": "AA"}]}},
        {"jwks_uri": "https://evil.example/keys"},
        {"vp_formats_supported": 1},
        {"jwks": {"keys": [{}]}, "request_object_encryption_enc_values_supported": "junk"},
    ],
)
def test_junk_in_wallet_metadata_is_ignored_per_member(members: dict[str, Any]) -> None:  # SECURITY V-2
    wishes = request_uri.parse_form({"wallet_metadata": json.dumps(members).decode(), "wallet_nonce": "n"})
    assert wishes.encryption is None
    assert wishes.wallet_nonce == "n"


@pytest.mark.parametrize("enc", [["A192GCM"], "A256GCM", []])
def test_a_key_without_usable_content_encryption_is_not_used(enc: Any) -> None:
    form = request_uri.build_form(wallet_nonce="n", encryption=EncryptionTarget(key=new_key().public_key(), kid="w"))
    members = {**json.loads_object(form["wallet_metadata"]), "request_object_encryption_enc_values_supported": enc}
    assert request_uri.parse_form({"wallet_metadata": json.dumps(members).decode()}).encryption is None
