"""X.509: paths to a given anchor, rule sets, and a builder for demo and tests."""
