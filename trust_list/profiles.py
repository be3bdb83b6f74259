"""The EU list profiles of TS 119 602 Annexes D to I, read from data (`data/profiles.json`)."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from vc.encoding import json
from vc.errors import Refused

Role = Literal["issuance", "revocation"]
DEFAULT_LISTS = ("pub-eaa", "pid", "wallet")
"""What a publisher starts with unless told otherwise: the lists a verifier of attestations needs."""
MAX_MONTHS = 6
"""Between issue and next update (clause 6.3.15 with the annexes)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryUri:
    """Where the country URI stands, `TEAddress` or `TEInformationURI`, and how it begins."""

    place: Literal["TEAddress", "TEInformationURI"]
    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRules:
    """What the annex's third table asks of listed certificates. `one_key`: all of one entry share key and subject.
    `names`: the subject's O is the entity's name ("equal"), its O or CN is ("included"), or it should be (clause 6.6.3)."""

    one_key: bool
    names: Literal["equal", "included", "should"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One annex. `history_period` None and `statuses` empty mean: the member must be absent. `status_determination_tolerated`:
    spellings read beside the printed one, never written."""

    list_id: str
    annex: str
    list_type: str
    status_determination: str
    status_determination_tolerated: tuple[str, ...]
    community_rules: str
    services: dict[Role, str]
    statuses: tuple[str, ...]
    history_period: int | None
    points_to_itself: bool
    archive_uri: bool
    country_uri: CountryUri
    certificates: CertificateRules
    unique_identifier: bool
    supply_point: bool

    @property
    def has_status(self) -> bool:
        """True for Annex H only: its services carry status, start time and history."""
        return bool(self.statuses)

    def table(self, number: int) -> str:
        """How findings name the annex's tables: 1 the scheme, 2 entities, 3 services."""
        return f"Annex {self.annex}, Table {self.annex}.{number}"

    @property
    def notified(self) -> str:
        return next(uri for uri in self.statuses if uri.endswith("/notified"))

    @property
    def withdrawn(self) -> str:
        return next(uri for uri in self.statuses if uri.endswith("/withdrawn"))


def names() -> tuple[str, ...]:
    """The ids of the six EU lists, those of attestations first."""
    return ("pub-eaa", "pid", "wallet", "wrpac", "wrprc", "registrars")


@cache
def profile(list_id: str) -> Profile:
    """The profile of `list_id`. Raises `Refused("list_unknown")`."""
    if list_id not in names():
        raise Refused("list_unknown", f"the lists are {', '.join(names())}")
    rows = json.loads_object(files("trust_list").joinpath("data/profiles.json").read_bytes())["profiles"]
    row = rows[list_id]
    services: dict[Role, str] = {}
    for uri in row["serviceTypes"]:
        services["revocation" if uri.endswith("/Revocation") else "issuance"] = uri
    statuses = row["ServiceStatus"]
    period = row["HistoricalInformationPeriod"]
    country, certificates = row["countryUri"], row["certificateRules"]
    return Profile(
        list_id=list_id,
        annex=row["annex"],
        list_type=row["LoTEType"],
        status_determination=row["StatusDeterminationApproach"],
        status_determination_tolerated=tuple(row.get("StatusDeterminationApproach_tolerated", ())),
        community_rules=row["SchemeTypeCommunityRules"],
        services=services,
        statuses=tuple(statuses) if isinstance(statuses, list) else (),
        history_period=period if isinstance(period, int) else None,
        points_to_itself=row["PointersToOtherLoTE"] == "self",
        archive_uri=row["archiveUri"] == "required",
        country_uri=CountryUri(place=country["in"].split(".")[0], prefix=country["prefix"]),
        certificates=CertificateRules(one_key=certificates["oneKey"], names=certificates["subjectNames"]),
        unique_identifier="serviceUniqueIdentifier" in row,
        supply_point="ServiceSupplyPoints" in row,
    )
