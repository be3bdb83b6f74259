"""What to do about an answer: by its code where that says more, else by the outcome. Sentences for an inspector or an operator."""

BY_OUTCOME = {
    "TRUSTED": "",
    "TRUSTED_AT_ISSUANCE": "It counted when it signed and no longer does: ask the institution whether the document still stands.",
    "WITHDRAWN": "Do not rely on it; ask the institution for a document of a current issuer.",
    "NOT_YET_NOTIFIED": "Ask the list operator from when the issuer counts.",
    "UNKNOWN_ISSUER": "Do not rely on it; ask the holder where the document comes from and report it to the liaison office.",
    "OUT_OF_SCOPE": "Do not rely on it for this purpose; ask the institution named in the document.",
    "INDETERMINATE": "Check again when the trust list can be read; until then neither accept nor refuse on this ground.",
}
BY_CODE = {
    "cert_expired": "The certificate had ended when the document was signed; ask the institution for a new document.",
    "cert_key_usage": "The issuer used a certificate that is not made for this; tell the institution.",
    "cert_extended_key_usage": "The issuer used a certificate that is not made for this format; tell the institution.",
    "clock_set_back": "Set the clock of this machine right and check again.",
    "content_not_stated": "Ask the holder to show the issuing country and the institution too.",
    "key_of_other_body": "Do not rely on it and tell the list operator: a listed key is used under another name.",
    "list_expired": "Refresh the trust list: its publisher has not renewed it in time or cannot be reached.",
    "list_never_accepted": "Let this machine reach the publisher of the trust list once, or hand it the list by other means.",
    "list_unknown": "Add the list to the trust root, or ask about a list the root names.",
    "listed_elsewhere": "The issuer used a certificate made for another part: tell the institution, and do not rely on it.",
    "listed_for_other_role": "The issuer used the wrong one of its certificates: tell the institution, and do not rely on it.",
    "root_expired": "Install the current trust root.",
    "scope_unreadable": "Ask the list operator to correct what the list allows this issuer.",
    "scope_unstated": "Ask the list operator to state what this issuer may issue.",
    "withdrawal_reason_unknown": "Ask the institution to confirm the document: the list does not say why the issuer was withdrawn.",
    "withdrawn_compromised": "Do not rely on it: the key may have been in other hands, whatever date the document bears.",
}


def next_step(code: str, outcome: str) -> str:
    """The one sentence for an answer with `code` in a decision with `outcome`; empty when there is nothing to do."""
    return BY_CODE.get(code, BY_OUTCOME[outcome])
