"""Why a document is withdrawn: the words of the API and of the command line, kept with the record, told to the institution only."""

from typing import Literal

Reason = Literal[
    "unspecified",
    "facts_changed",
    "issued_in_error",
    "fraud",
    "legislation_changed",
    "superseded",
    "holder_request",
    "holder_deceased",
    "key_compromised",
]
