"""Bad wallet attestations and bad proofs of the instance key."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric import ec

from vc.jose import jws
from vc.keys.signer import LocalSigner
from wallet_sim.issuance_seams import InstancePart, PopPart, attest_instance, prove_instance
from wallet_sim.mischief.providers import unlisted
from wallet_sim.provider import LIFETIME


def new_key(_signer: LocalSigner) -> LocalSigner:
    """Another key."""
    return LocalSigner(ec.generate_private_key(ec.SECP256R1()))


def expired_attestation(part: InstancePart) -> str:
    """Over for an hour."""
    return attest_instance(replace(part, now=part.now - 2 * LIFETIME))


def unlisted_provider(part: InstancePart) -> str:
    """From a provider nobody listed."""
    return attest_instance(replace(part, provider=unlisted(part.provider, part.now)))


def other_audience(part: PopPart) -> str:
    """Meant for another authorization server."""
    return prove_instance(replace(part, audience=f"{part.audience}/other"))


def other_key(part: PopPart) -> str:
    """Not signed by the key the attestation names."""
    return prove_instance(replace(part, instance=new_key(part.instance)))


def old(part: PopPart) -> str:
    """Made an hour ago."""
    return prove_instance(replace(part, now=part.now - timedelta(hours=1)))


def replayed(part: PopPart) -> str:
    """The one of the request before."""
    return prove_instance(part) if part.last is None else part.last


def without_challenge(part: PopPart) -> str:
    """As if the server had asked for none."""
    return prove_instance(replace(part, challenge=None))


def spent_challenge(part: PopPart) -> str:
    """A new proof with the challenge of the request before."""
    if part.last is None:
        return prove_instance(part)
    before = jws.parse(part.last).claims().get("challenge")
    return prove_instance(replace(part, challenge=before if isinstance(before, str) else None))


def other_client_id(form: Mapping[str, str]) -> dict[str, str]:
    """A client id that is not the attestation's."""
    return {**form, "client_id": f"{form.get('client_id', '')}-other"}
