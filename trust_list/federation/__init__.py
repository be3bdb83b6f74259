"""OpenID Federation 1.0 as a source of trust, for issuers the trust lists do not know and only where it was configured."""
