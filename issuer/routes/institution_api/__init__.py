"""The institution API, `/api/v1`: the bearer token decides which institution asks."""
