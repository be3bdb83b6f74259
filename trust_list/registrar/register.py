"""The register's directory: parties, and every certificate given out for them. One writer at a time, files replaced whole.

register.json                    address, the PKI and its two authorities, who the registrar is
signer.key.pem (0600), signer.chain.pem
parties/DIGEST.json              a party in TS5's members; DIGEST: of its identifier
issued.json                      access certificates by number, registration certificates by index in the status list
"""

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates

from pki.home import Home, write_signer
from pki.issue import Details
from trust_list.registrar import model
from trust_list.registrar.model import Party
from trust_list.store import locked, write_atomically
from vc.encoding import json
from vc.errors import Refused
from vc.keys.signer import LocalSigner
from vc.openid4vci import registration_certificate
from vc.openid4vci.registration_certificate import Registration
from vc.status.bits import StatusList
from vc.status.reference import StatusReference
from vc.status.token import sign_jwt
from vc.x509.crl import Reason

SIZE = 16_384
"""Places in the status list: enough for a register of a pilot, and many enough to hide how many are taken (TSL-16)."""
REGISTERED_FOR = timedelta(days=360)
STATUS_FOR, STATUS_TTL = timedelta(days=1), 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A certificate given out. `number`: serial of an access certificate, index of a registration certificate."""

    kind: Literal["access", "registration"]
    party: str
    use: str | None
    number: int
    withdrawn: bool


class Register:
    """The register in one directory."""

    def __init__(self, folder: Path) -> None:
        """Raises `Refused("not_initialised")`."""
        self.folder = folder
        try:
            config = json.loads_object((folder / "register.json").read_bytes())
        except (FileNotFoundError, NotADirectoryError) as exc:
            raise Refused("not_initialised", "there is no register in this directory: make one with `registrar init`") from exc
        self.address, self._access = str(config["address"]), str(config["access"])
        self._home = Home(Path(config["pki"]))

    @classmethod
    def create(
        cls, folder: Path, *, address: str, home: Home, access: str, registrar: str, name: str, country: str, now: datetime
    ) -> "Register":
        """A new register that issues with two authorities of `home`: `access` for access certificates, `registrar` for its own.

        Raises `Refused`: `already_initialised`, and what `Home.issue` raises.
        """
        if (folder / "register.json").exists():
            raise Refused("already_initialised", "there is a register in this directory already")
        if home.authority(access).kind.id != "access":
            raise Refused("authority", "access certificates come from an authority of kind access")
        subject = {"C": country, "O": name, "CN": f"Registrar {name}"[:64]}
        signer = home.issue(registrar, "registrar", subject, now=now)
        (folder / "parties").mkdir(parents=True, exist_ok=True)
        write_signer(folder, "signer", signer)
        write_atomically(folder / "issued.json", b"[]")
        config = {"address": address.rstrip("/"), "pki": str(home.folder.resolve()), "access": access}
        write_atomically(folder / "register.json", json.dumps(config))
        return cls(folder)

    @property
    def signer(self) -> LocalSigner:
        """Signs registration certificates, answers and the status list."""
        key = load_pem_private_key((self.folder / "signer.key.pem").read_bytes(), password=None)
        return LocalSigner(key, tuple(load_pem_x509_certificates((self.folder / "signer.chain.pem").read_bytes())))  # type: ignore[arg-type]  # our own file

    @property
    def status_uri(self) -> str:
        return f"{self.address}/status/1"

    def parties(self) -> list[Party]:
        """Everybody registered, by identifier."""
        read = [model.parse(path.read_bytes()) for path in self.folder.glob("parties/*.json")]
        return sorted(read, key=lambda party: party.id)

    def party(self, identifier: str) -> Party:
        """Raises `Refused("party_unknown")`."""
        try:
            return model.parse(self._path(identifier).read_bytes())
        except FileNotFoundError as exc:
            raise Refused("party_unknown", "nobody is registered under this identifier") from exc

    def register(self, party: Party) -> bool:
        """Register a party, or what it is registered for from now on; True when it is new. What certificates stated before and no
        longer holds is withdrawn: those of an intended use that is gone, revoked or changed."""
        with self._changing():
            path = self._path(party.id)
            before = model.parse(path.read_bytes()) if path.exists() else None
            if before is not None:
                kept = {
                    one.intendedUseIdentifier
                    for one in party.intendedUse
                    if before.use(one.intendedUseIdentifier) == one and one.revokedAt is None
                }
                same_provider = (before.providesAttestations, before.entitlements) == (
                    party.providesAttestations,
                    party.entitlements,
                )
                self._withdraw(
                    lambda one: one.kind == "registration" and one.party == party.id
                    and (one.use not in kept if one.use is not None else not same_provider)
                )  # fmt: skip
            write_atomically(path, json.dumps(party.to_json()))
            return before is None

    def remove(self, identifier: str, *, now: datetime) -> None:
        """End a registration: every certificate of it is withdrawn first (TRUST 4: revoked when registration ends).

        Raises `Refused("party_unknown")`.
        """
        with self._changing():
            self.party(identifier)
            for one in self.given():
                if one.kind == "access" and one.party == identifier and not one.withdrawn:
                    self._home.revoke(self._access, one.number, Reason.CESSATION_OF_OPERATION, now=now)
            self._withdraw(lambda one: one.party == identifier)
            self._path(identifier).unlink()

    def give_access(self, identifier: str, details: Details, *, now: datetime) -> LocalSigner:
        """An access certificate (WRPAC) for a registered party. Raises `Refused("party_unknown")` and what `Home.issue` raises."""
        with self._changing():
            party = self.party(identifier)
            name = party.legalPerson.legalName[0][:64]
            subject = {"C": party.country, "O": name, "organizationIdentifier": party.id, "CN": party.tradeName[:64]}
            made = self._home.issue(self._access, "access", subject, now=now, details=details)
            self._note(Given(kind="access", party=party.id, use=None, number=made.chain[0].serial_number, withdrawn=False))
            return made

    def give_registration(self, identifier: str, use: str | None, *, now: datetime) -> str:
        """A registration certificate (WRPRC): of one intended use, or without `use` of what the party provides.

        Raises `Refused`: `party_unknown`, `use_unknown` (also for one that was revoked, and for a party that provides nothing).
        """
        with self._changing():
            party = self.party(identifier)
            stated = _stated(party, use, self.address)
            taken = {one.number for one in self.given() if one.kind == "registration"}
            index = secrets.choice([number for number in range(SIZE) if number not in taken])
            status = StatusReference(uri=self.status_uri, idx=index)
            self._note(Given(kind="registration", party=party.id, use=use, number=index, withdrawn=False))
            return registration_certificate.create(self.signer, stated, now=now, expires=now + REGISTERED_FOR, status=status)

    def withdraw(self, identifier: str, use: str | None) -> int:
        """Withdraw the registration certificates of one use (without `use`: of what the party provides); gives their number."""
        with self._changing():
            self.party(identifier)
            return self._withdraw(lambda one: one.kind == "registration" and (one.party, one.use) == (identifier, use))

    def given(self) -> tuple[Given, ...]:
        """Every certificate given out, oldest first."""
        rows = json.loads((self.folder / "issued.json").read_bytes())
        return tuple(Given(**{**row, "number": int(row["number"], 16)}) for row in rows)

    def status_token(self, *, now: datetime) -> str:
        """The status list of registration certificates, signed now."""
        withdrawn = {one.number: 1 for one in self.given() if one.kind == "registration" and one.withdrawn}
        listed = StatusList.from_indices(SIZE, 1, withdrawn)
        return sign_jwt(listed, uri=self.status_uri, iat=now, exp=now + STATUS_FOR, ttl=STATUS_TTL, signer=self.signer)

    def _withdraw(self, which: Any) -> int:
        rows = self.given()
        chosen = [one for one in rows if not one.withdrawn and which(one)]
        self._store([{**_row(one), "withdrawn": one.withdrawn or one in chosen} for one in rows])
        return len(chosen)

    def _note(self, one: Given) -> None:
        self._store([*(_row(row) for row in self.given()), _row(one)])

    def _store(self, rows: list[dict[str, Any]]) -> None:
        write_atomically(self.folder / "issued.json", json.dumps(rows))

    def _path(self, identifier: str) -> Path:
        return self.folder / "parties" / f"{hashlib.sha256(identifier.encode()).hexdigest()[:40]}.json"

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with locked(self.folder / ".lock"):
            yield


def _row(one: Given) -> dict[str, Any]:
    return {"kind": one.kind, "party": one.party, "use": one.use, "number": f"{one.number:x}", "withdrawn": one.withdrawn}


def _stated(party: Party, use: str | None, address: str) -> Registration:
    about: Mapping[str, Any] = {
        "sub": party.id,
        "name": party.tradeName,
        "legal_name": party.legalPerson.legalName[0],
        "country": party.country,
        "registry_uri": address,
        "service_description": {one.lang: one.content for one in party.srvDescription[0]},
        "entitlements": tuple(party.entitlements),
        "info_uri": party.infoURI[0],
        "support_uri": party.supportURI[0],
        "supervisory_authority": _reached(party),
        "certificate_policy": f"{address}/policy",
    }
    if use is None:
        if not party.providesAttestations:
            raise Refused("use_unknown", "the party provides nothing: name one of its intended uses")
        provided = tuple(one.provided(f"/{index}") for index, one in enumerate(party.providesAttestations))
        return Registration(**about, privacy_policy=party.policy[0].policyURI, provides_attestations=provided)
    found = party.use(use)
    if found is None or found.revokedAt is not None:
        raise Refused("use_unknown", "the party has no such intended use, or it was revoked")
    return Registration(
        **about,
        privacy_policy=found.privacyPolicy.policyURI,
        credentials=tuple(one.requested(f"/{index}") for index, one in enumerate(found.credentials)),
        purpose={one.lang: one.content for one in found.purpose},
        intended_use_id=use,
    )


def _reached(party: Party) -> dict[str, str]:
    authority = party.supervisoryAuthority
    ways = {"email": authority.email, "phone": authority.phone, "uri": authority.formURI}
    return {name: values[0] for name, values in ways.items() if values}
