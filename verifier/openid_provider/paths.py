"""The addresses of the provider below the verifier's base URL, which is the issuer identifier."""

DISCOVERY = "/.well-known/openid-configuration"
AUTHORIZE = "/openid/authorize"
SIGN_IN = "/openid/sign-in"
RETURN = "/openid/return"
TOKEN = "/openid/token"  # noqa: S105 — an address
JWKS = "/openid/jwks"
