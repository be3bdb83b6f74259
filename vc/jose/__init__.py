"""JWS and JWE in the compact form."""
