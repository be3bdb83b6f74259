"""What a verifiable credential is and how it travels: the pure core.

Nothing in this package opens a file or a socket, reads a clock or draws randomness; the world is handed in.
"""
