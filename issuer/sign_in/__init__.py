"""Sign-in of the person at an OpenID Provider (OpenID Connect Core 1.0, code flow): we are its client, and check what it signs."""
