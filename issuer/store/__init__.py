"""What the service remembers, in one database all workers share. What may be used once is claimed in one statement."""

from issuer.store.engine import connect

__all__ = ["connect"]
