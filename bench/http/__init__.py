"""The credential endpoint under load, against the least a server could do; and durable records against plain commits."""
