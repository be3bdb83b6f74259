"""The verifier as OpenID Provider: a person signs in at a client by presenting the PID (OpenID Connect Core 1.0, code flow)."""
