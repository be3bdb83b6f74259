"""A small public key infrastructure: authorities, what they certify, revocation lists, and the rules certificates are held to."""
