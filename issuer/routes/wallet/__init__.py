"""OpenID4VCI 1.0 as wallets see it: token, nonce, credential, notification."""
