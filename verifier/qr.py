"""A QR code as inline SVG, drawn from the module matrix: one path, no script, no foreign markup."""

from base64 import b64encode

import qrcode
from qrcode.constants import ERROR_CORRECT_M

_QUIET = 4  # modules of light margin, ISO/IEC 18004 §6.3.8


def svg(text: str) -> str:
    """The SVG document of `text` in a light square with its quiet zone; dark modules are one path."""
    code = qrcode.QRCode(border=0, error_correction=ERROR_CORRECT_M)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    size = len(rows) + 2 * _QUIET
    path = "".join(f"M{x + _QUIET} {y + _QUIET}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{size}v{size}H0z"/><path fill="#000" d="{path}"/></svg>'
    )


def data_uri(text: str) -> str:
    """The same as a `data:` URI for an `img` element."""
    return "data:image/svg+xml;base64," + b64encode(svg(text).encode("ascii")).decode("ascii")
