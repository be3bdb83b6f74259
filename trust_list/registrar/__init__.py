"""A small register of relying parties and issuers, after the Commission's TS5: who is registered, and certificates of it."""
