"""Presentations that are not the holder's or not the issuer's (SECURITY V-7, J, M): refused, the exact reason named."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cbor2
import pytest
from starlette.testclient import TestClient

from tests.support import pki
from tests.support.verifier import check_results, codes, verdict
from tests.support.verifier_scene import Attack, Scene
from vc.clock import to_numeric_date
from vc.encoding import base64url, json
from vc.jose import jws
from vc.sdjwt.disclosure import digest


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.fixture
def client(scene: Scene) -> Iterator[TestClient]:
    with scene.world.service() as client:
        yield client


# --- V-7, J-7, M-4: holder binding


def rebound(attack: Attack, **changes: Any) -> dict[str, list[str]]:
    """The good answer with the document's key binding made anew: header, claims or key changed."""
    text = attack.vp_token["document_sd_jwt"][0]
    hashed = text[: text.rindex("~") + 1]
    holder = changes.pop("holder", attack.scene.wallet.held[2].holder)
    typ, alg = changes.pop("typ", "kb+jwt"), changes.pop("alg", None)
    claims = {
        "nonce": attack.asked.nonce,
        "aud": attack.asked.client.full,
        "iat": to_numeric_date(attack.scene.world.now),
        "sd_hash": digest(changes.pop("hashed", hashed)),
        **changes,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    if alg is None:
        token = jws.sign({"typ": typ}, json.dumps(claims), holder)
    else:
        head = base64url.encode(json.dumps({"alg": alg, "typ": typ}))
        token = f"{head}.{base64url.encode(json.dumps(claims))}."
    return {**attack.vp_token, "document_sd_jwt": [hashed + token]}


def extra_disclosure(attack: Attack) -> dict[str, list[str]]:
    """A further genuine disclosure slipped in after the holder signed."""
    text = attack.vp_token["pid_sd_jwt"][0]
    held = attack.scene.wallet.held[0].text
    more = next(one for one in held.split("~")[1:] if one and one not in text)
    head, tail = text.rsplit("~", 1)
    return {**attack.vp_token, "pid_sd_jwt": [f"{head}~{more}~{tail}"]}


HOLDER_ATTACKS: dict[str, tuple[Callable[[Attack], dict[str, list[str]]], str]] = {
    "no key binding": (
        lambda a: {**a.vp_token, "document_sd_jwt": [a.vp_token["document_sd_jwt"][0].rsplit("~", 1)[0] + "~"]},
        "holder_proof_missing",
    ),
    "another key": (lambda a: rebound(a, holder=pki.holder()), "holder_proof_signature"),
    "stale nonce": (lambda a: rebound(a, nonce="x" * 32), "holder_proof_wrong_nonce"),
    "no nonce": (lambda a: rebound(a, nonce=None), "holder_proof_wrong_nonce"),
    "wrong audience": (lambda a: rebound(a, aud="x509_hash:other"), "holder_proof_wrong_audience"),
    "audience without prefix": (lambda a: rebound(a, aud=a.asked.client.value), "holder_proof_wrong_audience"),
    "audience as list": (lambda a: rebound(a, aud=[a.asked.client.full, "other"]), "holder_proof_wrong_audience"),
    "old": (lambda a: rebound(a, iat=to_numeric_date(a.scene.world.now) - 361), "holder_proof_time"),
    "future": (lambda a: rebound(a, iat=to_numeric_date(a.scene.world.now) + 61), "holder_proof_time"),
    "no time": (lambda a: rebound(a, iat=None), "holder_proof_time"),
    "another typ": (lambda a: rebound(a, typ="JWT"), "holder_proof_invalid"),
    "alg none": (lambda a: rebound(a, alg="none"), "holder_proof_invalid"),
    "another hash": (lambda a: rebound(a, hashed="x"), "holder_proof_altered"),
}


@pytest.mark.parametrize("case", HOLDER_ATTACKS)
def test_a_bad_key_binding_is_refused_with_the_exact_reason(scene: Scene, client: TestClient, case: str) -> None:
    """J-7, VP-SD-1."""
    attack = Attack(scene, client, format="dc+sd-jwt")
    bend, code = HOLDER_ATTACKS[case]

    answer = attack.send(bend(attack))

    attack.refused(answer, code, "holder_binding")
    found = verdict(client, attack.made)
    assert found["document"] is None
    assert check_results(found)["status"] == "not_checked"


def test_a_disclosure_added_after_signing_is_refused(scene: Scene, client: TestClient) -> None:
    attack = Attack(scene, client, format="dc+sd-jwt")

    answer = attack.send(extra_disclosure(attack))

    assert answer.status_code == 400
    assert codes(verdict(client, attack.made))[0] == "pid.holder_proof_altered"
    assert verdict(client, attack.made)["identity"] is None
    assert check_results(verdict(client, attack.made))["same_holder"] == "failed"


@pytest.mark.parametrize("form", ["dc+sd-jwt", "mso_mdoc"])
def test_a_presentation_copied_from_another_request_is_refused(scene: Scene, client: TestClient, form: str) -> None:
    """V-7: replayed by a second phone into its own, well-addressed answer."""
    victim, thief = Attack(scene, client, format=form), Attack(scene, client, format=form)
    victim.send()

    answer = thief.send(victim.vp_token)

    code = "holder_proof_wrong_nonce" if form == "dc+sd-jwt" else "holder_proof_mismatch"
    thief.refused(answer, code, "holder_binding")


CHALLENGES: dict[str, dict[str, Any]] = {
    "nonce": {"nonce": "x" * 32},
    "client": {"audience": "x509_hash:x"},
    "response URI": {"response_uri": "https://x"},
    "thumbprint": {"encryption_thumbprint": secrets.token_bytes(32)},
    "no thumbprint": {"encryption_thumbprint": None},
}


@pytest.mark.parametrize("case", CHALLENGES)
def test_an_mdoc_over_another_transcript_is_refused(scene: Scene, client: TestClient, case: str) -> None:
    """M-4, VP-MDOC-2."""
    attack = Attack(scene, client, format="mso_mdoc")
    bent = scene.wallet.present(attack.asked, challenge=replace(scene.wallet.challenge(attack.asked), **CHALLENGES[case]))

    attack.refused(attack.send(bent), "holder_proof_mismatch", "holder_binding")


@pytest.mark.parametrize("form", ["dc+sd-jwt", "mso_mdoc"])
def test_a_copied_credential_without_its_key_is_refused(scene: Scene, client: TestClient, form: str) -> None:
    for one in scene.wallet.held[2:]:
        one.holder = pki.holder()
    attack = Attack(scene, client, format=form)

    answer = attack.send()

    attack.refused(answer, "holder_proof_signature" if form == "dc+sd-jwt" else "holder_proof_mismatch", "holder_binding")


# --- J-1 to J-6: what the issuer signed


def bent_document(attack: Attack, change: Callable[[list[str]], list[str]]) -> dict[str, list[str]]:
    """The document with its parts (`jwt`, disclosures) changed and a key binding that fits again."""
    text = attack.vp_token["document_sd_jwt"][0]
    *parts, _kb = text.split("~")
    hashed = "~".join(change(parts)) + "~"
    holder = attack.scene.wallet.held[2].holder
    claims = {
        "nonce": attack.asked.nonce,
        "aud": attack.asked.client.full,
        "iat": to_numeric_date(attack.scene.world.now),
        "sd_hash": digest(hashed),
    }
    return {**attack.vp_token, "document_sd_jwt": [hashed + jws.sign({"typ": "kb+jwt"}, json.dumps(claims), holder)]}


def _payload_changed(parts: list[str]) -> list[str]:
    head, body, signature = parts[0].split(".")
    claims = {**json.loads(base64url.decode(body)), "ending_date": "2499-01-01"}
    return [f"{head}.{base64url.encode(json.dumps(claims))}.{signature}", *parts[1:]]


def _alg(name: str) -> Callable[[list[str]], list[str]]:
    def change(parts: list[str]) -> list[str]:
        head, body, signature = parts[0].split(".")
        header = {**json.loads(base64url.decode(head)), "alg": name}
        return [f"{base64url.encode(json.dumps(header))}.{body}.{'' if name == 'none' else signature}", *parts[1:]]

    return change


def _value(parts: list[str]) -> list[str]:
    salt, name, _ = json.loads(base64url.decode(parts[1]))
    return [parts[0], base64url.encode(json.dumps([salt, name, "changed"])), *parts[2:]]


def _without_chain(parts: list[str]) -> list[str]:
    head, body, signature = parts[0].split(".")
    header = {key: value for key, value in json.loads(base64url.decode(head)).items() if key != "x5c"}
    return [f"{base64url.encode(json.dumps(header))}.{body}.{signature}", *parts[1:]]


def _zero_signature(parts: list[str]) -> list[str]:
    head, body, _ = parts[0].split(".")
    return [f"{head}.{body}.{base64url.encode(bytes(64))}", *parts[1:]]


ISSUER_ATTACKS: dict[str, tuple[Callable[[list[str]], list[str]], str, str]] = {
    "payload changed": (_payload_changed, "issuer_signature_invalid", "issuer_signature"),
    "alg none": (_alg("none"), "issuer_signature_invalid", "issuer_signature"),
    "HMAC": (_alg("HS256"), "issuer_signature_invalid", "issuer_signature"),
    "another curve's alg": (_alg("ES384"), "issuer_signature_invalid", "issuer_signature"),
    "zero signature": (_zero_signature, "issuer_signature_invalid", "issuer_signature"),
    "no certificate": (_without_chain, "certificate_missing", "issuer_signature"),
    "altered disclosure": (_value, "content_altered", "structure"),
    "foreign disclosure": (
        lambda parts: [*parts, base64url.encode(json.dumps(["salt-salt-salt-salt", "extra", 1]))],
        "content_altered",
        "structure",
    ),
    "disclosure twice": (lambda parts: [*parts, parts[1]], "content_altered", "structure"),
    "disclosure overrides a claim": (
        lambda parts: [*parts, base64url.encode(json.dumps(["salt-salt-salt-salt", "vct", "urn:eudi:pid:1"]))],
        "content_altered",
        "structure",
    ),
    "disclosure is no JSON": (lambda parts: [*parts, base64url.encode(b"junk")], "presentation_malformed", "structure"),
    "no JWT": (lambda parts: ["junk", *parts[1:]], "presentation_malformed", "structure"),
    "a million tildes": (lambda parts: [parts[0], *([""] * 100_000)], "presentation_malformed", "structure"),
}


@pytest.mark.parametrize("case", ISSUER_ATTACKS)
def test_an_sd_jwt_that_the_issuer_did_not_sign_is_refused(scene: Scene, client: TestClient, case: str) -> None:
    attack = Attack(scene, client, format="dc+sd-jwt")
    change, code, check = ISSUER_ATTACKS[case]
    began = time.monotonic()

    answer = attack.send(bent_document(attack, change))

    assert time.monotonic() - began < 2.0
    attack.refused(answer, code, check)
    assert verdict(client, attack.made)["document"] is None


# --- M-1 to M-3, M-9


def bent_mdoc(attack: Attack, change: Callable[[dict[str, Any]], None]) -> dict[str, list[str]]:
    decoded = cbor2.loads(base64url.decode(attack.vp_token["document_mdoc"][0]))
    change(decoded)
    return {**attack.vp_token, "document_mdoc": [base64url.encode(cbor2.dumps(decoded))]}


def _items(value: dict[str, Any]) -> list[Any]:
    items: list[Any] = value["documents"][0]["issuerSigned"]["nameSpaces"]["eu.europa.ec.eudi.pda1.1"]
    return items


def _change_item(position: int, **changes: Any) -> Callable[[dict[str, Any]], None]:
    def change(value: dict[str, Any]) -> None:
        items = _items(value)
        item = {**cbor2.loads(items[position].value), **changes}
        items[position] = cbor2.CBORTag(24, cbor2.dumps(item))

    return change


def _other_doctype(value: dict[str, Any]) -> None:
    value["documents"][0]["docType"] = "eu.europa.ec.eudi.ehic.1"


def _other_namespace(value: dict[str, Any]) -> None:
    spaces = value["documents"][0]["issuerSigned"]["nameSpaces"]
    spaces["other"] = spaces.pop("eu.europa.ec.eudi.pda1.1")


def _two_documents(value: dict[str, Any]) -> None:
    value["documents"].append(value["documents"][0])


def _status_one(value: dict[str, Any]) -> None:
    value["status"] = 10


def _document_errors(value: dict[str, Any]) -> None:
    value["documentErrors"] = [{"eu.europa.ec.eudi.pda1.1": 0}]


def _no_documents(value: dict[str, Any]) -> None:
    value["documents"] = []


def _mac_instead(value: dict[str, Any]) -> None:
    auth = value["documents"][0]["deviceSigned"]["deviceAuth"]
    value["documents"][0]["deviceSigned"]["deviceAuth"] = {"deviceMac": [auth["deviceSignature"][0], {}, None, b"\x00" * 32]}


def _broken_issuer_signature(value: dict[str, Any]) -> None:
    value["documents"][0]["issuerSigned"]["issuerAuth"][3] = b"\x01" * 64


def _no_chain(value: dict[str, Any]) -> None:
    value["documents"][0]["issuerSigned"]["issuerAuth"][1] = {}


MDOC_ATTACKS: dict[str, tuple[Callable[[dict[str, Any]], None], set[str]]] = {
    "first item altered": (_change_item(0, elementValue="changed"), {"content_altered"}),
    "middle item altered": (_change_item(4, elementValue="changed"), {"content_altered"}),
    "last item altered": (_change_item(-1, elementValue="changed"), {"content_altered"}),
    "item renamed": (_change_item(0, elementIdentifier="other"), {"content_altered"}),
    "random altered": (_change_item(0, random=bytes(32)), {"content_altered"}),
    "digest id altered": (_change_item(0, digestID=999), {"content_altered"}),
    "another document type": (_other_doctype, {"content_altered"}),
    "another namespace": (_other_namespace, {"content_altered", "presentation_malformed"}),
    "two documents": (_two_documents, {"presentation_malformed"}),
    "status not 0": (_status_one, {"presentation_malformed"}),
    "document errors": (_document_errors, {"presentation_malformed"}),
    "no documents": (_no_documents, {"presentation_malformed"}),
    "MAC instead of signature": (_mac_instead, {"holder_proof_invalid"}),
    "issuer signature broken": (_broken_issuer_signature, {"issuer_signature_invalid"}),
    "no certificate": (_no_chain, {"certificate_missing", "presentation_malformed"}),
}


@pytest.mark.parametrize("case", MDOC_ATTACKS)
def test_an_altered_mdoc_is_refused(scene: Scene, client: TestClient, case: str) -> None:
    """M-1 to M-4, M-9, R-6: each item counts, first, middle and last."""
    attack = Attack(scene, client, format="mso_mdoc")
    change, expected = MDOC_ATTACKS[case]

    answer = attack.send(bent_mdoc(attack, change))

    assert answer.status_code == 400
    found = verdict(client, attack.made)
    assert found["outcome"] == "reject"
    assert expected & set(codes(found)), (codes(found), found["checks"])
    assert found["document"] is None


@pytest.mark.parametrize("text", ["junk", "", "AAAA", base64url.encode(b"\xa1" * 5000), base64url.encode(b"\x81" * 100_000)])
def test_junk_instead_of_an_mdoc_is_refused(scene: Scene, client: TestClient, text: str) -> None:
    """M-6."""
    attack = Attack(scene, client, format="mso_mdoc")

    answer = attack.send({**attack.vp_token, "document_mdoc": [text or "="]})

    attack.refused(answer, "presentation_malformed", "structure")
