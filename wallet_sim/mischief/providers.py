"""A wallet provider no list knows: everything about it is in order, except that nobody vouches for it."""

from dataclasses import replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from vc.keys.signer import LocalSigner
from vc.x509.build import CertificateSpec, issue
from wallet_sim.provider import WalletProvider


def unlisted(provider: WalletProvider, now: datetime) -> WalletProvider:
    """A provider with the client id of `provider` and a certificate from an authority of its own making; no status list."""
    begin, end = now - timedelta(days=1), now + timedelta(days=1)
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    above = CertificateSpec(
        subject={"C": "FR", "CN": "Nobody's CA (test)"}, not_before=begin, not_after=end, ca=True, usages=("key_cert_sign",)
    )
    root = issue(above, authority.public_key(), signer=authority, issuer=None, serial=x509.random_serial_number())
    subject = {"C": "FR", "O": "Nobody (test)", "organizationIdentifier": "NTRFR-TEST-NOBODY", "CN": "Nobody (test)"}
    below = CertificateSpec(subject=subject, not_before=begin, not_after=end)
    leaf = issue(below, key.public_key(), signer=authority, issuer=root, serial=x509.random_serial_number())
    return replace(provider, signer=LocalSigner(key, (leaf,)), status=None)
