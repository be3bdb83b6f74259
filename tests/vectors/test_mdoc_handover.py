"""OpenID4VP 1.0 appendix B.2.6: hand-over and session transcript, byte for byte (VP-MDOC-1 to -3)."""

import hashlib
import json
from pathlib import Path
from typing import Any

import cbor2
import pytest

from vc.encoding import cbor
from vc.keys import jwk
from vc.mdoc import handover

HERE = Path(__file__).parent / "openid4vp-handover"


def read(name: str) -> Any:
    return json.loads((HERE / f"{name}.json").read_text())


@pytest.mark.parametrize(
    ("published", "derived"),
    [
        ("openid4vp_handover_redirect", "derived_redirect_unencrypted"),
        ("openid4vp_handover_dcapi", "derived_dcapi_unencrypted"),
    ],
)
def test_handover(published: str, derived: str) -> None:
    vector, unencrypted = read(published), read(derived)
    thumbprint = jwk.thumbprint(jwk.parse_public(vector["encryption_jwk"]))
    assert thumbprint.hex() == vector["jwk_thumbprint_sha256_hex"]

    def transcript(with_thumbprint: bytes | None) -> bytes:
        if "origin" in vector:
            return handover.dc_api(vector["origin"], vector["nonce"], with_thumbprint)
        return handover.redirect(vector["client_id"], vector["nonce"], with_thumbprint, vector["response_uri"])

    for expected, given in ((vector, thumbprint), (unencrypted, None)):
        made = transcript(given)
        assert made.hex() == expected["session_transcript_cbor_hex"]
        _, _, inner = cbor.loads(made)
        assert cbor2.dumps(inner).hex() == expected["handover_cbor_hex"]
        assert hashlib.sha256(bytes.fromhex(expected["handover_info_cbor_hex"])).digest() == inner[1]
