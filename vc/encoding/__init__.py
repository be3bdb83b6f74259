"""Strict text and byte codecs: one value has one encoding, anything else is refused."""
