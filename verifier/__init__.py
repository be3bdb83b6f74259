"""The verifier: asks a wallet for documents, checks what it gets, and says what to make of it."""
