"""OpenID4VCI 1.0 messages and their rules, for both sides: what is sent is built here, what is received is read here."""
