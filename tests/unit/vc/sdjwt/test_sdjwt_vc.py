"""SD-JWT VC: SDVC-1 to SDVC-8, attacks J-8, J-9, J-10, J-12."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.sdjwt import Lab
from vc.errors import Malformed, Refused, VcError, VerificationFailed
from vc.keys import jwk
from vc.sdjwt import vc
from vc.sdjwt.vc import SdJwtVc, check
from vc.sdjwt.verify import parse, verify_issuer
from vc.status.reference import StatusReference

LAB = Lab()
STATUS = {"status_list": {"idx": 7, "uri": "https://issuer.test/status/1"}}


def credential(*, accept_old_typ: bool = False, header: Any = None, without: str = "", **claims: Any) -> SdJwtVc:
    payload = {name: value for name, value in LAB.claims(**claims).items() if name != without}
    text = LAB.forged(payload, header={"typ": "dc+sd-jwt"} if header is None else header)
    return check(verify_issuer(parse(text), LAB.issuer.public_key), accept_old_typ=accept_old_typ)


def refusal(**changes: Any) -> VcError:
    with pytest.raises(VcError) as caught:
        credential(**changes)
    return caught.value


def test_a_credential_is_read_with_all_its_registered_claims() -> None:
    more: dict[str, Any] = {"vct#integrity": "sha256-x", "aka_vcts": ["urn:test:0"], "category": "urn:etsi:esi:eaa:eu:pub"}
    found = credential(status=STATUS, sub="urn:test:1", iat=1_770_000_001, **more)
    assert found.vct == "urn:test:type:1"
    assert found.vct_integrity == "sha256-x"
    assert found.also_types == ("urn:test:0",)
    assert found.issuer == "https://issuer.test/fr"
    assert found.subject == "urn:test:1"
    assert found.issued_at == datetime.fromtimestamp(1_770_000_001, UTC)
    assert found.not_before == datetime.fromtimestamp(1_770_000_000, UTC)
    assert found.expires == datetime.fromtimestamp(1_800_000_000, UTC)
    assert found.status == StatusReference(uri="https://issuer.test/status/1", idx=7)
    assert found.short_lived is False
    assert found.category == "urn:etsi:esi:eaa:eu:pub"
    assert found.holder is not None
    assert jwk.thumbprint(found.holder) == jwk.thumbprint(LAB.holder.public_key)


def test_sdvc_4_iss_sub_iat_and_cnf_may_be_absent() -> None:
    payload = {"vct": "urn:test:type:1"}
    found = check(verify_issuer(parse(LAB.forged(payload)), LAB.issuer.public_key))
    assert (found.issuer, found.subject, found.issued_at, found.not_before, found.expires, found.holder) == (None,) * 6
    assert (found.status, found.category, found.vct_integrity, found.also_types) == (None, None, None, ())
    found.check_validity(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("typ", ["dc+sd-jwt", "application/dc+sd-jwt", "DC+SD-JWT"])
def test_sdvc_1_the_type_is_compared_as_a_media_type(typ: str) -> None:
    assert credential(header={"typ": typ}).vct


@pytest.mark.parametrize("typ", ["vc+sd-jwt", "JWT", "kb+jwt", "sd-jwt", "statuslist+jwt", "", None, 5, ["dc+sd-jwt"]])
def test_sdvc_1_j_10_a_token_of_another_kind_is_no_credential(typ: object) -> None:
    assert refusal(header={"typ": typ}).code == "jws_typ"


def test_sdvc_1_a_token_without_type_is_no_credential() -> None:
    assert refusal(header={}).code == "jws_typ"


def test_sdvc_1_the_old_type_is_accepted_only_on_demand() -> None:
    assert refusal(header={"typ": "vc+sd-jwt"}).code == "jws_typ"
    assert credential(header={"typ": "vc+sd-jwt"}, accept_old_typ=True).vct
    assert refusal(header={"typ": "jwt"}, accept_old_typ=True).code == "jws_typ"


@pytest.mark.parametrize("vct", ["", "  ", None, 5, ["urn:test:type:1"], {}])
def test_sdvc_2_the_type_is_a_text(vct: object) -> None:
    assert refusal(vct=vct).code == "vct"


def test_sdvc_2_a_credential_without_type_is_refused() -> None:
    assert refusal(without="vct").code == "vct"


@pytest.mark.parametrize("name", ["iss", "sub", "vct#integrity", "category"])
@pytest.mark.parametrize("value", [None, 5, ["x"], {}])
def test_registered_claims_of_the_wrong_kind_are_refused(name: str, value: object) -> None:
    error = refusal(**{name: value})
    assert (error.code, error.pointer) == ("claim", f"/{name}")


@pytest.mark.parametrize("value", [None, "urn:test:0", [1], {}])
def test_diff_1_aka_vcts_is_an_array_of_texts(value: object) -> None:
    assert refusal(aka_vcts=value).code == "claim"


@pytest.mark.parametrize("name", ["iat", "nbf", "exp"])
@pytest.mark.parametrize("value", ["1770000000", True, None, -1, 1e18, [], {}])
def test_sdj_8_j_8_dates_that_are_none_are_refused(name: str, value: object) -> None:
    error = refusal(**{name: value})
    assert (error.code, error.pointer) == ("numeric_date", f"/{name}")


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (1_770_000_000 - 61, "not_yet_valid"),
        (1_770_000_000 - 60, None),
        (1_770_000_000, None),
        (1_800_000_000 + 59, None),
        (1_800_000_000 + 60, "expired"),
        (1_900_000_000, "expired"),
    ],
)
def test_sdj_8_technical_validity_with_one_tolerance(now: int, code: str | None) -> None:
    moment = datetime.fromtimestamp(now, UTC)
    if code is None:
        credential().check_validity(moment)
        return
    with pytest.raises(VerificationFailed, match=code):
        credential().check_validity(moment)


def test_sdj_8_the_tolerance_can_be_narrowed() -> None:
    with pytest.raises(VerificationFailed, match="expired"):
        credential().check_validity(datetime.fromtimestamp(1_800_000_000, UTC), tolerance=timedelta(0))


@pytest.mark.parametrize("aud", ["https://verifier.test", [], None])
def test_sdj_8_eaa_s_9_a_credential_for_an_audience_is_refused(aud: object) -> None:
    assert refusal(aud=aud).code == "audience_claim"


OFF_CURVE = {**jwk.from_public(LAB.holder.public_key), "y": jwk.from_public(LAB.issuer.public_key)["y"]}
PUBLIC = jwk.from_public(LAB.holder.public_key)


@pytest.mark.parametrize(
    ("name", "cnf", "code"),
    [
        ("null", None, "cnf"),
        ("text", "key", "cnf"),
        ("empty", {}, "cnf_method"),
        ("kid only", {"kid": "1"}, "cnf_method"),
        ("jku only", {"jku": "https://evil.test/k"}, "cnf_method"),
        ("jku beside", {"jwk": PUBLIC, "jku": "https://evil.test/k"}, "cnf_method"),
        ("encrypted", {"jwk": PUBLIC, "jwe": "x"}, "cnf_method"),
        ("jwk null", {"jwk": None}, "key"),
        ("private", {"jwk": {**PUBLIC, "d": "AA"}}, "key_private"),
        ("symmetric", {"jwk": {"kty": "oct", "k": "AAAA"}}, "key_private"),
        ("RSA", {"jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}}, "key_type"),
        ("another curve", {"jwk": {**PUBLIC, "crv": "secp256k1"}}, "key_type"),
        ("off the curve", {"jwk": OFF_CURVE}, "key_point"),
        ("short coordinate", {"jwk": {**PUBLIC, "x": "AA"}}, "key_point"),
    ],
)
def test_sdvc_5_j_12_only_a_public_key_inside_the_credential_binds_it(name: str, cnf: object, code: str) -> None:
    assert refusal(cnf=cnf).code == code, name


def test_sdvc_5_a_kid_beside_the_key_is_harmless() -> None:
    assert isinstance(vc.holder_key({"jwk": PUBLIC, "kid": "1"}), ec.EllipticCurvePublicKey)


@pytest.mark.parametrize(
    "status",
    [
        None, [], "x", {"status_list": None}, {"status_list": {"idx": 1}}, {"status_list": {"uri": "https://a.test"}},
        *({"status_list": {"idx": idx, "uri": "https://a.test/1"}} for idx in (-1, 4.5, "42", True, None)),
        *({"status_list": {"idx": 1, "uri": uri}} for uri in ("file:///etc/passwd", "https://user@a.test/", 5, "", "ftp://a.test")),
    ],
)  # fmt: skip
def test_sdvc_7_j_9_a_status_that_cannot_be_read_is_not_passed_over(status: object) -> None:
    with pytest.raises((Malformed, Refused), match="status"):
        credential(status=status)


@pytest.mark.parametrize("value", [True, False, 1, "yes", {}])
def test_eaa_s_6_short_lived_is_null(value: object) -> None:
    assert refusal(shortLived=value).code == "claim"


def test_eaa_s_6_short_lived_excludes_a_status() -> None:
    assert credential(shortLived=None).short_lived is True
    assert refusal(shortLived=None, status=STATUS).code == "status_and_short_lived"
