"""Countries: ISO codes inside, the other spellings at the edges (DOMAIN 5.3), and the institution ids that begin with one."""

import re

_ALIASES = {"EL": "GR", "UK": "GB"}
_EESSI = {"GR": "EL", "GB": "UK"}

NAMES = {
    "AT": "Austria", "BE": "Belgium", "BG": "Bulgaria", "CH": "Switzerland", "CY": "Cyprus", "CZ": "Czechia", "DE": "Germany",
    "DK": "Denmark", "EE": "Estonia", "ES": "Spain", "FI": "Finland", "FR": "France", "GB": "the United Kingdom", "GR": "Greece",
    "HR": "Croatia", "HU": "Hungary", "IE": "Ireland", "IS": "Iceland", "IT": "Italy", "LI": "Liechtenstein", "LT": "Lithuania",
    "LU": "Luxembourg", "LV": "Latvia", "MT": "Malta", "NL": "the Netherlands", "NO": "Norway", "PL": "Poland", "PT": "Portugal",
    "RO": "Romania", "SE": "Sweden", "SI": "Slovenia", "SK": "Slovakia",
}  # fmt: skip

STATES = frozenset(NAMES)
"""The 32 States that take part in the coordination of social security: EU 27, IS LI NO, CH, GB."""

EFTA_IN_EEA = frozenset({"IS", "LI", "NO"})

WORLD = STATES | {
    "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AU", "AW", "AX", "AZ", "BA", "BB", "BD", "BF", "BH", "BI",
    "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS", "BT", "BV", "BW", "BY", "BZ", "CA", "CC", "CD", "CF", "CG", "CI", "CK", "CL",
    "CM", "CN", "CO", "CR", "CU", "CV", "CW", "CX", "DJ", "DM", "DO", "DZ", "EC", "EG", "EH", "ER", "ET", "FJ", "FK", "FM", "FO",
    "GA", "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM", "GN", "GP", "GQ", "GS", "GT", "GU", "GW", "GY", "HK", "HM", "HN", "HT",
    "ID", "IL", "IM", "IN", "IO", "IQ", "IR", "JE", "JM", "JO", "JP", "KE", "KG", "KH", "KI", "KM", "KN", "KP", "KR", "KW", "KY",
    "KZ", "LA", "LB", "LC", "LK", "LR", "LS", "LY", "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK", "ML", "MM", "MN", "MO", "MP",
    "MQ", "MR", "MS", "MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NC", "NE", "NF", "NG", "NI", "NP", "NR", "NU", "NZ", "OM", "PA",
    "PE", "PF", "PG", "PH", "PK", "PM", "PN", "PR", "PS", "PW", "PY", "QA", "RE", "RS", "RU", "RW", "SA", "SB", "SC", "SD", "SG",
    "SH", "SJ", "SL", "SM", "SN", "SO", "SR", "SS", "ST", "SV", "SX", "SY", "SZ", "TC", "TD", "TF", "TG", "TH", "TJ", "TK", "TL",
    "TM", "TN", "TO", "TR", "TT", "TV", "TW", "TZ", "UA", "UG", "UM", "US", "UY", "UZ", "VA", "VC", "VE", "VG", "VI", "VN", "VU",
    "WF", "WS", "XK", "YE", "YT", "ZA", "ZM", "ZW",
}  # fmt: skip
"""ISO 3166-1 alpha-2, with the user-assigned XK that institutions use for Kosovo."""

NATIONALITIES = WORLD | {"XR", "XS", "XU"}
"""`WORLD` and the three codes for refugee, stateless, unknown (DOMAIN 5.3)."""

ISO_NUMERIC = {
    "AT": "040", "BE": "056", "BG": "100", "CH": "756", "CY": "196", "CZ": "203", "DE": "276", "DK": "208", "EE": "233",
    "ES": "724", "FI": "246", "FR": "250", "GB": "826", "GR": "300", "HR": "191", "HU": "348", "IE": "372", "IS": "352",
    "IT": "380", "LI": "438", "LT": "440", "LU": "442", "LV": "428", "MT": "470", "NL": "528", "NO": "578", "PL": "616",
    "PT": "620", "RO": "642", "SE": "752", "SI": "705", "SK": "703",
}  # fmt: skip
"""ISO 3166-1 numeric, as it stands in the logical number of an EHIC after `80` (DOMAIN 2.3, field 8)."""

_INSTITUTION = re.compile(
    "(?:AT|BE|BG|HR|CY|CZ|DK|EE|FI|FR|DE|EL|HU|IS|IE|IT|LV|LI|LT|LU|MT|NL|NO|PL|PT|RO|SK|SI|ES|SE|CH|UK|EU):[a-zA-Z0-9]{4,10}"
)


def to_iso(code: str) -> str:
    """`EL` as `GR`, `UK` as `GB`; every other code as it is. Does not check that the country exists."""
    return _ALIASES.get(code, code)


def name(code: str) -> str:
    """English name for a sentence ("in the Netherlands"), or the code itself for a State outside the coordination."""
    return NAMES.get(code, code)


def institution_id(text: str) -> str:
    """An EESSI institution id in its one spelling: prefixes `EL` and `UK`, so that `GR:`/`EL:` and `GB:`/`UK:` compare equal."""
    prefix, colon, number = text.partition(":")
    return f"{_EESSI.get(prefix, prefix)}{colon}{number}"


def is_institution_id(text: str) -> bool:
    """Whether `text` has the form of the EESSI repository: country prefix, colon, 4 to 10 letters or digits."""
    return _INSTITUTION.fullmatch(text) is not None


def of_institution(identifier: str) -> str | None:
    """ISO country of an EESSI id, None for `EU:` and for ids that have no such prefix."""
    prefix = to_iso(identifier.partition(":")[0]) if ":" in identifier else ""
    return prefix if prefix in STATES else None
