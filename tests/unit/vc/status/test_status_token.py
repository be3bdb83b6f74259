"""Status List Tokens in both forms: what is emitted, each reason to refuse (TSL-3, -4, -7, -10; S-1 to S-6, S-9, S-10, R-14)."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import cbor2
import numpy as np
import pytest
from cbor2 import CBORTag
from hypothesis import given
from hypothesis import strategies as st

from tests.support.pki import NOW, new_key, root
from vc.cose import sign1
from vc.encoding import base64url, json
from vc.errors import Malformed, Refused, VcError, VerificationFailed
from vc.jose import jws
from vc.status import token
from vc.status.bits import StatusList, StatusValue
from vc.x509.certificate import der

SIGNER = root().leaf()
KEY = SIGNER.public_key
URI = "https://issuer.example/status/1"
LIST = StatusList.from_indices(64, 2, {0: 1, 5: 2, 63: 3})
IAT = int(NOW.timestamp())
FORMS = ["jwt", "cwt"]
NUMBERS = {"sub": 2, "exp": 4, "iat": 6, "ttl": 65534, "status_list": 65533}
ABSENT = object()


def signed(form: str, **changes: Any) -> str | bytes:
    arguments: dict[str, Any] = {"uri": URI, "iat": NOW, "exp": NOW + timedelta(hours=1), "ttl": 300, "signer": SIGNER, **changes}
    return token.sign_jwt(LIST, **arguments) if form == "jwt" else token.sign_cwt(LIST, **arguments)


def parse(data: str | bytes) -> token.UnverifiedStatusToken:
    return token.parse_jwt(data) if isinstance(data, str) else token.parse_cwt(data)


def verify(data: str | bytes, *, uri: str = URI, now: datetime = NOW, key: Any = KEY) -> token.StatusToken:
    return token.verify(parse(data), key, uri=uri, now=now)


def crafted(
    form: str, *, typ: Any = None, entry: Mapping[str, Any] | None = None, signer: Any = SIGNER, **claims: Any
) -> str | bytes:
    """A token with claims (JWT names) and members of the list replaced, or removed by `ABSENT`."""
    packed = LIST.compress()
    listed = {"bits": 2, "lst": base64url.encode(packed) if form == "jwt" else packed, **(entry or {})}
    members = {
        "sub": URI,
        "iat": IAT,
        "exp": IAT + 3600,
        "ttl": 300,
        "status_list": {k: v for k, v in listed.items() if v is not ABSENT},
    }
    members = {name: value for name, value in {**members, **claims}.items() if value is not ABSENT}
    if form == "jwt":
        return jws.sign({"typ": "statuslist+jwt" if typ is None else typ}, json.dumps(members), signer)
    payload = cbor2.dumps({NUMBERS[name]: value for name, value in members.items()})
    protected = {16: "application/statuslist+cwt" if typ is None else typ}
    return cbor2.dumps(CBORTag(18, sign1.sign(payload, signer, protected=protected)))


def refused(data: str | bytes, kind: type[VcError], code: str, **arguments: Any) -> None:
    with pytest.raises(kind) as failure:
        verify(data, **arguments)
    assert (type(failure.value), failure.value.code) == (kind, code)


@pytest.mark.parametrize("form", FORMS)
def test_what_is_signed_is_read_again(form: str) -> None:
    checked = verify(signed(form, aggregation_uri="https://issuer.example/status"))
    assert checked.list == LIST
    assert (checked.uri, checked.iat, checked.exp, checked.ttl) == (URI, NOW, NOW + timedelta(hours=1), 300)
    assert checked.aggregation_uri == "https://issuer.example/status"
    assert [checked.status(idx) for idx in (0, 1, 5, 63)] == [
        StatusValue.INVALID, StatusValue.VALID, StatusValue.SUSPENDED, StatusValue.APPLICATION_SPECIFIC,
    ]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_exp_ttl_and_aggregation_may_be_left_out(form: str) -> None:
    checked = verify(signed(form, exp=None, ttl=None))
    assert (checked.exp, checked.ttl, checked.aggregation_uri) == (None, None, None)


def test_the_jwt_is_the_drafts() -> None:
    header, payload, _ = str(signed("jwt")).split(".")
    assert json.loads(base64url.decode(header)) == {"alg": "ES256", "typ": "statuslist+jwt", "x5c": jws.x5c(SIGNER.chain)}
    claims = json.loads(base64url.decode(payload))
    assert claims.pop("status_list") == {"bits": 2, "lst": base64url.encode(LIST.compress())}
    assert claims == {"sub": URI, "iat": IAT, "exp": IAT + 3600, "ttl": 300}


def test_the_cwt_is_the_drafts() -> None:
    data = signed("cwt")
    assert isinstance(data, bytes)
    structure = cbor2.loads(data)
    assert structure.tag == 18
    header, unprotected, payload, _ = structure.value
    assert cbor2.loads(header) == {1: -7, 16: "application/statuslist+cwt"}
    assert unprotected == {33: der(SIGNER.chain[0])}
    assert cbor2.loads(payload) == {2: URI, 6: IAT, 4: IAT + 3600, 65534: 300, 65533: {"bits": 2, "lst": LIST.compress()}}


def test_a_cwt_without_the_tag_is_read_too() -> None:
    data = signed("cwt")
    assert isinstance(data, bytes)
    assert verify(data.removeprefix(b"\xd2")).list == LIST


@pytest.mark.parametrize("form", FORMS)
def test_the_signers_certificate_travels_along(form: str) -> None:
    assert parse(signed(form)).chain == SIGNER.chain
    bare = parse(signed(form, signer=type(SIGNER)(SIGNER.private_key)))
    with pytest.raises(VerificationFailed):
        _ = bare.chain


@pytest.mark.parametrize("ttl", [0, -1])
@pytest.mark.parametrize("form", FORMS)
def test_no_token_with_an_empty_ttl_is_signed(form: str, ttl: int) -> None:
    with pytest.raises(ValueError, match="ttl"):
        signed(form, ttl=ttl)


# S-1, S-10: signature and type -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_another_key(form: str) -> None:
    refused(signed(form), VerificationFailed, "signature", key=new_key().public_key())


@pytest.mark.parametrize("form", FORMS)
def test_a_changed_list(form: str) -> None:
    data = signed(form)
    if isinstance(data, str):
        header, payload, signature = data.split(".")
        claims = json.loads(base64url.decode(payload))
        claims["status_list"]["lst"] = base64url.encode(StatusList.empty(64, 2).compress())
        data = f"{header}.{base64url.encode(json.dumps(claims))}.{signature}"
    else:
        data = data.replace(LIST.compress(), LIST.compress()[:-1] + b"\x00")
    refused(data, VerificationFailed, "signature")


@pytest.mark.parametrize("typ", ["JWT", "statuslist+cwt", "application/statuslist+cwt", "kb+jwt", "dc+sd-jwt", 7, ""])
def test_a_jwt_of_another_type(typ: Any) -> None:
    refused(crafted("jwt", typ=typ), Refused, "jws_typ")


@pytest.mark.parametrize("typ", ["application/statuslist+jwt", "statuslist+jwt", "statuslist+cwt", "application/cwt", 7, b"x"])
def test_a_cwt_of_another_type(typ: Any) -> None:
    refused(crafted("cwt", typ=typ), Refused, "status_typ")


def test_the_type_with_its_prefix_is_the_same_type() -> None:
    assert verify(crafted("jwt", typ="application/statuslist+jwt")).list == LIST


def test_a_type_outside_the_signature_does_not_count() -> None:
    payload = cbor2.dumps({2: URI, 6: IAT, 65533: {"bits": 2, "lst": LIST.compress()}})
    structure = sign1.sign(payload, SIGNER, unprotected={16: "application/statuslist+cwt"})
    refused(cbor2.dumps(CBORTag(18, structure)), Refused, "status_typ")


def test_unsigned_and_sealed_tokens() -> None:
    header = base64url.encode(b'{"alg":"none","typ":"statuslist+jwt"}')
    refused(f"{header}.{str(signed('jwt')).split('.')[1]}.", Refused, "jws_alg")
    with pytest.raises(Refused) as failure:
        token.parse_cwt(cbor2.dumps(CBORTag(17, [b"", {}, b"", b""])))
    assert failure.value.code == "status_mac"


def test_a_cwt_is_no_jwt_and_a_jwt_is_no_cwt() -> None:
    jwt, cwt = signed("jwt"), signed("cwt")
    assert isinstance(jwt, str)
    assert isinstance(cwt, bytes)
    with pytest.raises(Malformed):
        token.parse_cwt(jwt.encode())
    with pytest.raises(Malformed):
        token.parse_jwt(cwt.decode("latin-1"))


def test_the_cwt_tag_is_not_part_of_a_status_token() -> None:
    with pytest.raises(Malformed):
        token.parse_cwt(cbor2.dumps(CBORTag(61, cbor2.loads(bytes(signed("cwt"))))))  # type: ignore[arg-type]  # a CWT is bytes


# S-2: about which list -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uri", ["https://issuer.example/status/2", "https://issuer.example/status/1/", "https://ISSUER.example/status/1", "", URI + "#"]
)
@pytest.mark.parametrize("form", FORMS)
def test_sub_is_the_uri_byte_for_byte(form: str, uri: str) -> None:
    refused(signed(form), VerificationFailed, "status_sub", uri=uri)


@pytest.mark.parametrize("sub", [ABSENT, None, 7, [URI]])
@pytest.mark.parametrize("form", FORMS)
def test_sub_is_required_text(form: str, sub: Any) -> None:
    refused(crafted(form, sub=sub), VerificationFailed, "status_sub")


# S-6, S-9: dates -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_a_token_is_dead_at_exp(form: str) -> None:
    """RFC 7519 §4.1.4: not on or after. No tolerance: the last good second is the one before."""
    data = signed(form, exp=NOW + timedelta(seconds=10))
    assert verify(data, now=NOW + timedelta(seconds=9)).exp == NOW + timedelta(seconds=10)
    for seconds in (10, 11, 10_000):
        refused(data, VerificationFailed, "status_expired", now=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("form", FORMS)
def test_an_iat_in_the_future_beyond_the_tolerance(form: str) -> None:
    assert verify(signed(form, iat=NOW + timedelta(seconds=60))).iat > NOW
    refused(signed(form, iat=NOW + timedelta(seconds=61)), VerificationFailed, "status_future")
    strict = parse(signed(form, iat=NOW + timedelta(seconds=1)))
    with pytest.raises(VerificationFailed):
        token.verify(strict, KEY, uri=URI, now=NOW, tolerance=timedelta())


WRONG_DATES: list[Any] = ["1764000000", None, True, -1, 10**12 * 10, [1]]


@pytest.mark.parametrize("value", WRONG_DATES)
@pytest.mark.parametrize("name", ["iat", "exp"])
@pytest.mark.parametrize("form", FORMS)
def test_dates_are_numbers(form: str, name: str, value: Any) -> None:
    refused(crafted(form, **{name: value}), Malformed, "numeric_date")


@pytest.mark.parametrize("form", FORMS)
def test_iat_is_required(form: str) -> None:
    refused(crafted(form, iat=ABSENT), Malformed, "numeric_date")


@pytest.mark.parametrize("ttl", [0, -1, -0.5, "300", None, True, [300]])
@pytest.mark.parametrize("form", FORMS)
def test_a_ttl_is_a_number_above_zero(form: str, ttl: Any) -> None:
    refused(crafted(form, ttl=ttl), Malformed, "status_list")


@pytest.mark.parametrize(
    ("ttl", "exp", "seconds"),
    [
        (300, 86400, 300),
        (1, 86400, 30),
        (0.5, None, 30),
        (10**12, 86400, 3600),
        (1e300, None, 3600),
        (None, None, 3600),
        (300, 60, 60),
    ],
)
@pytest.mark.parametrize("form", FORMS)
def test_how_long_a_copy_is_fresh(form: str, ttl: Any, exp: int | None, seconds: int) -> None:
    """`ttl` clamped between floor and ceiling, `exp` above all (TSL-10, R-14)."""
    data = crafted(form, ttl=ABSENT if ttl is None else ttl, exp=ABSENT if exp is None else IAT + exp)
    until = verify(data).fresh_until(NOW, floor=timedelta(seconds=30), ceiling=timedelta(hours=1))
    assert until == NOW + timedelta(seconds=seconds)


# S-3 to S-5: the list --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("idx", [64, -1, 2**63, True, "0", 1.0])
@pytest.mark.parametrize("form", FORMS)
def test_an_index_outside_is_no_statement(form: str, idx: Any) -> None:
    checked = verify(signed(form))
    with pytest.raises(VerificationFailed) as failure:
        checked.status(idx)
    assert failure.value.code == "status_index"


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"bits": 3}, "status_bits"), ({"bits": True}, "status_bits"), ({"bits": "2"}, "status_bits"),
        ({"bits": ABSENT}, "status_bits"),
        ({"lst": ABSENT}, "status_list"), ({"lst": None}, "status_list"), ({"lst": 7}, "status_list"),
        ({"aggregation_uri": 7}, "status_list"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", FORMS)
def test_members_of_the_list(form: str, entry: dict[str, Any], code: str) -> None:
    refused(crafted(form, entry=entry), Malformed, code)


@pytest.mark.parametrize("value", [ABSENT, None, [], "x", 7])
@pytest.mark.parametrize("form", FORMS)
def test_the_list_is_an_object(form: str, value: Any) -> None:
    refused(crafted(form, status_list=value), Malformed, "status_list")


def test_each_form_carries_the_list_its_way() -> None:
    refused(crafted("cwt", entry={"lst": base64url.encode(LIST.compress())}), Malformed, "status_list")
    refused(crafted("jwt", entry={"lst": base64url.encode(LIST.compress()) + "="}), Malformed, "base64url")
    refused(crafted("jwt", entry={"lst": base64url.encode(b"not packed")}), Malformed, "status_zlib")
    refused(crafted("cwt", entry={"lst": LIST.compress() + b"\x00"}), Malformed, "status_zlib")


def test_claims_of_a_cwt_are_a_map() -> None:
    structure = sign1.sign(cbor2.dumps([1]), SIGNER, protected={16: "application/statuslist+cwt"})
    refused(cbor2.dumps(structure), Malformed, "status_list")


def test_a_large_list_fits_in_both_forms() -> None:
    """Ten million entries that do not compress well: far over the limits of other tokens, within those of lists."""
    noise = StatusList(1, bytearray(np.random.default_rng(7).bytes(1_250_000)))
    for sign in (token.sign_jwt, token.sign_cwt):
        data: Any = sign(noise, uri=URI, iat=NOW, exp=None, ttl=None, signer=SIGNER)
        assert len(data) > 1 << 19
        assert verify(data).list == noise


@pytest.mark.parametrize("read", [lambda data: token.parse_jwt(data.decode("latin-1")), token.parse_cwt])
def test_any_bytes_give_a_token_or_our_error(read: Callable[[bytes], Any]) -> None:
    @given(st.binary(max_size=200))
    def run(data: bytes) -> None:
        try:
            verified = read(data)
        except VcError:
            return
        with pytest.raises(VcError):
            token.verify(verified, KEY, uri=URI, now=NOW)

    run()


@given(at=st.integers(0, 400), new=st.binary(max_size=3))
def test_a_good_cwt_with_bytes_changed(at: int, new: bytes) -> None:
    data = signed("cwt")
    assert isinstance(data, bytes)
    try:
        assert verify(data[:at] + new + data[at + len(new) :]).list == LIST
    except VcError:
        return
