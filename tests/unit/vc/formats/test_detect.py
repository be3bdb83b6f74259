"""Telling artefacts apart: any bytes give a kind or our own error, and nothing is believed."""

from contextlib import suppress

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.pki import holder
from vc.encoding import base64url
from vc.errors import Malformed, VcError
from vc.formats import Kind, detect
from vc.jose import jws

_STATUS_JWT = jws.sign({"typ": "statuslist+jwt"}, b"{}", holder())
_ISSUER_SIGNED = cbor2.dumps({"nameSpaces": {}, "issuerAuth": []})
_DEVICE_RESPONSE = cbor2.dumps({"version": "1.0", "documents": [], "status": 0})


@pytest.mark.parametrize(
    ("data", "kind", "format"),
    [
        (b" eyJ.e30.AA~WyJ~ \n", Kind.SD_JWT, "dc+sd-jwt"),
        (_STATUS_JWT.encode(), Kind.STATUS_LIST_JWT, None),
        (_ISSUER_SIGNED, Kind.ISSUER_SIGNED, "mso_mdoc"),
        (_ISSUER_SIGNED.hex().encode(), Kind.ISSUER_SIGNED, "mso_mdoc"),
        (base64url.encode(_ISSUER_SIGNED).encode() + b"\n", Kind.ISSUER_SIGNED, "mso_mdoc"),
        (_DEVICE_RESPONSE, Kind.DEVICE_RESPONSE, "mso_mdoc"),
        (cbor2.dumps(cbor2.CBORTag(18, [b"", {}, b"", b""])), Kind.STATUS_LIST_CWT, None),
        (cbor2.dumps([b"", {}, b"", b""]), Kind.STATUS_LIST_CWT, None),
    ],
)
def test_kinds(data: bytes, kind: Kind, format: str | None) -> None:
    found = detect(data)
    assert (found.kind, found.format) == (kind, format)


def test_the_wire_form_is_normal_whatever_came_in() -> None:
    forms = {
        detect(data).text for data in (_ISSUER_SIGNED, _ISSUER_SIGNED.hex().encode(), base64url.encode(_ISSUER_SIGNED).encode())
    }
    assert forms == {base64url.encode(_ISSUER_SIGNED)}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "unknown_artefact"),
        (b"hello world", "unknown_artefact"),
        (b"\xff\xfe", "unknown_artefact"),
        (cbor2.dumps({"a": 1}), "unknown_artefact"),
        (cbor2.dumps("text"), "unknown_artefact"),
        (jws.sign({"typ": "JWT"}, b"{}", holder()).encode(), "unknown_artefact"),
        (jws.sign({}, b"{}", holder()).encode(), "unknown_artefact"),
        (b"a.b.c", "base64url"),
        (b"x" * (1024 * 1024 + 1), "too_large"),
    ],
)
def test_refusals(data: bytes, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        detect(data)
    assert caught.value.code == code


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes(data: bytes) -> None:
    with suppress(VcError):
        detect(data)
