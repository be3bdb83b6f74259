"""QR codes of offer links."""

from io import BytesIO

import qrcode
from qrcode.constants import ERROR_CORRECT_L, ERROR_CORRECT_M
from qrcode.image.pil import PilImage
from qrcode.image.svg import SvgPathImage

_MEDIUM_FITS = 1200  # octets: a longer link (an offer by value) takes the low correction level, or the squares become too small


def svg(text: str) -> bytes:
    """`text` as an SVG document; it carries the squares only, no readable text (SECURITY P-2)."""
    return _drawn(text, SvgPathImage)


def png(text: str) -> bytes:
    """`text` as a PNG picture, eight pixels a square."""
    return _drawn(text, PilImage)


def _drawn(text: str, kind: type[SvgPathImage | PilImage]) -> bytes:
    level = ERROR_CORRECT_M if len(text) <= _MEDIUM_FITS else ERROR_CORRECT_L
    code = qrcode.QRCode(error_correction=level, box_size=8, border=4, image_factory=kind)
    code.add_data(text)
    code.make(fit=True)
    target = BytesIO()
    code.make_image().save(target)
    return target.getvalue()
