"""COSE_Sign1."""
