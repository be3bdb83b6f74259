"""A test PID: ordered from the demo's PID provider through its institution API, then received like any other offer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.outbound import Fetched
from vc.encoding import json
from vc.errors import Refused, Unreachable, VcError
from wallet_sim.world import World, WrongUse

_FORMATS = {"dc+sd-jwt": ["dc+sd-jwt"], "mso_mdoc": ["mso_mdoc"], "both": ["dc+sd-jwt", "mso_mdoc"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """`link`: the openid-credential-offer link."""

    link: str = field(repr=False)
    tx_code: str | None = field(repr=False)


def read_identity(path: Path, case: str | None) -> Mapping[str, Any]:
    """The identity block in a file: the file itself, its `identity` member, or that of the entry `case` of a list.

    Raises `WrongUse`.
    """
    try:
        content = json.loads(path.read_bytes())
    except OSError as exc:
        raise WrongUse(f"{path}: {exc.strerror}") from exc
    except VcError as exc:
        raise WrongUse(f"{path}: not strict JSON ({exc.code})") from exc
    if isinstance(content, list):
        fitting = [entry for entry in content if isinstance(entry, dict) and (case is None or entry.get("id") == case)]
        if len(fitting) != 1:
            raise WrongUse(f"{path}: {len(fitting)} entries fit; name one with --case")
        content = fitting[0]
    identity = content.get("identity", content) if isinstance(content, dict) else None
    if not isinstance(identity, dict) or not identity:
        raise WrongUse(f"{path}: there is no identity in it")
    return identity


def offer_for(world: World, identity: Mapping[str, Any], credential_format: str) -> Offer:
    """Put a PID of `identity` on record with the demo's provider and have it offered.

    The provider's API is asked directly, not over the wallet's recorded wire: these messages are the institution's, and full
    of personal data. Raises `WrongUse`, `Refused` with the provider's words, `Unreachable`.
    """
    formats = _FORMATS.get(credential_format)
    if formats is None:
        raise WrongUse("--format is dc+sd-jwt, mso_mdoc or both")
    provider = next((entry for entry in world.institutions() if "pid" in entry["types"]), None)
    if provider is None:
        raise WrongUse("this demo has no PID provider")
    base, headers = f"{world.demo['issuer']}/api/v1", {"authorization": f"Bearer {provider['api_token']}"}
    wanted = {"type": "pid", "document_data": {}, "identity": identity}
    document = _body(world.outbound.post(f"{base}/documents", json=wanted, headers=headers))
    path = f"{base}/documents/{document['document_id']}/offers"
    offered = _body(world.outbound.post(path, json={"formats": formats, "tx_code": True}, headers=headers))
    return Offer(link=offered["credential_offer_uri"], tx_code=offered.get("tx_code"))


def _body(answer: Fetched) -> dict[str, Any]:
    body = json.loads_object(answer.body)
    if 200 <= answer.status < 300:
        return body
    if answer.status >= 500:
        raise Unreachable("pid_provider", f"the PID provider answered with HTTP {answer.status}")
    faults = "; ".join(f"{fault.get('pointer')}: {fault.get('detail')}" for fault in body.get("errors", []))
    raise Refused("pid_provider", f"{body.get('code')}: {body.get('detail')} {faults}".strip())
