"""Files that phones and programs send and that break a rule, with all of their pixels.

The files of tests/files/images are of the same kinds.
"""

import struct
import zlib

from PIL import Image

from tests.heif_files import case
from tests.pictures import png_chunk, saved, textile

WIDTH, HEIGHT = SIZE = (400, 300)
TEXT = b"Image_UTC_Data1528366143123SEFHj\0\0\0SEFT" * 20
EOI = b"\xff\xd9"


def cloth():
    return textile(*SIZE)


def odd_pictures():
    """{name: (bytes, size, the whole file that they show)} of every odd file, made here or kept (without the whole)."""
    kept = dict.fromkeys(("j01a", "j01c", "j13a", "j19", "w10", "x4", "x5"), (800, 600))
    kept |= dict.fromkeys(("p09a", "p10a", "p12_"), SIZE)
    kept["j13a"] = (600, 800)
    made = {**odd_jpegs(), **odd_pngs(), **odd_webps()}
    return {name: (data, SIZE, whole) for name, (data, whole) in made.items()} | {
        name: (case(name), size, None) for name, size in kept.items()
    }


def odd_jpegs():
    plain, progressive = saved(cloth()), saved(cloth(), progressive=True)
    grey = saved(cloth().convert("L"))
    restarts = saved(cloth(), restart_marker_blocks=5)
    turned = saved(cloth().rotate(90, expand=True), exif=turn(6))
    markers = b"\xff\xe1\xff\xf0\xff\xda\0\x04"
    return {
        "JPEG without end mark": (plain[:-2], plain),
        "JPEG with half of its end mark": (plain[:-1], plain),
        "grey JPEG without end mark": (grey[:-2], grey),
        "JPEG with restarts without end mark": (restarts[:-2], plain),
        "progressive JPEG without end mark": (progressive[:-2], progressive),
        "JPEG with text in place of the end mark": (plain[:-2] + TEXT, plain),
        "JPEG with a long text in place of the end mark": (plain[:-2] + TEXT * 300, plain),
        "JPEG with text before the end mark": (plain[:-2] + TEXT + EOI, plain),
        "JPEG with another in place of the end mark": (plain[:-2] + TEXT + saved(textile(64, 64)), plain),
        "JPEG with markers in place of the end mark": (plain[:-2] + TEXT + markers + TEXT, plain),
        "progressive JPEG with text in place of the end mark": (progressive[:-2] + TEXT, progressive),
        "progressive JPEG without its last details": (
            progressive[: len(progressive) * 2 // 3] + EOI,
            progressive,
        ),
        "JPEG with tables 2 and 3": (with_tables(plain, 2, 3), plain),
        "JPEG with tables 3 and 1, to turn": (with_tables(turned, 3, 1), plain),
        "JPEG with its height after the scan": (with_late_height(plain), plain),
        "grey JPEG with its height after the scan": (with_late_height(grey), grey),
        "JPEG with restarts with its height after the scan": (with_late_height(restarts), plain),
    }


def turn(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def with_tables(data, luminance, chrominance):
    """The JPEG with other numbers of its two quantisation tables."""
    data = bytearray(data)
    frame = data.index(b"\xff\xc0")
    first = data.index(b"\xff\xdb")
    second = data.index(b"\xff\xdb", first + 2)
    data[first + 4], data[second + 4] = luminance, chrominance
    for component, table in enumerate((luminance, chrominance, chrominance)):
        data[frame + 12 + 3 * component] = table
    return bytes(data)


def with_late_height(data):
    """The JPEG with a height of 0 in its frame header, and the height in a DNL segment after the scan."""
    frame = data.index(b"\xff\xc0") + 5
    height = data[frame : frame + 2]
    return data[:frame] + b"\0\0" + data[frame + 2 : -2] + b"\xff\xdc\0\x04" + height + EOI


def sent_as_text(data):
    """What a program makes of a file that it takes for text."""
    return data.replace(b"\n", b"\r\n")


def png_parts(data):
    """(head with IHDR, unpacked rows) of a PNG in RGB."""
    position, packed = 33, b""
    while position < len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        packed += data[position + 8 : position + 8 + length] if kind == b"IDAT" else b""
        position += 12 + length
    return data[:33], zlib.decompress(packed)


def odd_pngs():
    plain = saved(cloth(), "image/png")
    head, rows = png_parts(plain)
    packed, end = zlib.compress(rows), png_chunk(b"IEND", b"")
    pixels = png_chunk(b"IDAT", packed)
    row = bytes(1 + 3 * WIDTH)

    def damaged(kind, payload):
        return png_chunk(kind, payload)[:-1] + b"?"

    frame = struct.pack(">IIIIIHHBB", 0, WIDTH, HEIGHT, 0, 0, 1, 10, 0, 0)
    made = {
        "PNG with another row": head + png_chunk(b"IDAT", zlib.compress(rows + row)) + end,
        "PNG with many other rows": head + png_chunk(b"IDAT", zlib.compress(rows + row * 3000)) + end,
        "PNG with bytes after its packed pixels": head + png_chunk(b"IDAT", packed + TEXT) + end,
        "PNG with a chunk of pixels too many": head + pixels + png_chunk(b"IDAT", TEXT) + end,
        "PNG with bytes in place of its end": head + pixels + TEXT,
        "PNG without end": head + pixels,
        "PNG with half of its end": head + pixels + end[:6],
        "PNG cut off in the checksum of its pixels": head + pixels[:-2],
        "PNG cut off in the checksum of its packed pixels": head + pixels[:-7],
        "PNG with a wrong checksum of its packed pixels": head + png_chunk(b"IDAT", packed[:-1] + b"?") + end,
        "PNG with a damaged text": head + damaged(b"tEXt", b"Comment\0text") + pixels + end,
        "PNG with a damaged profile": head
        + damaged(b"iCCP", b"name\0\0" + zlib.compress(b"?"))
        + pixels
        + end,
        "PNG with a damaged EXIF": head + damaged(b"eXIf", turn(6).tobytes()) + pixels + end,
        "PNG with a text cut off after its pixels": head + pixels + png_chunk(b"tEXt", TEXT)[:50],
        "animated PNG of one frame": b"".join(
            [head, png_chunk(b"acTL", struct.pack(">II", 1, 0)), png_chunk(b"fcTL", frame), pixels, end]
        ),
    }
    return {name: (data, plain) for name, data in made.items()}


def riff_chunk(kind, payload):
    return kind + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) & 1)


def webp_of_one_frame(still):
    """The picture as an animation with a single frame."""
    parts = still[12:]
    if parts[:4] == b"VP8X":
        parts = parts[18:]
    size = (WIDTH - 1).to_bytes(3, "little") + (HEIGHT - 1).to_bytes(3, "little")
    frame = riff_chunk(b"ANMF", bytes(6) + size + b"\x64\0\0\0" + parts)
    head = riff_chunk(b"VP8X", b"\x02\0\0\0" + size) + riff_chunk(b"ANIM", bytes(6))
    return riff_chunk(b"RIFF", b"WEBP" + head + frame)


def odd_webps():
    see_through = cloth().convert("RGBA")
    see_through.putalpha(Image.linear_gradient("L").resize(SIZE))
    plain, lossless, alpha = (
        saved(cloth(), "image/webp"),
        saved(cloth(), "image/webp", lossless=True),
        saved(see_through, "image/webp"),
    )
    return {
        "animated WebP of one frame": (webp_of_one_frame(plain), plain),
        "animated lossless WebP of one frame": (webp_of_one_frame(lossless), lossless),
        "animated WebP of one frame with alpha": (webp_of_one_frame(alpha), alpha),
        "WebP whose announced size is too large": (
            b"RIFF" + struct.pack("<I", len(plain) + 100) + plain[8:],
            plain,
        ),
        "WebP with a text cut off after its picture": ((plain + riff_chunk(b"XMP ", TEXT))[:-50], plain),
    }
