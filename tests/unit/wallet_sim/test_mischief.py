"""Misbehaviours: each breaks what it says, and says so when it has no place (SECURITY W-6)."""

import ast
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.support.pki import NOW, Authority, holder, root
from vc import formats
from vc.encoding import base64url, cbor, json
from vc.errors import Malformed, Refused, VcError
from vc.formats import Challenge
from vc.keys.jwk import from_public
from vc.keys.signer import LocalSigner
from vc.mdoc import issue as mdoc
from vc.sdjwt import issue as sd_jwt
from vc.x509.certificate import public_key
from wallet_sim import mischief
from wallet_sim.holdings import Copy, Holding
from wallet_sim.present import open_copy
from wallet_sim.seams import Part

CHALLENGE = Challenge(nonce="n" * 22, audience="x509_hash:abc", response_uri="https://verifier.example/r")
HIDDEN = {"family_name": "Doe", "age": 42, "places": ["Lille", "Mons"]}


@pytest.fixture(scope="module")
def authority() -> Authority:
    return root()


_salts = count(1)


def salt(length: int) -> bytes:
    """Different octets each time, without chance."""
    return next(_salts).to_bytes(length, "big")


def sd_jwt_part(authority: Authority, claims: dict[str, Any], disclose: set[tuple[Any, ...]]) -> Part:
    """A part of an SD-JWT VC whose `claims` are all hidden."""
    signer, mine = authority.leaf(), holder()
    payload = {"vct": "urn:test", "cnf": {"jwk": from_public(mine.public_key)}, **claims}
    prepared = sd_jwt.prepare(payload, disclosable=[(name,) for name in claims], header={"typ": "dc+sd-jwt"}, random_bytes=salt)
    return part("dc+sd-jwt", sd_jwt.sign(prepared, signer), mine, disclose)


def mdoc_part(authority: Authority, elements: dict[str, Any], disclose: set[tuple[Any, ...]]) -> Part:
    """A part of an mdoc with these elements in namespace `ns`."""
    signer, mine = authority.leaf(), holder()
    prepared = mdoc.prepare(
        {"ns": elements},
        doctype="urn:test.1",
        device_key=mine.public_key,
        signed=NOW,
        valid_from=NOW,
        valid_until=NOW + timedelta(days=1),
        status=None,
        random_bytes=salt,
        protected=None,
    )
    return part("mso_mdoc", base64url.encode(mdoc.sign(prepared, signer)), mine, disclose)


def part(format: str, held: str, mine: LocalSigner, disclose: set[tuple[Any, ...]]) -> Part:
    return Part(format=format, held=held, holder=mine, disclose=frozenset(disclose), challenge=CHALLENGE, now=NOW)


def judged(made: Part, presentation: str) -> str:
    """`accepted`, or the code of the first check that fails."""
    try:
        unverified = formats.parse_presented(made.format, presentation)
        credential = unverified.verify_issuer(public_key(unverified.chain[0]))
        credential.verify_holder(CHALLENGE, now=NOW)
    except VcError as error:
        return error.code
    return "accepted"


def act(name: str, made: Part) -> str:
    return mischief.presenting(name).seams.present(made)


def test_the_honest_ones_of_this_table_are_accepted(authority: Authority) -> None:
    for made in (sd_jwt_part(authority, HIDDEN, {("family_name",)}), mdoc_part(authority, HIDDEN, {("ns", "family_name")})):
        assert judged(made, act("unasked-claim", made)) == "accepted"
        assert judged(made, mischief.PRESENTING["double-post"].seams.present(made)) == "accepted"


def test_unasked_claims_show_everything(authority: Authority) -> None:
    for made in (sd_jwt_part(authority, HIDDEN, set()), mdoc_part(authority, HIDDEN, set())):
        unverified = formats.parse_presented(made.format, act("unasked-claim", made))
        claims = unverified.verify_issuer(public_key(unverified.chain[0])).claims
        assert HIDDEN.items() <= claims.get("ns", claims).items()


BINDINGS = [
    (name, format) for name, row in mischief.PRESENTING.items() for format in row.seams.formats if "holder_binding" in row.expected
]


@pytest.mark.parametrize(("name", "format"), BINDINGS)
def test_each_broken_binding_is_refused(authority: Authority, name: str, format: str) -> None:
    make = sd_jwt_part if format == "dc+sd-jwt" else mdoc_part
    made = make(authority, HIDDEN, {("family_name",) if format == "dc+sd-jwt" else ("ns", "family_name")})
    assert judged(made, act(name, made)) != "accepted"


def test_a_replay_sends_what_was_sent_before(authority: Authority) -> None:
    made = sd_jwt_part(authority, HIDDEN, {("family_name",)})
    assert act("replay", replace(made, last="what was sent")) == "what was sent"


def test_altered_disclosures_skip_what_is_no_text(authority: Authority) -> None:
    made = sd_jwt_part(authority, HIDDEN, {("age",), ("family_name",)})
    presentation = act("altered-disclosure", made)
    assert base64url.encode(b"altered by holder") in str([base64url.decode(text) for text in presentation.split("~")[1:-1]])
    assert judged(made, presentation) != "accepted"


def test_altered_items_skip_what_is_hidden_or_no_text(authority: Authority) -> None:
    made = mdoc_part(authority, {"age": 42, "birth_place": "Mons", "family_name": "Doe"}, {("ns", "age"), ("ns", "family_name")})
    presentation = act("altered-mdoc-item", made)
    items = cbor.loads(base64url.decode(presentation))["documents"][0]["issuerSigned"]["nameSpaces"]["ns"]
    values = {cbor.loads(item.value)["elementIdentifier"]: cbor.loads(item.value)["elementValue"] for item in items}
    assert values == {"age": 42, "family_name": "Doe (altered)"}
    assert judged(made, presentation) != "accepted"


def test_two_documents_are_two(authority: Authority) -> None:
    made = mdoc_part(authority, HIDDEN, {("ns", "age")})
    assert judged(made, act("two-documents", made)) == "mdoc_documents"


def test_a_missing_claim_takes_everything_within_it_along(authority: Authority) -> None:
    made = sd_jwt_part(authority, HIDDEN, {("places", 0), ("places", 1), ("age",)})
    unverified = formats.parse_presented("dc+sd-jwt", act("missing-claim", made))
    claims = unverified.verify_issuer(public_key(unverified.chain[0])).claims
    assert "age" not in claims
    assert claims["places"] == HIDDEN["places"]


NOWHERE: list[tuple[str, str, dict[str, Any], set[tuple[Any, ...]]]] = [
    ("altered-disclosure", "dc+sd-jwt", {"age": 42}, {("age",)}),
    ("altered-disclosure", "dc+sd-jwt", HIDDEN, set()),
    ("extra-disclosure", "dc+sd-jwt", {"age": 42}, {("age",)}),
    ("missing-claim", "dc+sd-jwt", HIDDEN, set()),
    ("missing-claim", "mso_mdoc", HIDDEN, set()),
    ("altered-mdoc-item", "mso_mdoc", {"age": 42}, {("ns", "age")}),
    ("altered-mdoc-item", "mso_mdoc", HIDDEN, set()),
]


@pytest.mark.parametrize(("name", "format", "claims", "disclose"), NOWHERE)
def test_a_misbehaviour_without_a_place_says_so(
    authority: Authority, name: str, format: str, claims: dict[str, Any], disclose: set[tuple[Any, ...]]
) -> None:
    made = (sd_jwt_part if format == "dc+sd-jwt" else mdoc_part)(authority, claims, disclose)
    with pytest.raises(Refused, match="mischief_not_applicable"):
        act(name, made)


def test_the_envelope_too() -> None:
    with pytest.raises(Refused, match="mischief_not_applicable"):
        mischief.presenting("wrong-state").seams.state(None)
    for name in ("unencrypted", "foreign-request-key"):
        with pytest.raises(Refused, match="mischief_not_applicable"):
            mischief.presenting(name).seams.target(None)


def test_rows_are_complete_and_named_once() -> None:
    rows: list[Any] = [*mischief.PRESENTING.values(), *mischief.RECEIVING.values()]
    assert len({row.name for row in rows}) == len(rows)
    assert all(row.name == row.name.lower() and row.breaks and row.rule and row.expected for row in rows)


def test_the_core_knows_no_mischief() -> None:  # SECURITY W-6
    package = Path(__file__).parents[3] / "vc"
    for path in package.rglob("*.py"):
        imported = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)]
        assert not any((node.module or "").startswith("wallet_sim") for node in imported), path


def test_guesses_never_include_the_right_code() -> None:
    guesses = mischief.receiving("tx-code-guessing").seams.tx_codes("000002")
    assert guesses[-1] == "000002"
    assert len(guesses) == 6
    assert len(set(guesses)) == 6


def test_a_stored_credential_without_certificate_is_not_opened(authority: Authority) -> None:
    mine = holder()
    prepared = sd_jwt.prepare(
        {"vct": "urn:test", "cnf": {"jwk": from_public(mine.public_key)}},
        disclosable=[],
        header={"typ": "dc+sd-jwt"},
        random_bytes=salt,
    )
    text = sd_jwt.sign(prepared, LocalSigner(authority.key))
    held = Holding(
        number=1, format="dc+sd-jwt", type_id="urn:test", configuration_id="c", issuer="i", received=NOW,
        copies=(Copy(credential=text, key=mine.private_key),),
    )  # fmt: skip
    assert "x5c" not in json.loads_object(base64url.decode(text.split(".")[0]))
    with pytest.raises(Malformed, match="x5c"):
        open_copy(held, 0)
