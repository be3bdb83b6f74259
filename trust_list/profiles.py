"""The EU list profiles of TS 119 602 Annexes D to I, read from data (`data/profiles.json`)."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from vc.encoding import json
from vc.errors import Refused

Role = Literal["issuance", "revocation"]
MAX_MONTHS = 6
"""Between issue and next update (clause 6.3.15 with the annexes)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryUri:
    """Where the country URI stands, `TEAddress` or `TEInformationURI`, and how it begins."""

    place: Literal["TEAddress", "TEInformationURI"]
    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One annex. `history_period` None and `statuses` empty mean: the member must be absent."""

    list_id: str
    annex: str
    list_type: str
    status_determination: str
    community_rules: str
    services: dict[Role, str]
    statuses: tuple[str, ...]
    history_period: int | None
    points_to_itself: bool
    country_uri: CountryUri | None

    @property
    def has_status(self) -> bool:
        """True for Annex H only: its services carry status, start time and history."""
        return bool(self.statuses)

    @property
    def notified(self) -> str:
        return next(uri for uri in self.statuses if uri.endswith("/notified"))

    @property
    def withdrawn(self) -> str:
        return next(uri for uri in self.statuses if uri.endswith("/withdrawn"))


def names() -> tuple[str, ...]:
    """The list ids this product publishes and consumes."""
    return ("pub-eaa", "pid", "wallet")


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
    country = row.get("countryUri")
    return Profile(
        list_id=list_id,
        annex=row["annex"],
        list_type=row["LoTEType"],
        status_determination=row["StatusDeterminationApproach"],
        community_rules=row["SchemeTypeCommunityRules"],
        services=services,
        statuses=tuple(statuses) if isinstance(statuses, list) else (),
        history_period=period if isinstance(period, int) else None,
        points_to_itself=row["PointersToOtherLoTE"] == "self",
        country_uri=CountryUri(place=country["in"].split(".")[0], prefix=country["prefix"]) if country else None,
    )
