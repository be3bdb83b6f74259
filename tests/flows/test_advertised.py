"""Advertised is enforced: every member of the metadata of every profile has a row here, which breaks it over HTTP and is refused.

A member without a row, and a row without a member, is a failure: nothing can be announced that nobody shows to be enforced.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support import issuer as issuing
from tests.support.advertised import (
    EVERY,
    HAIP,
    OTHER_CONFIGURATION,
    PILOT,
    STRICT,
    UNLISTED,
    Applicant,
    World,
    attestation_with,
    forged,
    running,
)
from tests.support.issuer_sign_in import browser, query
from tests.support.issuer_wallet import Answer
from tests.support.pki import holder, new_key
from vc import formats
from vc.documents.catalogue import CONFIGURATIONS
from vc.encoding import base64url, json
from vc.jose import jwe, jws
from vc.keys import jwk
from vc.keys.signer import LocalSigner
from vc.openid4vci import authorization, encryption, proof, token
from vc.openid4vci.encryption import ResponseEncryption
from vc.openid4vci.wallet_attestation import CHALLENGE_HEADER, HEADER, POP_HEADER
from vc.sdjwt import type_metadata
from vc.status import token as status_token
from vc.x509.certificate import public_key

Act = Callable[[Applicant], None]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running(Path(tmp_path_factory.mktemp("advertised"))) as opened:
        yield opened


def refused(answer: Answer, error: str, status: int = 400) -> None:
    assert answer.status_code == status, answer.text
    assert answer.json()["error"] == error, answer.text


# --- authorization server ---------------------------------------------------------------------------------------------------


def _issuer(at: Applicant) -> None:
    """The audience of everything that is shown to it."""
    refused(at.push_own(headers=at.attestation(pop={"audience": f"{at.issuer}/"})), "invalid_client", 401)


def _token_endpoint(at: Applicant) -> None:
    assert at.client.get(at.server.token_endpoint).status_code == 405
    refused(at.client.post(at.server.token_endpoint, data={}), "invalid_request")


def _grants(at: Applicant) -> None:
    for grant in ("password", "client_credentials", "implicit", "urn:ietf:params:oauth:grant-type:device_code"):
        assert grant not in at.server.grant_types
        refused(at.redeem_own("code", grant_type=grant), "unsupported_grant_type")
    if "urn:ietf:params:oauth:grant-type:pre-authorized_code" not in at.server.grant_types:
        form = token.create_request(pre_authorized_code="code", client_id=at.client_id)
        answer = at.client.post(f"{at.issuer}/token", data=form, headers={**at.attestation(), **at.dpop("POST", "token")})
        refused(answer, "unsupported_grant_type")


def _authorization_endpoint(at: Applicant) -> None:
    """Requests of nobody are shown to the person, never redirected (VCI-AUTHZ-9)."""
    answer = browser(at.world.app).get(f"{at.issuer}/authorize", params={"client_id": at.client_id, "request_uri": "urn:other:1"})
    assert answer.status_code == 400
    assert "location" not in answer.headers


def _pushed_endpoint(at: Applicant) -> None:
    """A request_uri is good for one client and once (VCI-AUTHZ-7)."""
    pushed = at.push_own()
    url = at.authorize_url(pushed)
    other = at.authorize_url(pushed, client_id="https://another.example")
    assert browser(at.world.app).get(other).status_code == 400
    assert "code" in query(at.sign_in(url))
    assert browser(at.world.app).get(url).status_code == 400


def _par_required(at: Applicant) -> None:
    form = authorization.create_pushed(
        client_id=at.client_id or "",
        redirect_uri=at.redirect_uri,
        code_challenge=authorization.challenge_of(at.verifier),
        state="state",
        scopes=[at.configuration_id],
    )
    answer = browser(at.world.app).get(f"{at.issuer}/authorize", params=form)
    assert answer.status_code == 400
    assert "location" not in answer.headers


def _response_type(at: Applicant) -> None:
    refused(at.push_own(response_type="token"), "unsupported_response_type")
    refused(at.push_own(response_type="code id_token"), "unsupported_response_type")


def _response_mode(at: Applicant) -> None:
    refused(at.push_own(response_mode="fragment"), "invalid_request")


def _pkce(at: Applicant) -> None:
    refused(at.push_own(code_challenge_method="plain"), "invalid_request")
    refused(at.push_own(code_challenge_method=None), "invalid_request")
    refused(at.push_own(code_challenge=None), "invalid_request")
    code = at.code()
    refused(at.redeem_own(code, code_verifier="w" * 43), "invalid_grant")


def _iss_in_response(at: Applicant) -> None:
    """The promise is kept for an error as for a code (RFC 9207); `code` asserts it for the latter."""
    back = at.sign_in(at.authorize_url(at.push_own()), refuse=True)
    assert query(back)["iss"] == at.issuer
    assert query(back)["error"] == "access_denied"
    at.code()


def _client_auth(at: Applicant) -> None:
    unknown: dict[str, Any] = {"headers": {}, "client_id": "https://unknown.example/wallet"}
    refused(at.push_own(**unknown), "invalid_client", 401)
    code = at.code()
    refused(at.redeem_own(code, **unknown), "invalid_client", 401)
    if "none" not in at.server.client_auth_methods:
        refused(at.push_own(headers={}), "invalid_client", 401)
        refused(at.push_own(headers={}, client_secret="secret"), "invalid_client", 401)


def _attestation_algorithms(at: Applicant) -> None:
    good = at.attestation()
    for alg in UNLISTED:
        made = forged(good[HEADER], alg, at.instance.provider.signer.private_key)
        refused(at.push_own(headers=attestation_with(at.attestation(), attestation=made)), "invalid_client", 401)


def _pop_algorithms(at: Applicant) -> None:
    for alg in UNLISTED:
        good = at.attestation()
        made = forged(good[POP_HEADER], alg, at.instance.key.private_key)
        refused(at.push_own(headers=attestation_with(good, pop=made)), "invalid_client", 401)


def _challenge(at: Applicant) -> None:
    """VCI-WIA-6, -7: none, an invented one, one of yesterday; each time a fresh one comes with the answer."""
    old = at.challenge()
    at.world.attested.clock.advance(hours=1)
    for challenge in (None, "invented", old):
        answer = at.push_own(headers=at.attestation(challenge=challenge))
        refused(answer, "use_attestation_challenge")
        assert at.push_own(headers=at.attestation(challenge=answer.headers[CHALLENGE_HEADER])).status_code == 201


def _scopes(at: Applicant) -> None:
    refused(at.push_own(scope="nothing_of_the_kind"), "invalid_scope")
    assert at.push_own(scope=f"nothing_of_the_kind {at.configuration_id}").status_code == 201  # VCI-AUTHZ-2


def _details_type(at: Applicant) -> None:
    other = json.dumps([{"type": "account_information", "credential_configuration_id": at.configuration_id}]).decode()
    answer = at.push_own(scope=None, authorization_details=other)
    assert answer.status_code == 400
    assert answer.json()["error"] in ("invalid_authorization_details", "invalid_scope")


def _dpop_algorithms(at: Applicant) -> None:
    assert at.dpop_key is not None
    for alg in UNLISTED:
        good = at.dpop("POST", "par")["dpop"]
        made = forged(good, alg, at.dpop_key.private_key)
        at.shows({**at.attestation(), "dpop": made})
        refused(at.push(at.configuration_id, dpop_proof=False), "invalid_dpop_proof")


def _dpop(at: Applicant) -> None:
    _dpop_algorithms(at)
    _dpop_binds(at)


def _dpop_binds(at: Applicant) -> None:
    """What DPoP is for: the code, the token and its use are bound to one key (VCI-DPOP-4, -5)."""
    code = at.code()
    mine, at.dpop_key = at.dpop_key, holder()
    refused(at.redeem_own(code), "invalid_dpop_proof")
    at.dpop_key = mine
    at.entitle()
    request = at.body()
    at.dpop_key = holder()
    refused(at.ask(request), "invalid_dpop_proof", 401)


def _anonymous(at: Applicant) -> None:
    """Allowed for the pre-authorized code, and for nothing else (VCI-TOK-6, VCI-META-22)."""
    offered = at.offered()
    at.client_id = None
    assert at.token(offered).status_code == 200
    refused(at.push_own(headers={}, client_id="anybody"), "invalid_client", 401)
    refused(at.push_own(headers={}, client_id=None), "invalid_request")


def _aggregation(at: Applicant) -> None:
    """The lists it names are served and are the institution's own."""
    at.credentials(at.entitle().ask())
    uri = at.world.server_metadata(at.institution)["status_list_aggregation_endpoint"]
    lists = at.client.get(uri).json()["status_lists"]
    assert lists
    for one in lists:
        opened = status_token.parse_jwt(at.client.get(one).text)
        status_token.verify(opened, public_key(opened.chain[0]), uri=one, now=at.now)
    assert at.client.get(f"{lists[0]}0000").status_code == 404


# --- credential issuer ------------------------------------------------------------------------------------------------------


def _credential_issuer(at: Applicant) -> None:
    """The audience of proofs (VCI-CRED-4)."""
    at.entitle()
    for audience in (f"{at.issuer}/", "https://issuer.test", f"https://issuer.test/{_other(at)}"):
        refused(at.ask(at.body(at.jwt_proofs([holder()], audience=audience))), "invalid_proof")


def _other(at: Applicant) -> str:
    return next(name for name in EVERY if name != at.institution)


def _credential_endpoint(at: Applicant) -> None:
    answer = at.client.post(at.described.credential_endpoint, json=at.body())
    assert answer.status_code == 401
    assert "www-authenticate" in answer.headers


def _nonce_endpoint(at: Applicant) -> None:
    """VCI-NONCE-3: only our own nonces, once, in time."""
    at.entitle()
    refused(at.ask(at.body(at.jwt_proofs([holder()], nonce="invented"))), "invalid_nonce")
    body = at.body()
    at.credentials(at.ask(body))
    refused(at.ask(body), "invalid_nonce")


def _deferred_endpoint(at: Applicant) -> None:
    at.entitle()
    encrypted = {"credential_response_encryption": encryption.ask_response(at.asked_response)}
    body = {"transaction_id": "invented", **(encrypted if at.described.encryption_required else {})}
    refused(at.ask(body, to="deferred"), "invalid_transaction_id")
    assert at.client.post(f"{at.issuer}/deferred", json=body).status_code == 401


def _notification_endpoint(at: Applicant) -> None:
    at.entitle()
    refused(at.post("notification", {"notification_id": "invented", "event": "credential_accepted"}), "invalid_notification_id")
    assert at.client.post(f"{at.issuer}/notification", json={}).status_code == 401


def _batch(at: Applicant) -> None:
    """VCI-META-8, -CRED-3: as many as announced, each for a key of its own; not one more."""
    at.entitle()
    size = at.described.batch_size
    assert size == 3
    keys = [holder() for _ in range(size)]
    refused(at.ask(at.body(at.jwt_proofs([*keys, holder()]))), "invalid_proof")
    if "attestation" in at.described.configuration(at.configuration_id).proof_types:
        received = at.credentials(at.ask(at.body(at.attestation_proof([*keys, holder()]), proof_type="attestation")))
        assert len(received) == size
    assert len(at.credentials(at.ask(at.body(at.jwt_proofs(keys))))) == size


def _request_keys(at: Applicant) -> None:
    """Only published keys open a request (VCI-META-9)."""
    at.entitle()
    ways, body = at.ways(), json.dumps(at.body())
    stranger = new_key().public_key()
    for to, kid in ((ways.key, "another"), (ways.key, None), (stranger, ways.kid)):
        refused(at.send(jwe.encrypt(body, to=to, kid=kid, enc="A256GCM")), "invalid_encryption_parameters")


def _request_enc(at: Applicant) -> None:
    at.entitle()
    sealed = encryption.seal_request(at.body(), at.ways())
    header, *rest = sealed.split(".")
    changed = json.dumps({**_header(header), "enc": "A128CBC-HS256"})
    refused(at.send(".".join([_b64(changed), *rest])), "invalid_encryption_parameters")


def _header(encoded: str) -> Mapping[str, Any]:
    return json.loads_object(base64url.decode(encoded))


def _b64(value: bytes) -> str:
    return base64url.encode(value)


def _request_zip(at: Applicant) -> None:
    """DEFLATE is taken; another compression, or more than may come out, is not (VCI-ENC-6)."""
    at.entitle()
    sealed = encryption.seal_request(at.body(), at.ways(), zip=True)
    at.credentials(at.send(sealed))
    header, *rest = encryption.seal_request(at.body(), at.ways(), zip=True).split(".")
    refused(at.send(".".join([_b64(json.dumps({**_header(header), "zip": "GZIP"})), *rest])), "invalid_encryption_parameters")
    bomb = encryption.seal_request({**at.body(), "padding": "0" * (1024 * 1024)}, at.ways(), zip=True)
    assert at.send(bomb).status_code in (400, 413)


def _request_required(at: Applicant) -> None:
    at.entitle()
    if at.described.encryption_required:
        refused(at.ask(sealed=False), "invalid_encryption_parameters")
        return
    plain = at.body(sent={"credential_response_encryption": encryption.ask_response(at.asked_response)})
    refused(at.ask(plain, sealed=False), "invalid_encryption_parameters")  # VCI-ENC-2


def _response(at: Applicant, **changes: Any) -> dict[str, Any]:
    asked = encryption.ask_response(at.asked_response)
    key = {**asked["jwk"], **changes.pop("jwk", {})}
    return at.body(sent={"credential_response_encryption": {**asked, "jwk": key, **changes}})


def _response_alg(at: Applicant) -> None:
    at.entitle()
    for alg in ("ECDH-ES+A128KW", "RSA-OAEP", "dir", "none"):
        refused(at.ask(_response(at, jwk={"alg": alg}), sealed=True), "invalid_encryption_parameters")


def _response_enc(at: Applicant) -> None:
    at.entitle()
    for enc in ("A128CBC-HS256", "A192GCM", "none"):
        refused(at.ask(_response(at, enc=enc), sealed=True), "invalid_encryption_parameters")
    for enc in ("A128GCM", "A256GCM"):
        answer = at.ask(_response(at, enc=enc), sealed=True)
        asked = ResponseEncryption(key=at.response_key.public_key(), kid="wallet-1", enc=enc)
        assert encryption.open_response(answer.text, at.response_key, asked)["credentials"]


def _response_zip(at: Applicant) -> None:
    at.entitle()
    refused(at.ask(_response(at, zip="GZIP"), sealed=True), "invalid_encryption_parameters")
    answer = at.ask(_response(at, zip="DEF"), sealed=True)
    asked = ResponseEncryption(key=at.response_key.public_key(), kid="wallet-1", enc="A256GCM", zip=True)
    assert encryption.open_response(answer.text, at.response_key, asked)["credentials"]


def _response_required(at: Applicant) -> None:
    at.entitle()
    if at.described.encryption_required:
        body = {name: value for name, value in at.body().items() if name != "credential_response_encryption"}
        refused(at.ask(body, sealed=True), "invalid_encryption_parameters")
        return
    assert at.ask(sealed=True).headers["content-type"] == "application/json"  # nobody asked for an encrypted answer


def _configurations(at: Applicant) -> None:
    """VCI-CRED-2, VCI-TOK-7: unknown ones, those of others, and those the token is not good for."""
    at.entitle()
    for name in ("nothing_of_the_kind", "pid_sd_jwt"):
        refused(at.ask(at.body(sent={"credential_configuration_id": name})), "unknown_credential_configuration")
    answer = at.ask(at.body(sent={"credential_configuration_id": OTHER_CONFIGURATION[at.institution]}))
    assert answer.status_code == 403
    assert answer.json()["error"] == "insufficient_scope"


def _issued(at: Applicant) -> tuple[Mapping[str, Any], formats.Credential, LocalSigner]:
    at.entitle()
    key = holder()
    (text,) = at.credentials(at.ask(at.body(at.jwt_proofs([key]))))
    entry = at.world.issuer_metadata(at.institution)["credential_configurations_supported"][at.configuration_id]
    unverified = formats.parse_issued(entry["format"], text)
    return entry, unverified.verify_issuer(public_key(unverified.chain[0])), key


def _kind_of_credential(at: Applicant) -> None:
    """What comes is of the kind that was announced, and read as nothing else."""
    entry, credential, _ = _issued(at)
    assert credential.type_id == entry.get("vct", entry.get("doctype"))
    assert CONFIGURATIONS[at.configuration_id].format == entry["format"]


def _binding(at: Applicant) -> None:
    """Bound to the key that was proved; a request without proof is none (VCI-META-12, VCI-CRED-3)."""
    _, credential, key = _issued(at)
    assert credential.holder is not None
    assert jwk.thumbprint(credential.holder) == jwk.thumbprint(key.public_key)
    nothing: tuple[Any, ...] = (None, {}, {"jwt": []})
    for proofs in nothing:
        refused(at.ask(at.body(sent={"proofs": proofs})), "invalid_proof")


def _signing_algorithm(at: Applicant) -> None:
    at.entitle()
    (text,) = at.credentials(at.ask())
    entry = at.world.issuer_metadata(at.institution)["credential_configurations_supported"][at.configuration_id]
    assert jws.parse(text.split("~")[0]).header["alg"] in entry["credential_signing_alg_values_supported"]


def _scope(at: Applicant) -> None:
    """By its scope this configuration and no other is authorized."""
    at.entitle()
    assert at.ask().status_code == 200
    assert at.ask(at.body(sent={"credential_configuration_id": OTHER_CONFIGURATION[at.institution]})).status_code == 403


def _jwt_algorithms(at: Applicant) -> None:
    at.entitle()
    for alg in UNLISTED:
        key = holder()
        (good,) = at.jwt_proofs([key])
        refused(at.ask(at.body([forged(good, alg, key.private_key)])), "invalid_proof")


def _proof_types(at: Applicant) -> None:
    at.entitle()
    listed = at.described.configuration(at.configuration_id).proof_types
    for kind in ("di_vp", "cwt", "ldp_vp"):
        assert kind not in listed
        refused(at.ask(at.body(sent={"proofs": {kind: at.jwt_proofs([holder()])}})), "invalid_proof")
    both = {"jwt": at.jwt_proofs([holder()]), "attestation": at.attestation_proof([holder()])}
    refused(at.ask(at.body(sent={"proofs": both})), "invalid_proof")


def _attestation_proof_algorithms(at: Applicant) -> None:
    at.entitle()
    for alg in UNLISTED:
        (good,) = at.attestation_proof([holder()])
        made = forged(good, alg, at.instance.provider.signer.private_key)
        refused(at.ask(at.body([made], proof_type="attestation")), "invalid_proof")


def _key_storage(at: Applicant) -> None:
    _too_weak(at, "key_storage")


def _user_authentication(at: Applicant) -> None:
    _too_weak(at, "user_authentication")


def _too_weak(at: Applicant, member: str) -> None:
    """VCI-CRED-8: nothing said, and one step below what is required; in both types of proof."""
    at.entitle()
    for level in ([], ["iso_18045_enhanced-basic"]):
        key, said = holder(), dict[str, Any]({member: level})
        nonce = at.nonce()
        weak = at.instance.key_attestation([key], nonce=nonce, **said)
        refused(at.ask(at.body(at.jwt_proofs([key], nonce=nonce, key_attestation=weak))), "invalid_proof")
        refused(at.ask(at.body(at.attestation_proof([key], **said), proof_type="attestation")), "invalid_proof")


def _key_attestation_missing(at: Applicant) -> None:
    at.entitle()
    plain = proof.create_jwt(holder(), audience=at.issuer, nonce=at.nonce(), issued_at=at.now, client_id=at.client_id)
    refused(at.ask(at.body([plain])), "invalid_proof")


def _key_status_period(at: Applicant) -> None:
    """EAA-I-9: a preference with a consequence: the credential ends before the status of its keys does."""
    at.entitle()
    key, until = holder(), at.now + timedelta(days=3)
    nonce = at.nonce()
    attested = at.instance.key_attestation(
        [key], nonce=nonce, status=at.instance.provider.status(), key_storage_status_expires=until
    )
    (text,) = at.credentials(at.ask(at.body(at.jwt_proofs([key], nonce=nonce, key_attestation=attested))))
    unverified = formats.parse_issued(CONFIGURATIONS[at.configuration_id].format, text)
    credential = unverified.verify_issuer(public_key(unverified.chain[0]))
    assert credential.valid_until is not None
    assert credential.valid_until <= until


def _client_status_period(at: Applicant) -> None:
    """EAA-I-9: as above, for the status of the wallet instance."""
    until = at.now + timedelta(days=2)
    watched = {"status": at.instance.provider.status(), "client_status_expires": until}
    headers = at.attestation(**watched)
    assert at.redeem_own(at.code(), headers=headers).status_code == 200
    (text,) = at.credentials(at.ask())
    unverified = formats.parse_issued(CONFIGURATIONS[at.configuration_id].format, text)
    credential = unverified.verify_issuer(public_key(unverified.chain[0]))
    assert credential.valid_until is not None
    assert credential.valid_until <= until


def _reuse_policy(at: Applicant) -> None:
    """EAA-I-4, -5: copies for one use each can be had, as many as announced, and nothing in them tells that they are copies."""
    at.entitle()
    entry = at.world.issuer_metadata(at.institution)["credential_configurations_supported"][at.configuration_id]
    (option,) = entry["credential_metadata"]["credential_reuse_policy"]["options"]
    keys = [holder() for _ in range(option["batch_size"])]
    texts = at.credentials(at.ask(at.body(at.jwt_proofs(keys))))
    assert len(texts) == option["batch_size"]
    copies = [formats.parse_issued(entry["format"], text) for text in texts]
    read = [copy.verify_issuer(public_key(copy.chain[0])) for copy in copies]
    assert len({jwk.thumbprint(one.holder) for one in read if one.holder is not None}) == len(texts)
    assert len({credential.status for credential in read}) == len(texts)
    assert len({credential.valid_until for credential in read}) == 1
    disclosures = [set(text.split("~")[1:-1]) for text in texts]
    assert not disclosures[0] & disclosures[1]
    same = [keys[0], keys[0]]
    refused(at.ask(at.body(at.jwt_proofs(same) if not at.key_attestation_required else _twice(at, keys[0]))), "invalid_proof")


def _twice(at: Applicant, key: LocalSigner) -> list[str]:
    nonce = at.nonce()
    attested = at.instance.key_attestation([key], nonce=nonce)
    return at.jwt_proofs([key, key], nonce=nonce, key_attestation=attested)


def _claims(at: Applicant) -> None:
    """The claims announced are those of the type metadata, which the credential's digest pins."""
    entry, credential, _ = _issued(at)
    described = at.client.get(f"/type-metadata/{entry['vct']}").content
    type_metadata.check_integrity(described, credential.claims["vct#integrity"])
    announced = [claim["path"] for claim in entry["credential_metadata"]["claims"]]
    assert announced == [list(claim.path) for claim in type_metadata.parse(described, vct=entry["vct"]).claims]


def _display(at: Applicant) -> None:
    """Words for people; that each language is served as asked for is tested in `test_issuer_metadata`."""
    assert at.described.display or at.described.configuration(at.configuration_id).display


@dataclass(frozen=True, slots=True)
class Row:
    """`act` breaks the member, or shows that it is kept where it cannot be broken. `at`: the institutions that announce it."""

    act: Act
    at: tuple[str, ...] = EVERY


_KEYS = (HAIP, STRICT)
_PRE_AUTHORIZED = (PILOT, STRICT)
ROWS: dict[str, Row] = {
    "server/issuer": Row(_issuer),
    "server/token_endpoint": Row(_token_endpoint),
    "server/authorization_endpoint": Row(_authorization_endpoint),
    "server/pushed_authorization_request_endpoint": Row(_pushed_endpoint),
    "server/require_pushed_authorization_requests": Row(_par_required),
    "server/response_types_supported": Row(_response_type),
    "server/response_modes_supported": Row(_response_mode),
    "server/code_challenge_methods_supported": Row(_pkce),
    "server/authorization_response_iss_parameter_supported": Row(_iss_in_response),
    "server/grant_types_supported": Row(_grants),
    "server/token_endpoint_auth_methods_supported": Row(_client_auth),
    "server/client_attestation_signing_alg_values_supported": Row(_attestation_algorithms),
    "server/client_attestation_pop_signing_alg_values_supported": Row(_pop_algorithms),
    "server/challenge_endpoint": Row(_challenge),
    "server/scopes_supported": Row(_scopes),
    "server/authorization_details_types_supported": Row(_details_type),
    "server/dpop_signing_alg_values_supported": Row(_dpop),
    "server/pre-authorized_grant_anonymous_access_supported": Row(_anonymous, _PRE_AUTHORIZED),
    "server/status_list_aggregation_endpoint": Row(_aggregation),
    "issuer/credential_issuer": Row(_credential_issuer),
    "issuer/credential_endpoint": Row(_credential_endpoint),
    "issuer/nonce_endpoint": Row(_nonce_endpoint),
    "issuer/deferred_credential_endpoint": Row(_deferred_endpoint),
    "issuer/notification_endpoint": Row(_notification_endpoint),
    "issuer/batch_credential_issuance/batch_size": Row(_batch),
    "issuer/credential_request_encryption/jwks": Row(_request_keys),
    "issuer/credential_request_encryption/enc_values_supported": Row(_request_enc),
    "issuer/credential_request_encryption/zip_values_supported": Row(_request_zip),
    "issuer/credential_request_encryption/encryption_required": Row(_request_required),
    "issuer/credential_response_encryption/alg_values_supported": Row(_response_alg),
    "issuer/credential_response_encryption/enc_values_supported": Row(_response_enc),
    "issuer/credential_response_encryption/zip_values_supported": Row(_response_zip),
    "issuer/credential_response_encryption/encryption_required": Row(_response_required),
    "issuer/preferred_client_status_period": Row(_client_status_period),
    "issuer/display": Row(_display),
    "issuer/credential_configurations_supported": Row(_configurations),
    "configuration/format": Row(_kind_of_credential),
    "configuration/vct": Row(_kind_of_credential),
    "configuration/doctype": Row(_kind_of_credential),
    "configuration/scope": Row(_scope),
    "configuration/cryptographic_binding_methods_supported": Row(_binding),
    "configuration/credential_signing_alg_values_supported": Row(_signing_algorithm),
    "configuration/proof_types_supported": Row(_proof_types),
    "configuration/proof_types_supported/jwt/proof_signing_alg_values_supported": Row(_jwt_algorithms),
    "configuration/proof_types_supported/jwt/key_attestations_required": Row(_key_attestation_missing, _KEYS),
    "configuration/proof_types_supported/jwt/key_attestations_required/key_storage": Row(_key_storage, _KEYS),
    "configuration/proof_types_supported/jwt/key_attestations_required/user_authentication": Row(_user_authentication, _KEYS),
    "configuration/proof_types_supported/attestation/proof_signing_alg_values_supported": Row(_attestation_proof_algorithms),
    "configuration/proof_types_supported/attestation/key_attestations_required": Row(_key_attestation_missing, _KEYS),
    "configuration/proof_types_supported/attestation/key_attestations_required/key_storage": Row(_key_storage, _KEYS),
    "configuration/proof_types_supported/attestation/key_attestations_required/user_authentication": Row(
        _user_authentication, _KEYS
    ),
    "configuration/proof_types_supported/jwt/key_attestations_required/preferred_key_storage_status_period": Row(
        _key_status_period, _KEYS
    ),
    "configuration/proof_types_supported/attestation/key_attestations_required/preferred_key_storage_status_period": Row(
        _key_status_period, _KEYS
    ),
    "configuration/credential_metadata/display": Row(_display),
    "configuration/credential_metadata/claims": Row(_claims),
    "configuration/credential_metadata/credential_reuse_policy": Row(_reuse_policy, (STRICT,)),
}


def advertised(world: World, institution: str) -> set[str]:
    """The members of both metadata documents, as the keys of the table name them."""
    issuer = world.issuer_metadata(institution)
    found = {f"server/{name}" for name in world.server_metadata(institution)}
    for name, value in issuer.items():
        split = name in ("credential_request_encryption", "credential_response_encryption", "batch_credential_issuance")
        found |= {f"issuer/{name}/{inner}" for inner in value} if split else {f"issuer/{name}"}
    for configuration in issuer["credential_configurations_supported"].values():
        found |= {f"configuration/{name}" for name in configuration if name != "credential_metadata"}
        found |= {f"configuration/credential_metadata/{name}" for name in configuration["credential_metadata"]}
        for kind, declared in configuration["proof_types_supported"].items():
            at = f"configuration/proof_types_supported/{kind}"
            found |= {f"{at}/{name}" for name in declared}
            found |= {f"{at}/key_attestations_required/{name}" for name in declared.get("key_attestations_required", {})}
    return found


@pytest.mark.parametrize("institution", EVERY)
def test_every_member_that_is_advertised_has_a_row_and_every_row_a_member(world: World, institution: str) -> None:
    assert advertised(world, institution) == {name for name, row in ROWS.items() if institution in row.at}


@pytest.mark.parametrize(
    ("institution", "member"), [(institution, member) for member, row in ROWS.items() for institution in row.at]
)
def test_what_is_advertised_is_enforced(world: World, institution: str, member: str) -> None:
    ROWS[member].act(world.applicant(institution))


# --- what the profiles enforce without a member of the metadata to say so ----------------------------------------------------


def test_haip_takes_no_request_without_dpop(world: World) -> None:
    """HAIP-VCI-3: neither at the token endpoint nor as a bearer token later."""
    at = world.applicant(HAIP)
    code = at.code()
    key, at.dpop_key = at.dpop_key, None
    refused(at.redeem_own(code), "invalid_dpop_proof")
    at.dpop_key = key
    at.entitle()
    at.dpop_key = None
    refused(at.ask(), "invalid_token", 401)


def test_haip_demands_a_fresh_nonce_in_dpop_proofs(world: World) -> None:
    """VCI-DPOP-3: at the authorization server and at the resource, each answer bringing the next one."""
    at = world.applicant(HAIP)
    at.shows({**at.attestation(), **at.dpop("POST", "par", nonce="invented")})
    answer = at.push(at.configuration_id, dpop_proof=False)
    refused(answer, "use_dpop_nonce")
    assert answer.headers["dpop-nonce"]
    at.entitle()
    stale = {"authorization": f"DPoP {at.access_token}", **at.dpop("POST", "credential", access_token=at.access_token, nonce="old")}
    answer = at.client.post(f"{at.issuer}/credential", json=at.body(), headers=stale)
    refused(answer, "use_dpop_nonce", 401)
    assert answer.headers["dpop-nonce"]
    assert "use_dpop_nonce" in answer.headers["www-authenticate"]


def test_haip_offers_no_pre_authorized_code(world: World) -> None:
    """HAIP has none; the institution cannot make such an offer by mistake."""
    at = world.applicant(HAIP)
    url = f"/api/v1/documents/{world.documents[HAIP]}/offers"
    answer = at.client.post(url, json={"grants": ["pre-authorized_code"]}, headers=issuing.bearer(HAIP))
    assert answer.status_code in (400, 409, 422), answer.text
    made = issuing.offer(at.client, HAIP, document_id=world.documents[HAIP])
    assert list(made["credential_offer"]["grants"]) == ["authorization_code"]


@pytest.mark.parametrize("institution", EVERY)
def test_who_keeps_every_rule_gets_everything_that_is_advertised(world: World, institution: str) -> None:
    """The other side of the table: none of the refusals above comes from a broken wallet."""
    at = world.applicant(institution).entitle()
    keys = [holder() for _ in range(at.described.batch_size)]
    assert len(at.credentials(at.ask(at.body(at.jwt_proofs(keys))))) == len(keys)
    assert len(at.credentials(at.ask(at.body(at.attestation_proof(keys), proof_type="attestation")))) == len(keys)
    assert at.refresh_token
    assert at.refresh().status_code == 200
    assert at.credentials(at.ask())
