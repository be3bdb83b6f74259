"""What the verifier keeps: transactions with their one life, and status list tokens already fetched."""
