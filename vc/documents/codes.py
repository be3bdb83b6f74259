"""Code lists of the documents (DOMAIN 1.4), code to English title. The codes are the standards' own."""

STATUS_CONFIRMATION = {
    "01": "Posted employed person",
    "02": "Employed in two or more States",
    "03": "Posted self-employed person",
    "04": "Self-employed in two or more States",
    "05": "Civil servant",
    "06": "Contract staff of the EU institutions",
    "07": "Mariner",
    "08": "Employed and self-employed in different States",
    "09": "Civil servant in one State, employed or self-employed in another",
    "10": "Flight or cabin crew member",
    "11": "Exception",
    "12": "Working in the State whose legislation applies",
}
"""The box of section 3 of the form: code 01 is box 3.1, code 12 is box 3.12."""

EMPLOYMENT = {"01": "employment", "02": "self-employment"}

EMPLOYMENT_IMPLIED = {"01": "01", "02": "01", "03": "02", "04": "02", "05": "01", "06": "01", "10": "01"}
"""Status code to the one employment type it leaves possible; codes 07, 08, 09, 11 and 12 leave both."""

ID_TYPE = {"01": "registration", "02": "social security", "03": "fiscal", "98": "unknown"}

SEX = {"0": "not known", "1": "male", "2": "female", "3": "other", "4": "inter", "5": "diverse", "6": "open", "9": "not applicable"}
"""ISO/IEC 5218 with the values the PID rulebook adds."""

BIRTH_DATE_PRECISION = {"year": "only the year is known", "month": "year and month are known", "day": "fully known"}
