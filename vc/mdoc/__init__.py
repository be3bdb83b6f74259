"""ISO/IEC 18013-5 mdoc: issue, present and verify. Document types are not known here."""
