"""Pictures good and bad, made as a test needs them."""

import io
import secrets
import struct
import zlib
from typing import Any

from PIL import Image


def picture(
    kind: str = "PNG",
    size: tuple[int, int] = (48, 64),
    colour: Any = None,
    mode: str = "RGB",
    **options: Any,
) -> bytes:
    """The bytes of a plain picture, `size` (width, height) pixels large."""
    if colour is None and mode == "RGB":
        colour = tuple(secrets.token_bytes(3))
    out = io.BytesIO()
    Image.new(mode, size, colour if colour is not None else 0).save(out, kind, **options)
    return out.getvalue()


def rotated(kind: str = "JPEG") -> bytes:
    """A picture of 80 × 40 pixels whose EXIF says: turn by 90 degrees, taken by a named camera."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "SecretCamera"
    exif[0x013B] = "SecretArtist"
    return picture(kind, (80, 40), exif=exif.tobytes())


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def bomb(side: int = 60_000) -> bytes:
    """A whole PNG of `side` × `side` black pixels, one bit each, in well under a megabyte."""
    row = 1 + (side + 7) // 8
    assert side % 1000 == 0
    packer = zlib.compressobj(9)
    start = packer.compress(bytes(1000 * row)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(1000 * row)) + packer.flush(zlib.Z_FULL_FLUSH)
    total = side * row
    adler = ((total % 65521) << 16) | 1
    end = b"\x03\x00" + struct.pack(">I", adler)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    data = start + again * (side // 1000 - 1) + end
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def of_size(total: int) -> bytes:
    """A whole JPEG of exactly `total` bytes, most of them comments."""
    plain = picture("JPEG")
    left = total - len(plain)
    comments = bytearray()
    while left:
        take = min(left, 60_000)
        if 0 < left - take < 4:
            take -= 4
        comments += b"\xff\xfe" + struct.pack(">H", take - 2) + b"x" * (take - 4)
        left -= take
    made = plain[:2] + bytes(comments) + plain[2:]
    assert len(made) == total
    return made


HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)" width="9" height="9"/>'


def bad_pictures() -> dict[str, bytes]:
    """Bytes that are no whole image of an allowed type, by what is wrong with them."""
    jpeg, png, webp = (picture(kind, (300, 300), colour=(9, 80, 160)) for kind in ("JPEG", "PNG", "WEBP"))
    return {
        "nothing": b"",
        "svg": SVG,
        "html": HTML,
        "text": b"a picture, honestly",
        "zeros": bytes(5000),
        "gif": picture("GIF"),
        "bmp": picture("BMP"),
        "tiff": picture("TIFF"),
        "pdf": picture("PDF"),
        "jpeg-cut": jpeg[: len(jpeg) * 2 // 3],
        "png-cut": png[: len(png) * 2 // 3],
        "webp-cut": webp[: len(webp) * 2 // 3],
        "jpeg-head-only": jpeg[:20],
        "png-signature-only": png[:8],
    }
