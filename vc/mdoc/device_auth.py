"""What the device key signs or seals, and with which key (ISO/IEC 18013-5 §9.1.3)."""

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vc.encoding import cbor
from vc.errors import Refused, VerificationFailed
from vc.keys.ec import curve_of
from vc.mdoc import tagged
from vc.mdoc.device_response import UnverifiedMac0
from vc.mdoc.tagged import Encoded

HMAC_256 = 5  # RFC 9053 §3.1
_DEVICE_AUTHENTICATION = b"\x84" + tagged.text("DeviceAuthentication")


def authentication_bytes(session_transcript: bytes, doctype: str, device_namespaces: Encoded) -> bytes:
    """`DeviceAuthenticationBytes`: the array of four in tag 24, the namespaces exactly as they were sent (§9.1.3.4)."""
    content = b"".join((_DEVICE_AUTHENTICATION, session_transcript, tagged.text(doctype), device_namespaces.tagged))
    return tagged.wrap(content).tagged


def mac_key(device_key: ec.EllipticCurvePublicKey, e_reader: ec.EllipticCurvePrivateKey, session_transcript: bytes) -> bytes:
    """`EMacKey` (§9.1.3.5), as the reader derives it. Raises `Refused("mac_curve")` when the two keys are on different curves."""
    if curve_of(device_key) is not curve_of(e_reader):
        raise Refused("mac_curve", "the device key is on another curve than the reader key")
    salt = hashlib.sha256(tagged.wrap(session_transcript).tagged).digest()
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"EMacKey").derive(e_reader.exchange(ec.ECDH(), device_key))


def verify_mac(mac: UnverifiedMac0, key: bytes, content: bytes) -> None:
    """Check a deviceMac over `content`. Raises `Refused("mac_alg")`, `Refused("cose_crit")`, `VerificationFailed("device_mac")`."""
    if mac.protected.get(1) != HMAC_256:
        raise Refused("mac_alg", "the algorithm is not HMAC 256/256")
    if 2 in mac.protected:
        raise Refused("cose_crit", "the structure asks for an extension that is not understood")
    sealed = cbor.dumps(["MAC0", mac.protected_bytes, b"", content])  # RFC 9052 §6.3
    if not hmac.compare_digest(hmac.digest(key, sealed, "sha256"), mac.tag):
        raise VerificationFailed("device_mac", "the device MAC does not fit the keys and the session")
