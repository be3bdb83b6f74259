"""SD-JWT VC: issuing 25 disclosable claims, verifying a presentation of six with key binding; ours and PyPI's sd-jwt."""

import secrets
from collections.abc import Callable
from typing import Any

from jwcrypto.jwk import JWK
from sd_jwt.common import SDObj
from sd_jwt.holder import SDJWTHolder
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier

from bench import material
from vc.clock import to_numeric_date
from vc.jose import jws
from vc.sdjwt import issue, present, vc, verify
from vc.x509.certificate import public_key
from vc.x509.chain import PathCache
from vc.x509.profiles import SEAL

_ENVELOPE: dict[str, Any] = {
    "vct": "urn:eudi:pda1:1",
    "iss": "https://issuer.example/fr-urssaf",
    "iat": to_numeric_date(material.NOW),
    "nbf": to_numeric_date(material.NOW),
    "exp": to_numeric_date(material.UNTIL),
    "cnf": {"jwk": material.HOLDER_JWK},
    "status": {"status_list": {"idx": 4711, "uri": "https://issuer.example/fr-urssaf/status/1"}},
}
_PLAN = issue.plan([(name,) for name in material.NAMES])
_SHOWN = [(name,) for name in material.NAMES[: material.SHOWN]]


def ours_issue() -> Callable[[], str]:
    """Prepare and sign, x5c included."""
    claims = {**_ENVELOPE, **material.values()}

    def work() -> str:
        prepared = issue.prepare(claims, disclosable=_PLAN, header={"typ": "dc+sd-jwt"}, random_bytes=secrets.token_bytes)
        return issue.sign(prepared, material.SEAL)

    assert work().count("~") == material.CLAIMS + 1
    return work


def ours_verify() -> Callable[[], object]:
    """Parse, certificate path (remembered, as in a busy verifier), signature, disclosures, SD-JWT VC rules, key binding."""
    shown = present.bind(
        present.present(ours_issue()(), disclose=_SHOWN),
        holder=material.HOLDER,
        nonce=material.NONCE,
        audience=material.AUDIENCE,
        now=material.NOW,
    )
    paths = PathCache([material.SEAL_CA], SEAL)

    def work() -> object:
        unverified = verify.parse(shown)
        path = paths.find(jws.chain_of(unverified.jws), at=material.NOW)
        checked = vc.check(verify.verify_issuer(unverified, public_key(path.certificates[0])))
        checked.check_validity(material.NOW)
        return verify.verify_key_binding(
            unverified, holder=checked.holder, nonce=material.NONCE, audience=material.AUDIENCE, now=material.NOW
        )

    work()
    return work


def _jwk(signer: Any) -> JWK:
    return JWK.from_pyca(signer.private_key)


def _peer_issue() -> Callable[[], str]:
    claims = {**{name: value for name, value in _ENVELOPE.items() if name != "cnf"}}
    claims |= {SDObj(name): value for name, value in material.values().items()}
    key, holder, header = _jwk(material.SEAL), _jwk(material.HOLDER), {"typ": "dc+sd-jwt", "x5c": jws.x5c(material.SEAL.chain)}

    def work() -> str:
        return str(SDJWTIssuer(claims, key, holder, "ES256", extra_header_parameters=header).sd_jwt_issuance)

    assert work().count("~") == material.CLAIMS + 1
    return work


def peer_issue() -> Callable[[], str]:
    """PyPI sd-jwt issuing the same claims."""
    return _peer_issue()


def peer_verify() -> Callable[[], object]:
    """PyPI sd-jwt verifying the same presentation; it checks no certificate path."""
    holder = SDJWTHolder(_peer_issue()())
    shown = dict.fromkeys(material.NAMES[: material.SHOWN], True)
    holder.create_presentation(shown, material.NONCE, material.AUDIENCE, _jwk(material.HOLDER), "ES256")
    key = _jwk(material.SEAL)

    def work() -> object:
        verifier = SDJWTVerifier(holder.sd_jwt_presentation, lambda _issuer, _header: key, material.AUDIENCE, material.NONCE)
        return verifier.get_verified_payload()

    work()
    return work
