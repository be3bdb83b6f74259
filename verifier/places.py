"""Civil time of the countries: "today" at an inspection or a treatment is the day of the country it takes place in (P-8)."""

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from vc.documents.country import to_iso

ZONES: Mapping[str, str] = {
    "AT": "Europe/Vienna", "BE": "Europe/Brussels", "BG": "Europe/Sofia", "CH": "Europe/Zurich", "CY": "Asia/Nicosia",
    "CZ": "Europe/Prague", "DE": "Europe/Berlin", "DK": "Europe/Copenhagen", "EE": "Europe/Tallinn", "ES": "Europe/Madrid",
    "FI": "Europe/Helsinki", "FR": "Europe/Paris", "GB": "Europe/London", "GR": "Europe/Athens", "HR": "Europe/Zagreb",
    "HU": "Europe/Budapest", "IE": "Europe/Dublin", "IS": "Atlantic/Reykjavik", "IT": "Europe/Rome", "LI": "Europe/Vaduz",
    "LT": "Europe/Vilnius", "LU": "Europe/Luxembourg", "LV": "Europe/Riga", "MT": "Europe/Malta", "NL": "Europe/Amsterdam",
    "NO": "Europe/Oslo", "PL": "Europe/Warsaw", "PT": "Europe/Lisbon", "RO": "Europe/Bucharest", "SE": "Europe/Stockholm",
    "SI": "Europe/Ljubljana", "SK": "Europe/Bratislava",
}  # fmt: skip
"""The zone of the capital, for each State of `vc.documents.country.STATES`."""


def today(now: datetime, country: str | None) -> date:
    """The civil date of `now` in that country (ISO code, EL or UK); in UTC for no country or one outside the table."""
    zone = ZONES.get(to_iso(country)) if country is not None else None
    return (now if zone is None else now.astimezone(ZoneInfo(zone))).date()
