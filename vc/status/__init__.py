"""Token Status List (draft-ietf-oauth-status-list-20): references, bit lists, and tokens as JWT and CWT."""
