"""Acceptance of lists (TRUST 7.2 rule 2, TRUST 8 tests, SECURITY T-1 … T-4, T-11). Each refusal has its control: `accepts`."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.support.pki import NOW
from tests.support.trust import Institution, ListOperator, pinned
from trust_list import model
from trust_list.accept import JUMP, AcceptedList, accept
from trust_list.jades import FUTURE, MAX_JWS
from trust_list.root import TrustRoot
from vc.encoding import base64url, json
from vc.errors import VcError
from vc.jose.jws import x5c
from vc.x509.certificate import sha256

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def good(operator: ListOperator, urssaf: Institution) -> model.LoTE:
    return operator.lote(urssaf.draft())


def take(token: bytes, root: TrustRoot, *, state: Any = None, now: Any = NOW, list_id: str = "pub-eaa") -> AcceptedList:
    return accept(list_id, token, root=root, state=state, now=now)


def refused(token: bytes, root: TrustRoot, **how: Any) -> str:
    with pytest.raises(VcError) as caught:
        take(token, root, **how)
    return caught.value.code


def test_accepts_a_good_list_and_keeps_its_bytes(operator: ListOperator, good: model.LoTE) -> None:
    token = operator.seal(good)
    accepted = take(token, operator.root())
    assert (accepted.list_id, accepted.sequence, accepted.issued_at) == ("pub-eaa", 1, NOW)
    assert accepted.next_update == NOW + 30 * DAY
    assert accepted.jws == token
    assert accepted.signed_at == NOW
    assert accepted.notes == ()
    assert accepted.findings == ()
    assert [entity.name for entity in accepted.lote.entities] == ["Urssaf-like (test)"]


def test_accepts_a_trailing_newline_in_the_file(operator: ListOperator, good: model.LoTE) -> None:
    assert take(operator.seal(good) + b"\n", operator.root()).sequence == 1


@pytest.mark.parametrize(("list_id", "annex"), [("pid", "D"), ("wallet", "E")])
def test_accepts_an_empty_list_of_the_other_types(operator: ListOperator, list_id: str, annex: str) -> None:
    accepted = take(operator.seal(operator.lote(list_id=list_id)), operator.root(), list_id=list_id)
    assert accepted.lote.entities == ()  # T-11: nothing trusted


# --- root ---


def test_refuses_under_an_expired_root(operator: ListOperator, good: model.LoTE) -> None:
    root, token = operator.root(), operator.seal(good)
    late = TrustRoot(version=1, expires=NOW, lists=root.lists)
    assert take(token, late).sequence == 1
    assert refused(token, late, now=NOW + timedelta(seconds=1)) == "root_expired"


def test_refuses_a_list_the_root_does_not_name(operator: ListOperator, good: model.LoTE) -> None:
    root = operator.root()
    without = TrustRoot(version=1, expires=root.expires, lists=root.lists[1:])
    assert refused(operator.seal(good), without) == "list_not_in_root"


# --- seal: signer (T-1) ---


def test_refuses_a_signer_that_is_not_pinned(operator: ListOperator, good: model.LoTE) -> None:
    other = operator.new_signer()  # right subject, other key
    assert refused(operator.seal(good, signer=other), operator.root()) == "list_signer_unpinned"


def test_refuses_the_signer_of_another_list_type(operator: ListOperator, good: model.LoTE) -> None:
    pid_signer = operator.new_signer()
    root = operator.root(pid=pid_signer)
    assert refused(operator.seal(good, signer=pid_signer), root) == "list_signer_unpinned"


def test_accepts_either_of_two_pinned_signers(operator: ListOperator, good: model.LoTE) -> None:
    second = operator.new_signer()
    root = pinned(operator.root(), "pub-eaa", operator.signer.chain[0], second.chain[0])
    assert take(operator.seal(good), root).signer == operator.signer.chain[0]
    assert take(operator.seal(good, signer=second), root).signer == second.chain[0]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"not_after": NOW - timedelta(seconds=1)}, "list_signer_expired"),
        ({"not_before": NOW + timedelta(seconds=1)}, "list_signer_expired"),
        ({"usages": ("key_agreement",)}, "cert_key_usage"),
        ({"ca": True, "usages": ("digital_signature", "key_cert_sign")}, "cert_is_ca"),
        ({"subject": {"C": "FR", "O": "List Operator (test)", "CN": "x"}}, "list_findings"),
        ({"subject": {"C": "EU", "O": "Somebody else", "CN": "x"}}, "list_findings"),
    ],
)
def test_refuses_a_pinned_signer_that_may_not_seal(
    operator: ListOperator, good: model.LoTE, changes: dict[str, Any], code: str
) -> None:
    signer = operator.new_signer(**changes)
    assert refused(operator.seal(good, signer=signer), operator.root(pub_eaa=signer)) == code


def test_refuses_a_seal_under_the_name_of_the_pinned_certificate(operator: ListOperator, good: model.LoTE) -> None:
    thief = operator.new_signer()
    proper = operator.signer.chain[0]
    header = {"x5c": x5c((proper,)), "x5t#S256": base64url.encode(sha256(proper))}
    assert refused(operator.seal_changed(good, header=header, signer=thief), operator.root()) == "signature"


# --- seal: header matrix ---


@pytest.mark.parametrize(
    ("header", "drop", "notes"),
    [
        ({}, (), ()),
        ({}, ("typ",), ()),
        ({"typ": "JAdES"}, (), ("typ is not JOSE",)),
        ({"typ": "JWT"}, (), ("typ is not JOSE",)),
        ({"typ": "trustlist+jwt"}, (), ("typ is not JOSE",)),
        ({"cty": "json"}, (), ()),
        ({}, ("x5t#S256",), ()),
        ({}, ("iat",), ("iat is missing",)),
        ({"sigT": "2026-11-24T12:00:00Z"}, ("iat",), ("sigT is given, which new seals may not carry", "iat is missing")),
        (
            {"sigT": "2026-11-24T12:00:00Z", "crit": ["sigT"]},
            ("iat",),
            ("sigT is given, which new seals may not carry", "iat is missing"),
        ),
    ],
)
def test_tolerates_and_notes(
    operator: ListOperator, good: model.LoTE, header: dict[str, Any], drop: tuple[str, ...], notes: tuple[str, ...]
) -> None:
    accepted = take(operator.seal_changed(good, header=header, drop=drop), operator.root())
    assert accepted.notes == notes
    assert (accepted.signed_at is None) == ("iat" in drop and "sigT" not in header)


@pytest.mark.parametrize(
    ("header", "drop", "code"),
    [
        ({"typ": "vp+jwt"}, (), "jades_typ"),
        ({"typ": 7}, (), "jades_typ"),
        ({"crit": ["b64"], "b64": True}, (), "jades_crit"),
        ({"crit": ["iat"]}, (), "jades_crit"),
        ({"crit": ["sigT"]}, (), "jades_crit"),  # named but not there
        ({"crit": []}, (), "jades_crit"),
        ({"crit": "sigT", "sigT": "2026-11-24T12:00:00Z"}, (), "jades_crit"),
        ({"x5t": "c2hhMQ"}, (), "jades_x5t"),
        ({"b64": False}, (), "jades_detached"),
        ({"sigD": {"mId": "http://uri.etsi.org/19182/ObjectIdByURI"}}, (), "jades_detached"),
        ({"iat": "1795392000"}, (), "jades_header"),
        ({"iat": 1.5}, (), "jades_header"),
        ({"iat": True}, (), "jades_header"),
        ({"iat": -1}, (), "numeric_date"),
        ({"sigT": "yesterday"}, (), "jades_header"),
        ({"sigT": 5}, (), "jades_header"),
        ({"sigT": "2027-11-24T12:00:00Z"}, ("iat",), "signed_in_future"),
        ({"x5t#S256": 5}, (), "jades_header"),
        ({"x5t#S256": "AAAA"}, (), "list_signer_mismatch"),
        ({"x5t#S256": "=="}, (), "base64url"),
        ({"x5c": []}, (), "x5c"),
        ({"x5c": ["!"]}, (), "x5c"),
        ({"x5c": ["AAAA"]}, (), "certificate"),
        ({}, ("x5c",), "list_signer_unknown"),  # only a digest, and the certificate is not at hand
        ({"x5t#S256": "AAAA"}, ("x5c",), "list_signer_unpinned"),
        ({"x5t#o": {"digAlg": "S512", "digVal": "AAAA"}}, ("x5c", "x5t#S256"), "list_signer_unknown"),
    ],
)
def test_refuses_the_header(
    operator: ListOperator, good: model.LoTE, header: dict[str, Any], drop: tuple[str, ...], code: str
) -> None:
    assert refused(operator.seal_changed(good, header=header, drop=drop), operator.root()) == code


def test_accepts_a_digest_alone_when_the_root_holds_the_certificate(operator: ListOperator, good: model.LoTE) -> None:
    token = operator.seal_changed(good, drop=("x5c",))
    root = pinned(operator.root(), "pub-eaa", operator.signer.chain[0], known=True)
    assert take(token, TrustRoot.load(root.render())).sequence == 1


@pytest.mark.parametrize("alg", ["none", "HS256", "ES384", "RS256", None, 7])
def test_refuses_another_algorithm(operator: ListOperator, good: model.LoTE, alg: Any) -> None:
    head, payload, signature = operator.seal(good).decode().split(".")
    header = {**json.loads_object(base64url.decode(head)), "alg": alg}
    token = f"{base64url.encode(json.dumps(header))}.{payload}.{signature}".encode()
    assert refused(token, operator.root()) == "jades_alg"


def test_refuses_a_tampered_payload(operator: ListOperator, good: model.LoTE) -> None:
    head, _, signature = operator.seal(good).decode().split(".")
    changed = model.render(good).replace(b"NTRFR-000000010", b"NTRFR-000000011")
    assert refused(f"{head}.{base64url.encode(changed)}.{signature}".encode(), operator.root()) == "signature"


@pytest.mark.parametrize(
    ("ahead", "code"), [(FUTURE, None), (FUTURE + timedelta(seconds=1), "signed_in_future")], ids=["edge", "beyond"]
)
def test_signing_time_ahead_of_our_clock(operator: ListOperator, good: model.LoTE, ahead: timedelta, code: str | None) -> None:
    token = operator.seal_changed(good, header={"iat": int((NOW + ahead).timestamp())})
    if code is None:
        assert take(token, operator.root()).signed_at == NOW + ahead
    else:
        assert refused(token, operator.root()) == code


# --- form (T-4) ---


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (b"", "jws"),
        (b"a.b", "jws"),
        (b"\xff\xfe", "jws"),
        (b'{"payload":"e30","signatures":[]}', "jws"),
        (b"e30.e30.", "list_signer_unknown"),
        (b"e30..e30", "jades_detached"),
        (b"A" * (MAX_JWS + 1), "too_large"),
    ],
)
def test_refuses_what_is_no_sealed_list(operator: ListOperator, token: bytes, code: str) -> None:
    assert refused(token, operator.root()) == code


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b'{"LoTE":{},"LoTE":{}}', "json_duplicate_member"),
        (b"[" * 10_000 + b"]" * 10_000, "json_depth"),
        (b'{"LoTE":' + b"[" * 40 + b"]" * 40 + b"}", "json_depth"),
        (b"[]", "json_object"),
        (b"{}", "lote_structure"),
        (b'{"LoTE":{}}', "lote_structure"),
        (b'{"LoTE":{"ListAndSchemeInformation":NaN}}', "json"),
        (b"\xef\xbb\xbf{}", "json"),
        (b'{"LoTE": "' + b"x" * model.MAX_LIST + b'"}', "too_large"),
    ],
)
def test_refuses_a_signed_payload_that_is_no_list(operator: ListOperator, payload: bytes, code: str) -> None:
    assert refused(operator.seal_bytes(payload), operator.root()) == code


def _set(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value

    return change


def _drop(*path: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        del document[path[-1]]

    return change


SCHEME, ENTITY = "ListAndSchemeInformation", ("TrustedEntitiesList", 0)
SERVICE = (*ENTITY, "TrustedEntityServices", 0, "ServiceInformation")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_set(SCHEME, "NextUpdate", value=None), "lote_closed"),
        (_drop(SCHEME, "NextUpdate"), "lote_structure"),
        (_set(SCHEME, "NextUpdate", value="2026-12-24T12:00:00"), "lote_structure"),  # T-3: no zone
        (_set(SCHEME, "NextUpdate", value="2026-12-24T13:00:00+01:00"), "lote_structure"),
        (_set(SCHEME, "NextUpdate", value="2026-12-24T12:00:00.0Z"), "lote_structure"),
        (_set(SCHEME, "NextUpdate", value="2026-12-24"), "lote_structure"),
        (_set(SCHEME, "LoTESequenceNumber", value="1"), "lote_structure"),
        (_set(SCHEME, "LoTESequenceNumber", value=1.0), "lote_structure"),
        (_set(SCHEME, "LoTESequenceNumber", value=True), "lote_structure"),
        (_set(SCHEME, "LoTESequenceNumber", value=0), "lote_structure"),
        (_set(SCHEME, "LoTESequenceNumber", value=2**53), "lote_structure"),
        (_set(SCHEME, "Surplus", value=1), "lote_structure"),
        (_set(*SERVICE, "ServiceTypeIdentifier", value="no uri"), "lote_structure"),
        (_set("TrustedEntitiesList", value=[]), "lote_structure"),
        (_set(*SERVICE, "ServiceDigitalIdentity", "PublicKeyValues", value=[{"kty": "no such"}]), "lote_schema"),
    ],
)
def test_refuses_a_list_out_of_form(operator: ListOperator, good: model.LoTE, change: Any, code: str) -> None:
    assert refused(operator.seal_changed(good, change), operator.root()) == code


# --- type and profile ---


def test_refuses_a_validly_signed_list_of_another_type(operator: ListOperator) -> None:
    pid = operator.seal(operator.lote(list_id="pid"))
    assert take(pid, operator.root(), list_id="pid").sequence == 1
    assert refused(pid, operator.root()) == "list_type"


def test_refuses_when_the_root_and_the_list_id_disagree(operator: ListOperator) -> None:
    root = operator.root()
    crossed = TrustRoot.load(root.render().replace(b"EUPubEAAProvidersList", b"EUPIDProvidersList", 1))
    assert refused(operator.seal(operator.lote(list_id="pid")), crossed) == "list_type"


def test_refuses_a_list_with_a_forbidding_finding(operator: ListOperator, good: model.LoTE) -> None:
    with pytest.raises(VcError) as caught:
        take(operator.seal_changed(good, _set(SCHEME, "SchemeTerritory", value="FR")), operator.root())
    assert caught.value.code == "list_findings"
    assert caught.value.pointer == "/ListAndSchemeInformation/SchemeTerritory"


def test_accepts_with_a_warning(operator: ListOperator, good: model.LoTE) -> None:
    change = _set(*SERVICE, "ServiceDigitalIdentity", "Surplus", value=1)
    accepted = take(operator.seal_changed(good, change), operator.root())
    assert [(finding.severity, finding.code) for finding in accepted.findings] == [("warning", "unknown_member")]


# --- dates (T-3) ---


@pytest.mark.parametrize(
    ("ahead", "code"), [(FUTURE, None), (FUTURE + timedelta(seconds=1), "issued_in_future")], ids=["edge", "beyond"]
)
def test_issue_time_ahead_of_our_clock(operator: ListOperator, urssaf: Institution, ahead: timedelta, code: str | None) -> None:
    token = operator.seal_changed(operator.lote(urssaf.draft(), issued=NOW + ahead), header={"iat": int(NOW.timestamp())})
    if code is None:
        assert take(token, operator.root()).issued_at == NOW + ahead
    else:
        assert refused(token, operator.root()) == code


def test_next_update_is_an_end_without_grace(operator: ListOperator, good: model.LoTE) -> None:
    token, end = operator.seal(good), NOW + 30 * DAY
    assert take(token, operator.root(), now=end - timedelta(seconds=1)).next_update == end
    assert refused(token, operator.root(), now=end) == "list_expired"


@pytest.mark.parametrize(
    ("end", "ok"), [("2027-05-24T12:00:00Z", True), ("2027-05-24T12:00:01Z", False), ("2026-11-24T12:00:00Z", False)]
)
def test_next_update_within_six_months(operator: ListOperator, good: model.LoTE, end: str, ok: bool) -> None:
    token = operator.seal_changed(good, _set(SCHEME, "NextUpdate", value=end))
    if ok:
        assert take(token, operator.root()).sequence == 1
    else:
        assert refused(token, operator.root()) == "list_findings"


# --- sequence (T-2) ---


def test_refuses_a_rollback(operator: ListOperator, urssaf: Institution) -> None:
    root = operator.root()
    newer = take(operator.seal(operator.lote(urssaf.draft(), sequence=5)), root)
    older = operator.seal(operator.lote(urssaf.draft(), sequence=4))
    assert take(older, root).sequence == 4
    assert refused(older, root, state=newer.state) == "sequence_rollback"


def test_refuses_other_content_under_the_same_number(operator: ListOperator, urssaf: Institution, cnam: Institution) -> None:
    root = operator.root()
    first = operator.seal(operator.lote(urssaf.draft(), sequence=5))
    accepted = take(first, root)
    assert take(first, root, state=accepted.state, now=NOW + DAY).sequence == 5
    assert take(operator.seal(accepted.lote), root, state=accepted.state).jws != first  # sealed again: other signature only
    other = operator.seal(operator.lote(cnam.draft(), sequence=5))
    assert refused(other, root, state=accepted.state) == "sequence_conflict"


def test_refuses_a_higher_number_issued_earlier(operator: ListOperator, urssaf: Institution) -> None:
    root = operator.root()
    accepted = take(operator.seal(operator.lote(urssaf.draft(), sequence=5)), root)
    earlier = operator.lote(urssaf.draft(), sequence=6, issued=NOW - timedelta(seconds=1))
    assert refused(operator.seal(earlier), root, state=accepted.state) == "issue_rollback"
    same_second = operator.lote(urssaf.draft(), sequence=6)
    assert take(operator.seal(same_second), root, state=accepted.state).sequence == 6


def test_notes_a_jump(operator: ListOperator, urssaf: Institution) -> None:
    root = operator.root()
    state = take(operator.seal(operator.lote(urssaf.draft(), sequence=1)), root).state
    near = take(operator.seal(operator.lote(urssaf.draft(), sequence=1 + JUMP)), root, state=state)
    far = take(operator.seal(operator.lote(urssaf.draft(), sequence=2 + JUMP)), root, state=state)
    assert near.notes == ()
    assert far.notes == ("the edition number jumped",)


def test_the_root_sets_the_lowest_number(operator: ListOperator, urssaf: Institution) -> None:
    token = operator.seal(operator.lote(urssaf.draft(), sequence=4))
    assert take(token, operator.root(min_sequence=4)).sequence == 4
    assert refused(token, operator.root(min_sequence=5)) == "sequence_rollback"


def test_a_new_root_version_frees_from_the_old_floor(operator: ListOperator, urssaf: Institution) -> None:
    state = take(operator.seal(operator.lote(urssaf.draft(), sequence=9)), operator.root()).state
    restarted = operator.seal(operator.lote(urssaf.draft(), sequence=1))
    assert refused(restarted, operator.root(), state=state) == "sequence_rollback"
    assert take(restarted, operator.root(version=2), state=state).sequence == 1
