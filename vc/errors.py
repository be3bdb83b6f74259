"""The errors of the core: one root, four families, each error with a stable code.

`code` is for programs and never changes its meaning; `detail` is for people and never holds a value from the input
(the input may be personal data or hostile text).
"""


class VcError(Exception):
    """Root of every error the core raises on purpose.

    `code`: stable snake_case word. `detail`: one English sentence or fragment. `pointer`: JSON pointer (RFC 6901) or
    path of the offending member, empty when the whole input is meant.
    """

    def __init__(self, code: str, detail: str = "", *, pointer: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
        self.pointer = pointer


class Malformed(VcError):
    """The bytes are not what they claim to be; reading them again will not help."""


class Refused(VcError):
    """The input is well formed but not allowed now, here, or by this caller."""


class VerificationFailed(VcError):
    """A check was made and its answer is no."""


class Unreachable(VcError):
    """Something outside could not be asked; the answer is unknown, neither yes nor no."""
