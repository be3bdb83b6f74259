"""The holder's side: choosing disclosures and binding a presentation to a verifier (RFC 9901 §7.2, §4.3)."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from vc.clock import to_numeric_date
from vc.encoding import json
from vc.encoding.claims_path import Path, touches
from vc.jose import jws
from vc.keys.signer import Signer
from vc.sdjwt.disclosure import digest
from vc.sdjwt.processing import process
from vc.sdjwt.verify import KB_TYP, parse


def present(credential: str, *, disclose: Collection[Path] | None = None) -> str:
    """The SD-JWT with only the disclosures needed for the `disclose` paths; None means all, an empty collection none.

    A path brings its parents' disclosures with it and everything inside what it names; paths that name visible or absent
    claims change nothing. The signature is not checked here: a wallet did that when it received the credential. Raises what
    `verify.parse(issued=True)` and `processing.process` raise.
    """
    unverified = parse(credential, issued=True)
    found = process(unverified.payload, unverified.disclosures)
    if disclose is None:
        return credential
    chosen = [text for at, text in zip(found.paths, found.texts, strict=True) if any(touches(path, at) for path in disclose)]
    return "~".join((credential.split("~", 1)[0], *chosen, ""))


def bind(
    presentation: str,
    *,
    holder: Signer,
    nonce: str,
    audience: str,
    now: datetime,
    more: Mapping[str, Any] | None = None,
) -> str:
    """The presentation followed by a key-binding JWT of `holder` (RFC 9901 §4.3): `iat` is `now`, `sd_hash` covers all before it.

    `more`: further claims of the key-binding JWT, such as `transaction_data_hashes`. ValueError for an empty nonce or
    audience; `Refused("key_binding_present")` when one is there already.
    """
    if not nonce or not audience:
        raise ValueError("a key binding names a nonce and an audience")
    algorithm = parse(presentation, issued=True).hash_algorithm
    claims = {
        "iat": to_numeric_date(now),
        "aud": audience,
        "nonce": nonce,
        "sd_hash": digest(presentation, algorithm),
        **(more or {}),
    }
    return presentation + jws.sign({"typ": KB_TYP}, json.dumps(claims), holder)
