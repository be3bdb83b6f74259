"""Country codes compared: the EU's own EL and UK beside ISO's GR and GB (TS 119 602 clause 6.1.5 against Table H.2)."""

_TO_ISO = {"EL": "GR", "UK": "GB"}


def normal(code: str) -> str:
    """The ISO 3166-1 form of a two-letter code; anything else comes back unchanged, in capitals."""
    upper = code.upper()
    return _TO_ISO.get(upper, upper)


def of_institution(institution_id: str) -> str | None:
    """The country an institution identifier `CC:number` names; None when it names none or only the Union (`EU:`)."""
    prefix, colon, rest = institution_id.partition(":")
    if not colon or not rest or len(prefix) != 2 or not (prefix.isascii() and prefix.isalpha()):
        return None
    country = normal(prefix)
    return None if country == "EU" else country
