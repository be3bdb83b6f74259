"""The keys and certificates of the test world, made anew at each start and kept in files only their owner can read.

Certificate profiles: seals after TS 119 412-6 clause 8, document signers and their roots after ISO/IEC 18013-5 Annex B
(MDOC-CERT-1 to -6), access certificates after TS 119 411-8.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from demo.world import LAW, Member, WalletProvider
from vc.keys.signer import LocalSigner
from vc.x509 import qc
from vc.x509.build import CertificateSpec, issue
from vc.x509.profiles import MDOC_DOCUMENT_SIGNER, STATUS_SIGNING

_AUTHORITY = timedelta(days=3 * 365)
_LEAF = timedelta(days=400)
"""A document signer may live 457 days at most (MDOC-CERT-3)."""
_BEFORE = timedelta(days=1)
_ACCESS_POLICY = x509.ObjectIdentifier("0.4.0.194118.1.2")
"""TS 119 411-8: access certificate of a legal person, NCP."""
_CRL_LIFE = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A test CA. `slug` names its files: `slug.cer` and `slug.crl` in the repository of the demo."""

    slug: str
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


class Pki:
    """All authorities of one demo, and what they issue. `repository`: base URL under which certificates and CRLs can be read."""

    def __init__(self, folder: Path, *, repository: str, now: datetime, countries: Iterable[str]) -> None:
        self._folder, self._repository, self._now = folder, repository, now
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "repository").mkdir(exist_ok=True)
        self.seal = self._authority("seal-ca", {"C": "FR", "O": "Portadoc (test)", "CN": "Seal CA (test)"})
        self.status = self._authority("status-ca", {"C": "FR", "O": "Portadoc (test)", "CN": "Status list CA (test)"})
        self.access = self._authority("access-ca", {"C": "FR", "O": "Portadoc (test)", "CN": "Access CA (test)"})
        self.registrar = self._authority("registrar-ca", {"C": "FR", "O": "Portadoc (test)", "CN": "Registrar CA (test)"})
        self.tls = self._authority("tls-ca", {"C": "FR", "O": "Portadoc (test)", "CN": "TLS CA (test)"})
        self.wallet = self._authority("wallet-ca", {"C": "FR", "O": "Portadoc (test)", "CN": "Wallet provider CA (test)"})
        self.iacas = {c: self._authority(f"iaca-{c.lower()}", {"C": c, "CN": f"IACA {c} (test)"}, iaca=True) for c in countries}

    def institution(self, member: Member) -> Mapping[str, LocalSigner]:
        """The three signers of an institution, each for one use: `seal`, `document_signer`, `status`."""
        subject = {"C": member.country, "O": member.name, "organizationIdentifier": member.registration_id}
        statement = qc.extension(qc.QcPsb(country=member.country, authentic_source=member.registration_id, legislation=LAW))
        seal = self._leaf(
            self.seal,
            {**subject, "CN": f"Seal of {member.id} (test)"},
            usages=("digital_signature", "content_commitment"),
            more=((statement, False),) if member.list_id == "pub-eaa" else (),
        )
        document_signer = self._leaf(
            self.iacas[member.country],
            {**subject, "CN": f"Document signer of {member.id} (test)"},
            eku=(MDOC_DOCUMENT_SIGNER,),
            issuer_alt_uri=self._repository,
        )
        status = self._leaf(self.status, {**subject, "CN": f"Status lists of {member.id} (test)"}, eku=(STATUS_SIGNING,))
        return {"seal": seal, "document_signer": document_signer, "status": status}

    def relying_party(self, *, name: str, base_url: str, host: str) -> LocalSigner:
        """The access certificate of a verifier, usable as x509_hash and x509_san_dns."""
        subject = {"C": "DE", "O": name, "organizationIdentifier": "NTRDE-TEST-VERIFIER", "CN": name}
        return self._access_certificate(subject, uris=(base_url,), dns_names=(host,))

    def issuer_access(self, member: Member, *, credential_issuer: str) -> LocalSigner:
        """The access certificate of an institution: what it signs its issuer metadata with (EAA-I-1)."""
        names = {"O": member.name, "organizationIdentifier": member.registration_id, "CN": f"{member.id} (test)"}
        return self._access_certificate({"C": member.country, **names}, uris=(credential_issuer,))

    def _access_certificate(self, subject: dict[str, str], *, uris: Sequence[str], dns_names: Sequence[str] = ()) -> LocalSigner:
        """TS 119 411-8: legal person, its identifier, where it can be reached, and the practice statement."""
        policy = x509.PolicyInformation(_ACCESS_POLICY, [f"{self._repository}/practice.txt"])
        policies = x509.CertificatePolicies([policy])
        return self._leaf(
            self.access, subject, usages=("digital_signature",), dns_names=dns_names, uris=uris, more=((policies, False),)
        )

    def registrar_signer(self) -> LocalSigner:
        """The signer of registration certificates (TS 119 475)."""
        return self._leaf(self.registrar, {"C": "FR", "O": "Portadoc (test)", "CN": "Registrar (test)"})

    def wallet_provider(self, provider: WalletProvider) -> LocalSigner:
        """The signer of wallet attestations."""
        return self._leaf(self.wallet, {**_subject(provider), "CN": provider.name})

    def wallet_status(self, provider: WalletProvider) -> LocalSigner:
        """The signer of the status list that tells which wallet attestations were withdrawn."""
        subject = {**_subject(provider), "CN": f"Status lists of {provider.name}"}
        return self._leaf(self.wallet, subject, eku=(STATUS_SIGNING,))

    def server(self, host: str) -> LocalSigner:
        """A TLS server certificate for `host` and the loopback address."""
        names = x509.SubjectAlternativeName([x509.DNSName(host), x509.IPAddress(ip_address("127.0.0.1"))])
        return self._leaf(
            self.tls, {"CN": f"{host} (test)"}, eku=(ExtendedKeyUsageOID.SERVER_AUTH,), more=((names, False),)
        )  # fmt: skip

    def write(self, name: str, signer: LocalSigner) -> dict[str, str]:
        """Put a signer into `NAME.key.pem` (mode 0600) and `NAME.chain.pem`; gives the two paths as settings files take them."""
        key, chain = self._folder / f"{name}.key.pem", self._folder / f"{name}.chain.pem"
        _write_private(key, signer.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        chain.write_bytes(_pem(signer.chain))
        return {"key": str(key), "chain": str(chain)}

    def write_key(self, name: str) -> dict[str, str]:
        """Put a fresh key that needs no certificate into `NAME.key.pem` (mode 0600); gives the path as settings files take it."""
        path = self._folder / f"{name}.key.pem"
        key = ec.generate_private_key(ec.SECP256R1())
        _write_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return {"key": str(path)}

    def write_text(self, name: str, content: str) -> str:
        """Put a text that is no secret into the folder; gives its path."""
        (self._folder / name).write_text(content, encoding="ascii")
        return str(self._folder / name)

    def publish_file(self, name: str, content: bytes) -> str:
        """Put a file into the repository; gives its address."""
        (self._folder / "repository" / name).write_bytes(content)
        return f"{self._repository}/{name}"

    def write_authorities(self) -> dict[str, str]:
        """Put every authority's certificate and first CRL into the repository folder; gives the PEM bundles by purpose."""
        groups = {
            "seal": (self.seal,),
            "document_signer": tuple(self.iacas.values()),
            "status": (self.status,),
            "access": (self.access,),
            "registrar": (self.registrar,),
            "tls": (self.tls,),
            "wallet": (self.wallet,),
        }
        paths = {}
        for purpose, authorities in groups.items():
            path = self._folder / f"{purpose.replace('_', '-')}-ca.pem"
            path.write_bytes(_pem(authority.certificate for authority in authorities))
            paths[purpose] = str(path)
            for authority in authorities:
                self._publish(authority)
        note = "Certificates of this repository are issued by a demonstration. They identify nobody.\n"
        (self._folder / "repository" / "practice.txt").write_text(note, encoding="utf-8")
        return paths

    def _publish(self, authority: Authority) -> None:
        folder = self._folder / "repository"
        (folder / f"{authority.slug}.cer").write_bytes(authority.certificate.public_bytes(Encoding.DER))
        algorithm = authority.certificate.signature_hash_algorithm
        crl = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(authority.certificate.subject)
            .last_update(self._now - _BEFORE)
            .next_update(self._now + _CRL_LIFE)
            .add_extension(x509.CRLNumber(1), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), False)
            .sign(authority.key, algorithm)  # type: ignore[arg-type]  # the hash of our own certificate is one of the allowed
        )
        (folder / f"{authority.slug}.crl").write_bytes(crl.public_bytes(Encoding.DER))

    def _authority(self, slug: str, subject: dict[str, str], *, iaca: bool = False) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        spec = CertificateSpec(
            subject=subject,
            not_before=self._now - _BEFORE,
            not_after=self._now + _AUTHORITY,
            ca=True,
            path_length=0,
            usages=("key_cert_sign", "crl_sign"),
            issuer_alt_uri=self._repository if iaca else None,
            crl_url=f"{self._repository}/{slug}.crl",
        )
        certificate = issue(spec, key.public_key(), signer=key, issuer=None, serial=x509.random_serial_number())
        return Authority(slug=slug, key=key, certificate=certificate)

    def _leaf(
        self,
        authority: Authority,
        subject: dict[str, str],
        *,
        usages: Sequence[str] = ("digital_signature",),
        eku: Sequence[x509.ObjectIdentifier] = (),
        dns_names: Sequence[str] = (),
        uris: Sequence[str] = (),
        issuer_alt_uri: str | None = None,
        more: Sequence[tuple[x509.ExtensionType, bool]] = (),
    ) -> LocalSigner:
        key = ec.generate_private_key(ec.SECP256R1())
        spec = CertificateSpec(
            subject=subject,
            not_before=self._now - _BEFORE,
            not_after=self._now + _LEAF,
            usages=usages,
            eku=eku,
            dns_names=dns_names,
            uris=uris,
            issuer_alt_uri=issuer_alt_uri,
            crl_url=f"{self._repository}/{authority.slug}.crl",
            ca_issuers_url=f"{self._repository}/{authority.slug}.cer",
            more=more,
        )
        certificate = issue(
            spec,
            key.public_key(),
            signer=authority.key,
            issuer=authority.certificate,
            serial=x509.random_serial_number(),
        )
        return LocalSigner(key, (certificate,))


def _subject(provider: WalletProvider) -> dict[str, str]:
    return {"C": provider.country, "O": provider.name, "organizationIdentifier": provider.registration_id}


def _pem(certificates: Iterable[x509.Certificate]) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
