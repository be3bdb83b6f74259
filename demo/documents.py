"""The one synthetic person of the story and her documents, dated around the day the demo runs. Numbers fail their checks."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

HOST_COUNTRY = "DE"
"""Where she is posted, and where she falls ill."""
OTHER_COUNTRY = "AT"
"""A country her A1 does not cover."""

IDENTITY: Mapping[str, Any] = {
    "authentic_source_person_id": "FR-TEST-0001",
    "schema": {"name": "DefaultSchema", "version": "1.0.0"},
    "family_name": "MARTIN",
    "given_name": "Camille",
    "birth_date": "1988-04-17",
    "birth_place": "Lyon",
    "nationality": ["FR"],
    "sex": "2",
}


def last_day(today: date) -> date:
    """The last day of the cover both documents certify."""
    return today + timedelta(days=120)


URSSAF: Mapping[str, str] = {"id": "FR:7500001", "name": "Urssaf (test)", "country": "FR"}
AUSTRIAN: Mapping[str, str] = {"id": "AT:0000099", "name": "Österreichische Sozialversicherung (test)", "country": "AT"}
"""Institutions that certify: id, name and country as the document has them."""


def pda1(today: date, *, number: int = 1, authority: Mapping[str, str] = URSSAF) -> dict[str, Any]:
    """A posting from the country of `authority` to Germany that began two months ago."""
    country = authority["country"]
    start, end = today - timedelta(days=60), last_day(today)
    return {
        "identity": dict(IDENTITY),
        "document_data": {
            "attestation_legal_category": "PuB-EAA",
            "personal_administrative_number": "2880469999999",
            "document_number": f"{country}-A1-TEST-{number:07d}",
            "issuing_authority": dict(authority),
            "issuing_country": country,
            "authentic_source": {"id": authority["id"], "name": authority["name"]},
            "date_of_issuance": (start - timedelta(days=10)).isoformat(),
            "date_of_expiry": end.isoformat(),
            "starting_date": start.isoformat(),
            "ending_date": end.isoformat(),
            "employer": [
                {"type": "01", "id": "SIRET99999999900011", "name": "Toitures du Rhône SAS (fictive)", "country": country}
            ],
            "work_information": {
                "work_address": [
                    {
                        "formatted": "Baustelle Nord, Musterstraße 12, 70173 Stuttgart",
                        "street_address": "Musterstraße",
                        "house_number": "12",
                        "postal_code": "70173",
                        "locality": "Stuttgart",
                        "country": HOST_COUNTRY,
                        "company_name": "Muster Bau GmbH (fiktiv)",
                        "company_id": "HRB999999",
                    }
                ]
            },
            "legislation_country": country,
            "status_confirmation": "01",
            "transitional_rules": False,
        },
    }


def ehic(today: date) -> dict[str, Any]:
    """A French European Health Insurance Card."""
    start, end = today - timedelta(days=60), last_day(today)
    return {
        "identity": dict(IDENTITY),
        "document_data": {
            "attestation_legal_category": "PuB-EAA",
            "personal_administrative_number": "2880469999999",
            "document_number": "80250000019900000101",
            "issuing_authority": {"id": "FR:7500100", "name": "CNAM (test)"},
            "issuing_country": "FR",
            "authentic_source": {"id": "FR:33100", "name": "CPAM Gironde (test)"},
            "date_of_issuance": start.isoformat(),
            "date_of_expiry": end.isoformat(),
            "starting_date": start.isoformat(),
            "ending_date": end.isoformat(),
        },
    }
