"""OpenID4VP 1.0 (with errata-1): the request, the query, the response and what binds them; for verifier and wallet."""
