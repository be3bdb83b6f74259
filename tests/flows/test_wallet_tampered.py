"""An issuer, an authorization server or somebody on the way that breaks the rules: the wallet notices, asks for and stores nothing
(VCI-AUTHZ-6, VCI-META-21, VCI-ENC-4, EAA-I-3, SECURITY A-10, W-3)."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.high_chain import FORMATS, HAIP, STRICT, Change, HighChain, running_high_chain
from tests.support.internet import json_answer
from tests.support.pki import Authority, root
from vc.documents import catalogue
from vc.encoding import base64url, json
from vc.errors import Malformed, Refused, Unreachable, VcError, VerificationFailed
from vc.jose import jws
from vc.openid4vci import registration_certificate, signed_metadata
from vc.openid4vci.registration_certificate import PUB_EAA_PROVIDER, SERVICE_PROVIDER, ProvidedAttestation, Registration
from wallet_sim.browser import REDIRECT_URI
from wallet_sim.identity import Identity

METADATA = f"/.well-known/openid-credential-issuer/{HAIP}"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HighChain]:
    with running_high_chain(tmp_path_factory.mktemp("chain")) as made:
        yield made


@pytest.fixture
def chain(tmp_path: Path, running: HighChain) -> HighChain:
    """The chain with a wallet of this test's own, which has a PID, and a document that can be had."""
    running.new_wallet(tmp_path / "wallet")
    running.get_pid()
    running.submit(HAIP)
    running.internet.seen.clear()
    return running


def ask(chain: HighChain, institution: str = HAIP, **trust: Any) -> int:
    """The number of what the wallet asked for and got."""
    issuer, names = chain.deployment.credential_issuer(institution), chain.configurations(institution)[:1]
    (held,) = chain.receiver(**trust).request(issuer, names).holdings
    return held.number


def nothing_came(chain: HighChain) -> bool:
    return [one.format for one in chain.wallet.store.holdings()] == list(FORMATS)  # the PID


def location(change: Callable[[str], str]) -> Change:
    """Change where the browser is sent."""

    def changed(got: httpx2.Response) -> httpx2.Response:
        return httpx2.Response(got.status_code, headers={**got.headers, "location": change(got.headers["location"])})

    return changed


WAYS_BACK: list[tuple[str, Callable[[str], str], type[VcError], str]] = [
    ("other-issuer", lambda url: url.replace("fr-cnam", "fr-urssaf"), VerificationFailed, "authorization_mix_up"),
    ("no-issuer", lambda url: url.partition("&iss=")[0], VerificationFailed, "authorization_mix_up"),
    ("other-state", lambda url: url.replace("state=", "state=x"), VerificationFailed, "authorization_state"),
    ("twice", lambda url: f"{url}&code=other", Malformed, "authorization_response"),
    ("no-code", lambda url: url.replace("code=", "cod="), Malformed, "authorization_response"),
    ("elsewhere", lambda _: "https://evil.example/?code=x", Unreachable, "unreachable"),
    ("other-app", lambda url: url.replace(REDIRECT_URI, "evil.app:/authorized"), Refused, "sign_in_redirect"),
]


@pytest.mark.parametrize(("change", "family", "code"), [row[1:] for row in WAYS_BACK], ids=[row[0] for row in WAYS_BACK])
def test_a_way_back_that_is_not_the_answer_is_not_taken(
    chain: HighChain, change: Callable[[str], str], family: type[VcError], code: str
) -> None:
    done = chain.tamper("/sign-in/callback", location(change))
    with pytest.raises(family) as caught:
        ask(chain)
    assert caught.value.code == code
    assert done.done == 1
    assert chain.internet.requests(f"{HAIP}/token") == []
    assert nothing_came(chain)


def refusing(body: dict[str, Any], status: int = 200) -> Change:
    return lambda _: json_answer(body, status)


ANSWERS: list[tuple[str, str, Change, type[VcError], str]] = [
    ("par-redirect", "/par", lambda _: httpx2.Response(302, headers={"location": "https://evil.example"}), Refused, "redirect"),
    ("par-junk", "/par", refusing({"request_uri": 7}, 201), Malformed, "pushed_response"),
    ("par-refused", "/par", refusing({"error": "invalid_scope"}, 400), Refused, "invalid_scope"),
    ("token-bearer", f"{HAIP}/token", refusing({"access_token": "t", "token_type": "Bearer"}), VerificationFailed, "token_type"),
    ("plain", "/credential", refusing({"credentials": [{"credential": "x"}]}), VerificationFailed, "response_plain"),  # VCI-ENC-4
    ("plain-deferral", "/credential", refusing({"transaction_id": "t", "interval": 1}, 202), VerificationFailed, "response_plain"),
    ("challenge-lost", "/challenge", lambda _: httpx2.Response(404), Refused, "server_error"),
]


@pytest.mark.parametrize(("path", "change", "family", "code"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_an_answer_that_breaks_a_rule_ends_it(
    chain: HighChain, path: str, change: Change, family: type[VcError], code: str
) -> None:
    chain.tamper(path, change)
    with pytest.raises(family) as caught:
        ask(chain)
    assert caught.value.code == code
    assert nothing_came(chain)


def test_metadata_without_pkce_or_iss_are_those_of_no_server_to_trust(chain: HighChain) -> None:
    for member in ("code_challenge_methods_supported", "authorization_response_iss_parameter_supported"):
        chain.tampering.clear()
        chain.tamper(
            f"/.well-known/oauth-authorization-server/{HAIP}",
            lambda got, member=member: json_answer({k: v for k, v in got.json().items() if k != member}),  # type: ignore[misc]
        )
        with pytest.raises(VerificationFailed):
            ask(chain)
    assert chain.internet.requests("/par") == []


def test_a_deferred_answer_that_came_plain_is_not_taken(chain: HighChain) -> None:  # VCI-ENC-4
    chain.submit(STRICT, hold=True)
    issuer = chain.deployment.credential_issuer(STRICT)
    receiver = chain.receiver()
    (pending,) = receiver.request(issuer, chain.configurations(STRICT)[:1]).pending
    chain.let_pass(seconds=pending.interval)
    chain.tamper("/deferred", refusing({"transaction_id": pending.transaction_id, "interval": 1}, 202))
    with pytest.raises(VerificationFailed, match="response_plain"):
        receiver.collect(pending.number)
    assert [one.number for one in chain.wallet.store.contents().pending] == [pending.number]


# --- signed metadata


def resigned(chain: HighChain, authority: Authority, *, subject: str | None = None, **changes: Any) -> Change:
    """The issuer's metadata signed by somebody under `authority`, with changes."""
    signer = authority.leaf(subject={"C": "FR", "O": "CNAM (test)", "organizationIdentifier": subject or "NTRFR-TEST2", "CN": "x"})

    def change(got: httpx2.Response) -> httpx2.Response:
        claims = signed_metadata.verify(
            got.text, credential_issuer=chain.deployment.credential_issuer(HAIP), now=chain.world.now, judge=lambda _: None
        )
        document = {name: value for name, value in claims.items() if name not in ("sub", "iat", "exp")}
        made = signed_metadata.sign(
            {**document, **changes}, signer, now=chain.world.now, expires=chain.world.now + timedelta(days=1)
        )
        return httpx2.Response(200, content=made.encode(), headers={"content-type": "application/jwt"})

    return change


def signed_note(chain: HighChain) -> list[bool]:
    return [note["signed"] for note in chain.wallet.notes() if note["what"] == "issuer metadata"]


def test_signed_metadata_are_preferred_and_verified(chain: HighChain) -> None:  # VCI-META-19
    ask(chain)
    assert signed_note(chain)[-1] is True
    ask(chain, access=())
    assert signed_note(chain)[-1] is False  # nobody is known who could be believed: then the plain ones


def test_an_untrusted_signature_is_no_reason_to_take_plain_ones(chain: HighChain) -> None:  # VCI-META-21
    done = chain.tamper(METADATA, resigned(chain, root("Somebody's CA")))
    with pytest.raises(VerificationFailed, match="path_unknown_issuer"):
        chain.receiver().request(chain.deployment.credential_issuer(HAIP))
    assert done.done == 1  # and it is not asked a second time
    assert chain.internet.requests("/par") == []


def test_an_altered_signature_neither(chain: HighChain) -> None:
    def altered(got: httpx2.Response) -> httpx2.Response:
        return httpx2.Response(200, content=got.content[:-8] + b"AAAAAAAA", headers={"content-type": "application/jwt"})

    chain.tamper(METADATA, altered)
    with pytest.raises(VerificationFailed):
        chain.receiver().request(chain.deployment.credential_issuer(HAIP))
    assert chain.internet.requests("/par") == []


def test_an_unsigned_wallet_takes_no_jwt_it_did_not_ask_for(chain: HighChain) -> None:
    chain.tamper(METADATA, lambda _: httpx2.Response(200, content=b"e30.e30.", headers={"content-type": "application/jwt"}))
    with pytest.raises(Unreachable, match="content_type"):
        chain.receiver(access=()).request(chain.deployment.credential_issuer(HAIP))


# --- registration certificate (EAA-I-3)

REGISTRAR, NOBODY = root("Test registrar"), root("Nobody's registrar")


def registration(chain: HighChain, *, by: Authority = REGISTRAR, **changes: Any) -> str:
    provided = tuple(
        ProvidedAttestation(format=one.format, type_ids=(one.type_id,))
        for one in catalogue.CONFIGURATIONS.values()
        if one.document_type == "ehic"
    )
    values: dict[str, Any] = {
        "sub": "NTRFR-TEST2", "name": "CNAM (test)", "legal_name": "CNAM (test)", "country": "FR",
        "registry_uri": "https://registrar.test", "service_description": {"en": "EHIC"}, "entitlements": (PUB_EAA_PROVIDER,),
        "provides_attestations": provided, "privacy_policy": "https://issuer.test/privacy", "info_uri": "https://issuer.test",
        "support_uri": "https://issuer.test/support", "supervisory_authority": {"uri": "https://authority.test"},
        "certificate_policy": "https://registrar.test/policy",
    }  # fmt: skip
    ends, claims = changes.pop("expires", chain.world.now + timedelta(days=100)), changes.pop("claims", {})
    begins = ends - timedelta(days=100)
    signer = by.leaf(subject={"C": "FR", "O": "Registrar (test)", "CN": "Registrar"})
    made = registration_certificate.create(signer, Registration(**{**values, **changes}), now=begins, expires=ends)
    unverified = jws.parse(made)
    bent = {name: value for name, value in {**unverified.claims(), **claims}.items() if value is not None}
    return jws.sign(unverified.header, json.dumps(bent), signer)


def showing(chain: HighChain, certificate: str, **how: Any) -> None:
    info = [registration_certificate.element(certificate, **how)]
    chain.tamper(METADATA, resigned(chain, chain.deployment.authority, issuer_info=info))


@pytest.mark.parametrize("encoded", [False, True])
def test_a_registered_issuer_is_asked(chain: HighChain, encoded: bool) -> None:
    names = chain.configurations(HAIP)[:1]
    showing(chain, registration(chain), encoded=encoded)
    issuer = chain.deployment.credential_issuer(HAIP)
    assert chain.receiver(registrars=(REGISTRAR.certificate,)).request(issuer, names).holdings
    assert [note for note in chain.wallet.notes() if note["what"] == "registration"][-1]["checked"] is True


UNREGISTERED: list[tuple[str, dict[str, Any], str]] = [
    ("nobody's", {"by": NOBODY}, "path_unknown_issuer"),
    ("other organisation", {"sub": "NTRFR-TEST1"}, "registration_subject"),
    ("no provider", {"claims": {"entitlements": [SERVICE_PROVIDER], "provides_attestations": None}}, "registration_entitlement"),
    ("other type", {"provides_attestations": (ProvidedAttestation(format="mso_mdoc", type_ids=("x.1",)),)}, "registration_type"),
    ("over", {"expires": timedelta(days=-1)}, "registration_time"),
]


@pytest.mark.parametrize(("changes", "code"), [row[1:] for row in UNREGISTERED], ids=[row[0] for row in UNREGISTERED])
def test_an_issuer_whose_registration_is_not_in_order_is_not_asked(chain: HighChain, changes: dict[str, Any], code: str) -> None:
    if isinstance(changes.get("expires"), timedelta):
        changes = {**changes, "expires": chain.world.now + changes["expires"]}
    names, warned = chain.configurations(HAIP)[:1], list[str]()
    showing(chain, registration(chain, **changes))
    with pytest.raises(VerificationFailed) as caught:
        chain.receiver(registrars=(REGISTRAR.certificate,), warn=warned.append).request(
            chain.deployment.credential_issuer(HAIP), names
        )
    assert caught.value.code == code
    assert "nothing is requested" in warned[0]
    assert chain.internet.requests("/par") == []
    assert nothing_came(chain)


def test_a_registration_in_plain_metadata_is_of_nobody(chain: HighChain) -> None:
    names, certificate = chain.configurations(HAIP)[:1], registration(chain)
    info = [registration_certificate.element(certificate)]
    chain.tamper(METADATA, lambda got: json_answer({**got.json(), "issuer_info": info}))
    with pytest.raises(VerificationFailed, match="registration_unsigned"):
        chain.receiver(access=(), registrars=(REGISTRAR.certificate,)).request(chain.deployment.credential_issuer(HAIP), names)


@pytest.mark.parametrize("registrars", [(), (REGISTRAR.certificate,)])
def test_what_was_not_looked_at_is_said(chain: HighChain, registrars: tuple[Any, ...]) -> None:
    warned = list[str]()
    ask(chain, registrars=registrars, warn=warned.append)
    assert "was not checked" in warned[0]


def test_a_registration_certificate_that_is_no_token_stops_it(chain: HighChain) -> None:
    info = [{"format": "registration_cert", "data": base64url.encode(b"nothing")}]
    chain.tamper(METADATA, resigned(chain, chain.deployment.authority, issuer_info=info))
    with pytest.raises(Malformed, match="metadata"):
        chain.receiver(registrars=(REGISTRAR.certificate,)).request(chain.deployment.credential_issuer(HAIP))


# --- the provider of the wallet


@pytest.mark.parametrize("value", [1, 2])
def test_a_wallet_whose_provider_took_back_its_word_gets_nothing(chain: HighChain, value: int) -> None:  # EAA-I-8
    chain.provider.values[9] = value
    provider = chain.voucher(status=chain.provider.status(9))
    chain.let_pass(minutes=10)  # whatever the issuer knew of the list is over
    names = chain.configurations(HAIP)[:1]
    with pytest.raises(Refused, match="invalid_client"):
        chain.receiver(Identity(provider=provider)).request(chain.deployment.credential_issuer(HAIP), names)
    assert nothing_came(chain)
