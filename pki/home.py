"""The directory of a public key infrastructure. One writer at a time, files replaced whole.

pki.json                              base address of the repository
authorities/SLUG/authority.json       kind, number of the last revocation list, revoked certificates
authorities/SLUG/key.pem (0600), certificate.pem
authorities/SLUG/issued.jsonl         one line for each certificate: what, for whom, until when
repository/SLUG.cer, SLUG.crl         what the world may read
"""

import fcntl
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from pki import issue
from pki.issue import NOTHING_MORE, Authority, Details
from pki.kinds import AUTHORITIES, CRL_LIFE, LEAVES
from vc.clock import from_numeric_date, to_numeric_date
from vc.encoding import json
from vc.errors import Malformed, Refused
from vc.keys.signer import LocalSigner
from vc.x509 import crl
from vc.x509.certificate import der
from vc.x509.crl import Reason, Revocation

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A certificate on record. `revoked`: since when and why, None while it stands."""

    serial: int
    kind: str
    subject: str
    not_after: datetime
    revoked: Revocation | None


class Home:
    """Authorities of one directory, and what they issue."""

    def __init__(self, folder: Path) -> None:
        """Raises `Refused("not_initialised")` for a directory that `create` did not make."""
        self.folder = folder
        try:
            self.address = str(json.loads_object((folder / "pki.json").read_bytes())["repository"])
        except (FileNotFoundError, NotADirectoryError) as exc:
            raise Refused("not_initialised", "there is no PKI in this directory: make one with `portadoc pki init`") from exc

    @classmethod
    def create(cls, folder: Path, *, repository: str) -> "Home":
        """A new directory. `repository`: base URL under which certificates and revocation lists will be read.

        Raises `Refused("already_initialised")`.
        """
        if (folder / "pki.json").exists():
            raise Refused("already_initialised", "there is a PKI in this directory already")
        (folder / "authorities").mkdir(parents=True, exist_ok=True)
        (folder / "repository").mkdir(exist_ok=True)
        note = "Certificates of this repository are issued for tests and demonstrations. They identify nobody.\n"
        write(folder / "repository" / "practice.txt", note.encode())
        write(folder / "pki.json", json.dumps({"repository": repository.rstrip("/")}))
        return cls(folder)

    @property
    def repository(self) -> Path:
        """The folder to be served."""
        return self.folder / "repository"

    def slugs(self) -> tuple[str, ...]:
        """The authorities, by name."""
        return tuple(sorted(path.parent.name for path in self.folder.glob("authorities/*/authority.json")))

    def add_authority(self, slug: str, kind: str, subject: Mapping[str, str], *, now: datetime) -> Authority:
        """A new authority with its first revocation list.

        Raises `Refused`: `slug`, `slug_taken`, `kind`, and what `issue.authority` raises.
        """
        if _SLUG.fullmatch(slug) is None:
            raise Refused("slug", "an authority's name: lower-case letters, digits and single hyphens")
        if kind not in AUTHORITIES:
            raise Refused("kind", f"kinds of authorities: {', '.join(AUTHORITIES)}")
        with self._locked():
            if slug in self.slugs():
                raise Refused("slug_taken", "there is an authority of this name")
            made = issue.authority(slug, AUTHORITIES[kind], subject, repository=self.address, now=now)
            folder = self._of(slug)
            folder.mkdir(exist_ok=True)
            write(folder / "key.pem", pem_of_key(made.key), mode=0o600)
            write(folder / "certificate.pem", made.certificate.public_bytes(Encoding.PEM))
            write(self.repository / f"{slug}.cer", der(made.certificate))
            self._publish(made, {"kind": kind, "crl_number": 0, "revoked": []}, now)
        return made

    def authority(self, slug: str) -> Authority:
        """An authority of this directory. Raises `Refused("authority_unknown")`."""
        state, folder = self._state(slug), self._of(slug)
        key = load_pem_private_key((folder / "key.pem").read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise Malformed("authority", "the key of the authority is no EC key")
        certificate = x509.load_pem_x509_certificate((folder / "certificate.pem").read_bytes())
        return Authority(slug=slug, kind=AUTHORITIES[state["kind"]], key=key, certificate=certificate)

    def issue(
        self,
        slug: str,
        kind: str,
        subject: Mapping[str, str],
        *,
        now: datetime,
        details: Details = NOTHING_MORE,
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> LocalSigner:
        """A certificate of `kind`, on record before it is given out. Raises `Refused("kind")` and what `issue.leaf` raises."""
        if kind not in LEAVES:
            raise Refused("kind", f"kinds of certificates: {', '.join(LEAVES)}")
        made = issue.leaf(self.authority(slug), LEAVES[kind], subject, repository=self.address, now=now, details=details, key=key)
        self._record(slug, kind, made.chain[0])
        return made

    def link(self, old: str, new: str) -> x509.Certificate:
        """The link certificate from authority `old` to its successor `new`, on record with the old one."""
        made = issue.link(self.authority(old), self.authority(new), repository=self.address)
        self._record(old, "link", made)
        write(self.repository / f"{old}-to-{new}.cer", der(made))
        return made

    def issued(self, slug: str) -> tuple[Issued, ...]:
        """What an authority issued, oldest first, with what was revoked."""
        revoked = {one.serial: one for one in _revoked(self._state(slug))}
        try:
            lines = (self._of(slug) / "issued.jsonl").read_bytes().splitlines()
        except FileNotFoundError:
            return ()
        rows = [json.loads_object(line) for line in lines]
        return tuple(
            Issued(
                serial=int(row["serial"], 16),
                kind=row["kind"],
                subject=row["subject"],
                not_after=from_numeric_date(row["not_after"]),
                revoked=revoked.get(int(row["serial"], 16)),
            )
            for row in rows
        )

    def revoke(self, slug: str, serial: int, reason: Reason, *, now: datetime) -> None:
        """Revoke a certificate for good; the next revocation list is published at once. Once more with a graver reason (the key
        turns out to be compromised) is allowed, any other change is not.

        Raises `Refused`: `serial_unknown`, `already_revoked`.
        """
        with self._locked():
            known = next((one for one in self.issued(slug) if one.serial == serial), None)
            if known is None:
                raise Refused("serial_unknown", "this authority issued no certificate of this number")
            before = known.revoked
            if before is not None and (before.doubted or not Revocation(serial=serial, since=now, reason=reason).doubted):
                raise Refused("already_revoked", f"it was revoked on {before.since:%Y-%m-%d}, reason {before.reason}")
            state = self._state(slug)
            others = [row for row in state["revoked"] if int(row["serial"], 16) != serial]
            since = now if before is None else before.since
            row = {"serial": f"{serial:x}", "since": to_numeric_date(since), "reason": str(reason)}
            self._publish(self.authority(slug), {**state, "revoked": [*others, row]}, now)

    def publish(self, slug: str, *, now: datetime) -> int:
        """The next revocation list of an authority; gives its number. To be done well before the last one is over."""
        with self._locked():
            return self._publish(self.authority(slug), self._state(slug), now)

    def _publish(self, by: Authority, state: Mapping[str, Any], now: datetime) -> int:
        """What is revoked is on record before the list says so: a list that was lost is made again, a record is not."""
        number = int(state["crl_number"]) + 1
        write(self._of(by.slug) / "authority.json", json.dumps({**state, "crl_number": number}))
        built = crl.build(
            by.certificate, by.key, number=number, this_update=now, next_update=now + CRL_LIFE, revoked=_revoked(state)
        )
        write(self.repository / f"{by.slug}.crl", built)
        return number

    def _record(self, slug: str, kind: str, certificate: x509.Certificate) -> None:
        row = {
            "serial": f"{certificate.serial_number:x}",
            "kind": kind,
            "subject": certificate.subject.rfc4514_string(),
            "not_after": to_numeric_date(certificate.not_valid_after_utc),
        }
        with self._locked(), (self._of(slug) / "issued.jsonl").open("ab") as file:
            file.write(json.dumps(row) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _state(self, slug: str) -> dict[str, Any]:
        try:
            return json.loads_object((self._of(slug) / "authority.json").read_bytes())
        except (FileNotFoundError, NotADirectoryError) as exc:
            raise Refused("authority_unknown", f"authorities here: {', '.join(self.slugs()) or 'none'}") from exc

    def _of(self, slug: str) -> Path:
        if _SLUG.fullmatch(slug) is None:
            raise Refused("authority_unknown", f"authorities here: {', '.join(self.slugs()) or 'none'}")
        return self.folder / "authorities" / slug

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.folder / ".lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _revoked(state: Mapping[str, Any]) -> list[Revocation]:
    return [
        Revocation(serial=int(row["serial"], 16), since=from_numeric_date(row["since"]), reason=Reason(row["reason"]))
        for row in state["revoked"]
    ]


def write(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Replace the file whole: readers see the old content or the new."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def pem_of_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The private key as PEM, for a file only its owner can read."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def write_signer(folder: Path, name: str, signer: LocalSigner) -> dict[str, str]:
    """Put a signer into `NAME.key.pem` (mode 0600) and `NAME.chain.pem`; gives the two paths as settings files take them."""
    key, chain = folder / f"{name}.key.pem", folder / f"{name}.chain.pem"
    write(key, pem_of_key(signer.private_key), mode=0o600)
    write(chain, b"".join(certificate.public_bytes(Encoding.PEM) for certificate in signer.chain))
    return {"key": str(key), "chain": str(chain)}
