"""One broken rule for each member of the credential issuer metadata, over HTTP; see `tests/flows/test_advertised.py`."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from tests.support.advertised import (
    EVERY,
    INSTITUTIONS,
    OTHER_CONFIGURATION,
    UNLISTED,
    Applicant,
    forged,
)
from tests.support.breaking_server import refused
from tests.support.pki import holder, new_key
from vc import formats
from vc.documents.catalogue import CONFIGURATIONS
from vc.encoding import base64url, json
from vc.errors import VerificationFailed
from vc.jose import jwe, jws
from vc.keys import jwk
from vc.keys.signer import LocalSigner
from vc.openid4vci import encryption, proof, registration_certificate
from vc.openid4vci.encryption import ResponseEncryption
from vc.sdjwt import type_metadata
from vc.x509.certificate import public_key


def credential_issuer(at: Applicant) -> None:
    """The audience of proofs (VCI-CRED-4)."""
    at.entitle()
    for audience in (f"{at.issuer}/", "https://issuer.test", f"https://issuer.test/{_other(at)}"):
        refused(at.ask(at.body(at.jwt_proofs([holder()], audience=audience))), "invalid_proof")


def _other(at: Applicant) -> str:
    return next(name for name in EVERY if name != at.institution)


def credential_endpoint(at: Applicant) -> None:
    answer = at.client.post(at.described.credential_endpoint, json=at.body())
    assert answer.status_code == 401
    assert "www-authenticate" in answer.headers


def nonce_endpoint(at: Applicant) -> None:
    """VCI-NONCE-3: only our own nonces, once, in time."""
    at.entitle()
    refused(at.ask(at.body(at.jwt_proofs([holder()], nonce="invented"))), "invalid_nonce")
    body = at.body()
    at.credentials(at.ask(body))
    refused(at.ask(body), "invalid_nonce")


def deferred_endpoint(at: Applicant) -> None:
    at.entitle()
    encrypted = {"credential_response_encryption": encryption.ask_response(at.asked_response)}
    body = {"transaction_id": "invented", **(encrypted if at.described.encryption_required else {})}
    refused(at.ask(body, to="deferred"), "invalid_transaction_id")
    assert at.client.post(f"{at.issuer}/deferred", json=body).status_code == 401


def notification_endpoint(at: Applicant) -> None:
    at.entitle()
    refused(at.post("notification", {"notification_id": "invented", "event": "credential_accepted"}), "invalid_notification_id")
    assert at.client.post(f"{at.issuer}/notification", json={}).status_code == 401


def batch(at: Applicant) -> None:
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


def request_keys(at: Applicant) -> None:
    """Only published keys open a request (VCI-META-9)."""
    at.entitle()
    ways, body = at.ways(), json.dumps(at.body())
    stranger = new_key().public_key()
    for to, kid in ((ways.key, "another"), (ways.key, None), (stranger, ways.kid)):
        refused(at.send(jwe.encrypt(body, to=to, kid=kid, enc="A256GCM")), "invalid_encryption_parameters")


def request_enc(at: Applicant) -> None:
    at.entitle()
    sealed = encryption.seal_request(at.body(), at.ways())
    header, *rest = sealed.split(".")
    changed = json.dumps({**_header(header), "enc": "A128CBC-HS256"})
    refused(at.send(".".join([_b64(changed), *rest])), "invalid_encryption_parameters")


def _header(encoded: str) -> Mapping[str, Any]:
    return json.loads_object(base64url.decode(encoded))


def _b64(value: bytes) -> str:
    return base64url.encode(value)


def request_zip(at: Applicant) -> None:
    """DEFLATE is taken; another compression, or more than may come out, is not (VCI-ENC-6)."""
    at.entitle()
    sealed = encryption.seal_request(at.body(), at.ways(), zip=True)
    at.credentials(at.send(sealed))
    header, *rest = encryption.seal_request(at.body(), at.ways(), zip=True).split(".")
    refused(at.send(".".join([_b64(json.dumps({**_header(header), "zip": "GZIP"})), *rest])), "invalid_encryption_parameters")
    bomb = encryption.seal_request({**at.body(), "padding": "0" * (1024 * 1024)}, at.ways(), zip=True)
    assert at.send(bomb).status_code in (400, 413)


def request_required(at: Applicant) -> None:
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


def response_alg(at: Applicant) -> None:
    at.entitle()
    for alg in ("ECDH-ES+A128KW", "RSA-OAEP", "dir", "none"):
        refused(at.ask(_response(at, jwk={"alg": alg}), sealed=True), "invalid_encryption_parameters")


def response_enc(at: Applicant) -> None:
    at.entitle()
    for enc in ("A128CBC-HS256", "A192GCM", "none"):
        refused(at.ask(_response(at, enc=enc), sealed=True), "invalid_encryption_parameters")
    for enc in ("A128GCM", "A256GCM"):
        answer = at.ask(_response(at, enc=enc), sealed=True)
        asked = ResponseEncryption(key=at.response_key.public_key(), kid="wallet-1", enc=enc)
        assert encryption.open_response(answer.text, at.response_key, asked)["credentials"]


def response_zip(at: Applicant) -> None:
    at.entitle()
    refused(at.ask(_response(at, zip="GZIP"), sealed=True), "invalid_encryption_parameters")
    answer = at.ask(_response(at, zip="DEF"), sealed=True)
    asked = ResponseEncryption(key=at.response_key.public_key(), kid="wallet-1", enc="A256GCM", zip=True)
    assert encryption.open_response(answer.text, at.response_key, asked)["credentials"]


def response_required(at: Applicant) -> None:
    at.entitle()
    if at.described.encryption_required:
        body = {name: value for name, value in at.body().items() if name != "credential_response_encryption"}
        refused(at.ask(body, sealed=True), "invalid_encryption_parameters")
        return
    assert at.ask(sealed=True).headers["content-type"] == "application/json"  # nobody asked for an encrypted answer


def registration(at: Applicant) -> None:
    """EAA-I-3: registered for everything that is announced here, and for nothing that others issue."""
    assert at.described.registration_certificate is not None
    read = registration_certificate.verify(at.described.registration_certificate, now=at.now, judge=lambda _: None)
    identifier = INSTITUTIONS[at.institution]["registration_id"]
    for name in at.described.configurations:
        kind = at.described.configuration(name)
        registration_certificate.check_issuer(read, organization_identifier=identifier, format=kind.format, type_id=kind.type_id)
    foreign = CONFIGURATIONS["ehic_dc4eu-1_sd_jwt"]
    with pytest.raises(VerificationFailed, match="registration_type"):
        registration_certificate.check_issuer(
            read, organization_identifier=identifier, format=foreign.format, type_id=foreign.type_id
        )


def configurations(at: Applicant) -> None:
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


def kind_of_credential(at: Applicant) -> None:
    """What comes is of the kind that was announced, and read as nothing else."""
    entry, credential, _ = _issued(at)
    assert credential.type_id == entry.get("vct", entry.get("doctype"))
    assert CONFIGURATIONS[at.configuration_id].format == entry["format"]


def binding(at: Applicant) -> None:
    """Bound to the key that was proved; a request without proof is none (VCI-META-12, VCI-CRED-3)."""
    _, credential, key = _issued(at)
    assert credential.holder is not None
    assert jwk.thumbprint(credential.holder) == jwk.thumbprint(key.public_key)
    nothing: tuple[Any, ...] = (None, {}, {"jwt": []})
    for proofs in nothing:
        refused(at.ask(at.body(sent={"proofs": proofs})), "invalid_proof")


def signing_algorithm(at: Applicant) -> None:
    at.entitle()
    (text,) = at.credentials(at.ask())
    entry = at.world.issuer_metadata(at.institution)["credential_configurations_supported"][at.configuration_id]
    assert jws.parse(text.split("~")[0]).header["alg"] in entry["credential_signing_alg_values_supported"]


def scope(at: Applicant) -> None:
    """By its scope this configuration and no other is authorized."""
    at.entitle()
    assert at.ask().status_code == 200
    assert at.ask(at.body(sent={"credential_configuration_id": OTHER_CONFIGURATION[at.institution]})).status_code == 403


def jwt_algorithms(at: Applicant) -> None:
    at.entitle()
    for alg in UNLISTED:
        key = holder()
        (good,) = at.jwt_proofs([key])
        refused(at.ask(at.body([forged(good, alg, key.private_key)])), "invalid_proof")


def proof_types(at: Applicant) -> None:
    at.entitle()
    listed = at.described.configuration(at.configuration_id).proof_types
    for kind in ("di_vp", "cwt", "ldp_vp"):
        assert kind not in listed
        refused(at.ask(at.body(sent={"proofs": {kind: at.jwt_proofs([holder()])}})), "invalid_proof")
    both = {"jwt": at.jwt_proofs([holder()]), "attestation": at.attestation_proof([holder()])}
    refused(at.ask(at.body(sent={"proofs": both})), "invalid_proof")


def attestation_proof_algorithms(at: Applicant) -> None:
    at.entitle()
    for alg in UNLISTED:
        (good,) = at.attestation_proof([holder()])
        made = forged(good, alg, at.instance.provider.signer.private_key)
        refused(at.ask(at.body([made], proof_type="attestation")), "invalid_proof")


def key_storage(at: Applicant) -> None:
    _too_weak(at, "key_storage")


def user_authentication(at: Applicant) -> None:
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


def key_attestation_missing(at: Applicant) -> None:
    at.entitle()
    plain = proof.create_jwt(holder(), audience=at.issuer, nonce=at.nonce(), issued_at=at.now, client_id=at.client_id)
    refused(at.ask(at.body([plain])), "invalid_proof")


def key_status_period(at: Applicant) -> None:
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


def client_status_period(at: Applicant) -> None:
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


def reuse_policy(at: Applicant) -> None:
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


def claims(at: Applicant) -> None:
    """The claims announced are those of the type metadata, which the credential's digest pins."""
    entry, credential, _ = _issued(at)
    described = at.client.get(f"/type-metadata/{entry['vct']}").content
    type_metadata.check_integrity(described, credential.claims["vct#integrity"])
    announced = [claim["path"] for claim in entry["credential_metadata"]["claims"]]
    assert announced == [list(claim.path) for claim in type_metadata.parse(described, vct=entry["vct"]).claims]


def display(at: Applicant) -> None:
    """Words for people; that each language is served as asked for is tested in `test_issuer_metadata`."""
    assert at.described.display or at.described.configuration(at.configuration_id).display
