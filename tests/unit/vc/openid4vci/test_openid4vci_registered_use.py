"""What a relying party is registered for, and what of a request goes beyond it: VP-VI-2, EAA-P-3, TS 119 475 §5.2."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support.pki import NOW, root
from vc.errors import Malformed, VerificationFailed
from vc.jose import jws
from vc.openid4vci import registered_use
from vc.openid4vci import registration_certificate as registration
from vc.openid4vci.registered_use import Excess, RequestedCredential
from vc.openid4vci.registration_certificate import SERVICE_PROVIDER, Registration

SIGNER = root("Registrar CA").leaf()
A1 = RequestedCredential(format="dc+sd-jwt", type_ids=("urn:a1:1", "urn:a1:2"), claims=(("number",), ("work", None, "place")))
CARD = RequestedCredential(format="mso_mdoc", type_ids=("org.card.1",), claims=(("org.card.1", "number"),))
REGISTRATION = Registration(
    sub="NTRDE-TEST-1",
    name="Inspection (test)",
    legal_name="Inspection (test)",
    country="DE",
    registry_uri="https://registry.test",
    service_description={"en": "Inspections"},
    entitlements=(SERVICE_PROVIDER,),
    privacy_policy="https://inspection.test/privacy",
    info_uri="https://inspection.test",
    support_uri="https://inspection.test/support",
    supervisory_authority={"email": "authority@supervisor.test"},
    certificate_policy="https://registry.test/policy",
    credentials=(A1, CARD),
    purpose={"en": "To see where people are insured", "de": "Wo jemand versichert ist"},
    intended_use_id="use-1",
)
MADE = registration.create(SIGNER, REGISTRATION, now=NOW, expires=NOW + timedelta(days=90))


def read(text: str = MADE) -> registration.RegistrationCertificate:
    return registration.verify(text, now=NOW, judge=lambda _: None)


def test_what_a_registrar_states_a_wallet_reads() -> None:
    claims = jws.parse(MADE).claims()
    assert claims["credentials"] == [
        {
            "format": "dc+sd-jwt",
            "meta": {"vct_values": ["urn:a1:1", "urn:a1:2"]},
            "claim": [{"path": ["number"]}, {"path": ["work", None, "place"]}],
        },
        {"format": "mso_mdoc", "meta": {"doctype_value": "org.card.1"}, "claim": [{"path": ["org.card.1", "number"]}]},
    ]
    assert claims["purpose"] == [
        {"lang": "en", "value": "To see where people are insured"},
        {"lang": "de", "value": "Wo jemand versichert ist"},
    ]
    assert "provides_attestations" not in claims
    assert (read().credentials, read().intended_use_id) == ((A1, CARD), "use-1")


def test_what_is_not_stated_is_not_written() -> None:
    bare = replace(REGISTRATION, credentials=(), purpose={}, intended_use_id=None)
    claims = jws.parse(registration.create(SIGNER, bare, now=NOW, expires=NOW + timedelta(days=9))).claims()
    assert not {"credentials", "purpose", "intended_use_id"} & claims.keys()
    without = replace(REGISTRATION, credentials=(replace(CARD, claims=()),))
    claims = jws.parse(registration.create(SIGNER, without, now=NOW, expires=NOW + timedelta(days=9))).claims()
    assert claims["credentials"] == [{"format": "mso_mdoc", "meta": {"doctype_value": "org.card.1"}}]


def test_claims_are_read_under_either_name() -> None:
    entry = {"format": "mso_mdoc", "meta": {"doctype_value": "d"}}
    path = [{"path": ["d", "e"]}]
    for member in ("claim", "claims"):
        (found,) = registered_use.parse([{**entry, member: path}], "registration", "")
        assert found.claims == (("d", "e"),)


ENTRY = {"format": "dc+sd-jwt", "meta": {"vct_values": ["urn:a1:1"]}}


@pytest.mark.parametrize(
    ("entries", "pointer"),
    [
        pytest.param([{}] * 201, "", id="too many"),
        pytest.param(["x"], "/0", id="no object"),
        pytest.param([{"meta": {}}], "/0/format", id="no format"),
        pytest.param([ENTRY, {"format": "x"}], "/1/meta", id="no meta, in the last"),
        pytest.param([{**ENTRY, "claim": {}}], "/0/claim", id="claims no array"),
        pytest.param([{**ENTRY, "claim": ["x"]}], "/0/claim/0", id="a claim no object"),
        pytest.param([{**ENTRY, "claims": [{"path": ["a"]}, {}]}], "/0/claims/1/path", id="no path, in the last"),
        pytest.param([{**ENTRY, "claim": [{"path": ["a"]}] * 501}], "/0/claim", id="too many claims"),
    ],
)
def test_what_cannot_be_read_is_named(entries: list[Any], pointer: str) -> None:
    with pytest.raises(Malformed) as caught:
        registered_use.parse(entries, "registration", "")
    assert caught.value.pointer == pointer


def asked(*claims: Any, types: tuple[str, ...] = ("urn:a1:1",), format: str = "dc+sd-jwt") -> RequestedCredential:
    return RequestedCredential(format=format, type_ids=types, claims=claims)


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        pytest.param(asked(), [], id="nothing selective"),
        pytest.param(asked(("number",), types=("urn:a1:1", "urn:a1:2")), [], id="a registered claim of both types"),
        pytest.param(asked(("number", "issuer")), [], id="below a registered claim"),
        pytest.param(asked(("work", None, "place")), [], id="every index"),
        pytest.param(asked(("work", 3, "place")), [], id="one index"),
        pytest.param(asked(("work", "x", "place")), [("work", "x", "place")], id="a name where an index is registered"),
        pytest.param(asked(("work",)), [("work",)], id="above a registered claim"),
        pytest.param(asked(("number",), ("name",)), [("name",)], id="one claim too many, the last"),
        pytest.param(asked(("number",), types=("urn:a1:1", "urn:other")), [None], id="one type too many, the last"),
        pytest.param(asked(("number",), types=()), [None], id="any type"),
        pytest.param(asked(("number",), format="mso_mdoc"), [None], id="another format"),
        pytest.param(asked(("org.card.1", "name"), types=("org.card.1",), format="mso_mdoc"), [("org.card.1", "name")], id="mdoc"),
    ],
)
def test_what_goes_beyond_the_registration(request_: RequestedCredential, found: list[Any]) -> None:
    assert registered_use.excess((A1, CARD), (request_,)) == tuple(Excess(index=0, path=path) for path in found)
    assert registered_use.excess((A1, CARD), (asked(), request_)) == tuple(Excess(index=1, path=path) for path in found)
    if found:
        with pytest.raises(VerificationFailed) as caught:
            registration.check_request(read(), organization_identifier="NTRDE-TEST-1", asked=(asked(), request_))
        assert caught.value.code == "registration_overasking"
    else:
        registration.check_request(read(), organization_identifier="NTRDE-TEST-1", asked=(request_,))


def test_a_claim_must_be_registered_for_every_type_that_may_answer() -> None:
    one = RequestedCredential(format="dc+sd-jwt", type_ids=("urn:a1:1",), claims=(("number",),))
    other = RequestedCredential(format="dc+sd-jwt", type_ids=("urn:a1:2",), claims=(("name",),))
    request = asked(("number",), types=("urn:a1:1", "urn:a1:2"))
    assert registered_use.excess((one, other), (request,)) == (Excess(index=0, path=("number",)),)
    assert registered_use.excess((one, replace(one, type_ids=("urn:a1:2",))), (request,)) == ()


@pytest.mark.parametrize("organisation", ["NTRDE-TEST-2", None])
def test_the_registration_of_another_is_none(organisation: str | None) -> None:
    with pytest.raises(VerificationFailed) as caught:
        registration.check_request(read(), organization_identifier=organisation, asked=())
    assert caught.value.code == "registration_subject"
