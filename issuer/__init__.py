"""The issuer: several institutions in one service give documents to wallets (OpenID4VCI 1.0) and take them back."""
