"""Keys: curves, JWK, COSE_Key and the signer protocol."""
