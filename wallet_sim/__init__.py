"""A wallet for tests: honest by default, misbehaving by name. It keeps its keys in a file and is not for real people's data."""
