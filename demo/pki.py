"""The keys and certificates of the test world, made anew at each start: what `portadoc pki` would issue for each of its members."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from demo.world import LAW, Member, WalletProvider
from pki import home
from pki.home import Home
from pki.issue import Authority, Details
from vc.keys.signer import LocalSigner
from vc.x509.qc import QcPsb

_OURS = {"C": "FR", "O": "Portadoc (test)"}


class Pki:
    """All authorities of one demo, and what they issue. `repository`: base URL under which certificates and CRLs can be read."""

    def __init__(self, folder: Path, *, repository: str, now: datetime, countries: Iterable[str]) -> None:
        self._folder, self._now = folder, now
        self._home = Home.create(folder, repository=repository)
        self.seal = self._authority("seal-ca", "seal", {**_OURS, "CN": "Seal CA (test)"})
        self.status = self._authority("status-ca", "status", {**_OURS, "CN": "Status list CA (test)"})
        self.access = self._authority("access-ca", "access", {**_OURS, "CN": "Access CA (test)"})
        self.registrar = self._authority("registrar-ca", "registrar", {**_OURS, "CN": "Registrar CA (test)"})
        self.tls = self._authority("tls-ca", "server", {**_OURS, "CN": "TLS CA (test)"})
        self.wallet = self._authority("wallet-ca", "wallet", {**_OURS, "CN": "Wallet provider CA (test)"})
        self.iacas = {c: self._authority(f"iaca-{c.lower()}", "iaca", {"C": c, "CN": f"IACA {c} (test)"}) for c in countries}

    def institution(self, member: Member) -> Mapping[str, LocalSigner]:
        """The three signers of an institution, each for one use: `seal`, `document_signer`, `status`."""
        subject = {"C": member.country, "O": member.name, "organizationIdentifier": member.registration_id}
        body = QcPsb(country=member.country, authentic_source=member.registration_id, legislation=LAW)
        seal = self._issue(
            self.seal, "seal", {**subject, "CN": f"Seal of {member.id} (test)"},
            Details(psb=body if member.list_id == "pub-eaa" else None),
        )  # fmt: skip
        signer = {**subject, "CN": f"Document signer of {member.id} (test)"}
        document_signer = self._issue(self.iacas[member.country], "document-signer", signer)
        status = self._issue(self.status, "status", {**subject, "CN": f"Status lists of {member.id} (test)"})
        return {"seal": seal, "document_signer": document_signer, "status": status}

    def relying_party(self, *, name: str, identifier: str, base_url: str, host: str) -> LocalSigner:
        """The access certificate of a verifier, usable as x509_hash and x509_san_dns."""
        subject = {"C": "DE", "O": name, "organizationIdentifier": identifier, "CN": name}
        return self._issue(self.access, "access", subject, Details(uris=(base_url,), dns_names=(host,)))

    def issuer_access(self, member: Member, *, credential_issuer: str) -> LocalSigner:
        """The access certificate of an institution: what it signs its issuer metadata with (EAA-I-1)."""
        names = {"O": member.name, "organizationIdentifier": member.registration_id, "CN": f"{member.id} (test)"}
        return self._issue(self.access, "access", {"C": member.country, **names}, Details(uris=(credential_issuer,)))

    def registrar_signer(self) -> LocalSigner:
        """The signer of registration certificates (TS 119 475)."""
        return self._issue(self.registrar, "registrar", {**_OURS, "CN": "Registrar (test)"})

    def wallet_provider(self, provider: WalletProvider) -> LocalSigner:
        """The signer of wallet attestations."""
        return self._issue(self.wallet, "wallet-provider", {**_subject(provider), "CN": provider.name})

    def wallet_status(self, provider: WalletProvider) -> LocalSigner:
        """The signer of the status list that tells which wallet attestations were withdrawn."""
        return self._issue(self.wallet, "status", {**_subject(provider), "CN": f"Status lists of {provider.name}"})

    def server(self, host: str) -> LocalSigner:
        """A TLS server certificate for `host` and the loopback address."""
        return self._issue(self.tls, "server", {"CN": f"{host} (test)"}, Details(dns_names=(host,), addresses=("127.0.0.1",)))

    def write(self, name: str, signer: LocalSigner) -> dict[str, str]:
        """Put a signer into `NAME.key.pem` (mode 0600) and `NAME.chain.pem`; gives the two paths as settings files take them."""
        return home.write_signer(self._folder, name, signer)

    def write_key(self, name: str) -> dict[str, str]:
        """Put a fresh key that needs no certificate into `NAME.key.pem` (mode 0600); gives the path as settings files take it."""
        path = self._folder / f"{name}.key.pem"
        home.write(path, home.pem_of_key(ec.generate_private_key(ec.SECP256R1())), mode=0o600)
        return {"key": str(path)}

    def write_text(self, name: str, content: str) -> str:
        """Put a text that is no secret into the folder; gives its path."""
        (self._folder / name).write_text(content, encoding="ascii")
        return str(self._folder / name)

    def publish_file(self, name: str, content: bytes) -> str:
        """Put a file into the repository; gives its address."""
        home.write(self._home.repository / name, content)
        return f"{self._home.address}/{name}"

    def write_authorities(self) -> dict[str, str]:
        """The PEM bundles of authorities by purpose; certificates and first CRLs are in the repository already."""
        groups: Mapping[str, Sequence[Authority]] = {
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
            path.write_bytes(b"".join(one.certificate.public_bytes(Encoding.PEM) for one in authorities))
            paths[purpose] = str(path)
        return paths

    def _authority(self, slug: str, kind: str, subject: Mapping[str, str]) -> Authority:
        return self._home.add_authority(slug, kind, subject, now=self._now)

    def _issue(self, by: Authority, kind: str, subject: Mapping[str, str], details: Details | None = None) -> LocalSigner:
        return self._home.issue(by.slug, kind, subject, now=self._now, details=details or Details())


def _subject(provider: WalletProvider) -> dict[str, str]:
    return {"C": provider.country, "O": provider.name, "organizationIdentifier": provider.registration_id}
