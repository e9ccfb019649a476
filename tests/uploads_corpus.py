"""Files that nobody should accept, made by code: {name: bytes}."""

import io
import struct
import zlib

from PIL import Image

from tests.heif_files import case, heic
from tests.odd_pictures import EOI, sent_as_text, with_late_height
from tests.pictures import picture, png, png_chunk, quartered, saved, textile

SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
HTML = b"<!DOCTYPE html><script>alert(1)</script>"


def animated(kind):
    out = io.BytesIO()
    frames = [quartered(64, 64), Image.new("RGB", (64, 64), "red")]
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=100)
    return out.getvalue()


def webp_bomb(width=16_383, height=16_383):
    """The head of a lossless WebP of 268 megapixels, and next to nothing after it."""
    bits = (width - 1) | (height - 1) << 14
    payload = b"\x2f" + struct.pack("<I", bits) + b"\0" * 60
    body = b"WEBPVP8L" + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) & 1)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def jpeg_with_size(width, height):
    """A small JPEG whose frame header lies."""
    data = bytearray(picture(width=64, height=64))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def jpeg_of_many_scans(scans=1000):
    """A progressive JPEG that repeats its last scan: each costs a pass over the whole picture."""
    data = saved(textile(300, 300), progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * scans + data[-2:]


def jpeg_of_many_tables(count=30_000):
    """A JPEG with many empty segments of tables, each of which would be kept by itself."""
    data = picture()
    return data[:2] + b"\xff\xc4\0\2" * count + data[2:]


def packed_bomb(kind, size=100_000_000):
    """A PNG with a text or profile chunk that unpacks to 100 MB."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1_000_000)) for _ in range(size // 1_000_000)) + packer.flush()
    return png(64, 64, png_chunk(kind, b"name\0\0" + packed))


def damaged_png():
    data = bytearray(picture("image/png"))
    data[len(data) // 2] ^= 0xFF
    return bytes(data)


def without_pixels():
    """A PNG whose pixels end half way, though every chunk is whole."""
    return png(400, 300, rows=150)


def corpus():
    """Every bad file; each is to be answered with 400 invalid_image."""
    jpeg, whole_png, webp = picture(), picture("image/png"), picture("image/webp")
    return {
        "nothing": b"",
        "one byte": b"\xff",
        "text": b"this is no picture",
        "svg": SVG,
        "html": HTML,
        "html with a JPEG's first bytes": b"\xff\xd8\xff" + HTML,
        "gif": gif(),
        "bmp": bmp(),
        "tiff": tiff(),
        "mp4": mp4(),
        "zip": b"PK\x03\x04" + bytes(100),
        "truncated JPEG": jpeg[: len(jpeg) // 2],
        "JPEG of a head alone": jpeg[:200],
        "truncated PNG": whole_png[: len(whole_png) // 2],
        "PNG without its last pixels": whole_png[:-36],
        "PNG of half its rows": without_pixels(),
        "damaged PNG": damaged_png(),
        "truncated WebP": webp[: len(webp) // 2],
        "WebP of a head alone": webp[:16],
        "PNG of 60,000 × 60,000": png(60_000, 60_000, colour=0, rows=100),
        "PNG of 60,000 × 60,000, all there": png_bomb(),
        "PNG of 51 megapixels": png(7_150, 7_150, rows=1),
        "PNG without width": png(0, 10),
        "WebP of 268 megapixels": webp_bomb(),
        "JPEG of 65,000 × 65,000": jpeg_with_size(65_000, 65_000),
        "JPEG without height": jpeg_with_size(64, 0),
        "JPEG of 1,000 scans": jpeg_of_many_scans(),
        "JPEG of 31 scans": jpeg_of_many_scans(22),
        "JPEG of 30,000 tables": jpeg_of_many_tables(),
        "PNG of 30,000 pieces": png(8, 8, png_chunk(b"IDAT", b"") * 30_000),
        "animated WebP": animated("WEBP"),
        "animated PNG": animated("PNG"),
        **cut_jpegs(),
        **damaged_heifs(),
        "PNG with an unknown critical chunk": png(8, 8, png_chunk(b"EVIL", b"x")),
        "PNG with two heads": png(
            8, 8, png_chunk(b"IHDR", struct.pack(">IIBBBBB", 9000, 9000, 8, 2, 0, 0, 0))
        ),
    }


def png_bomb():
    """60,000 × 60,000 one-bit pixels: 450 MB unpacked, 400 kB packed."""
    packer = zlib.compressobj(9)
    row = bytes(1 + 60_000 // 8)
    packed = b"".join(packer.compress(row * 100) for _ in range(600)) + packer.flush()
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)
    chunks = [png_chunk(b"IHDR", header), png_chunk(b"IDAT", packed), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def other_format(kind):
    out = io.BytesIO()
    quartered(32, 32).save(out, kind)
    return out.getvalue()


def gif():
    return other_format("GIF")


def bmp():
    return other_format("BMP")


def tiff():
    return other_format("TIFF")


def mp4():
    """The head of a video, which has the boxes of a HEIC file and no picture."""
    return (
        struct.pack(">I4s4sI4s", 20, b"ftyp", b"isom", 0, b"isom")
        + struct.pack(">I4s", 108, b"mdat")
        + bytes(100)
    )


def cut_jpegs():
    """JPEGs that end before their last pixel, and others that were sent as text."""
    cloth, grey = textile(400, 300), textile(400, 300).convert("L")
    plain, progressive = saved(cloth), saved(cloth, progressive=True)
    scan = plain.index(b"\xff\xda")
    means = progressive.index(b"\xff\xda")
    restarts = saved(cloth, restart_marker_blocks=5)
    middle = restarts.index(b"\xff\xd3", len(restarts) // 2)
    return {
        "JPEG cut in half with an end mark": plain[: len(plain) // 2] + EOI,
        "JPEG without its last blocks with an end mark": plain[:-60] + EOI,
        "grey JPEG cut in half with an end mark": saved(grey)[: len(saved(grey)) // 2] + EOI,
        "JPEG with restarts cut in half with an end mark": restarts[:middle] + EOI,
        "progressive JPEG cut in half of its means": progressive[: means + 500] + EOI,
        "progressive JPEG cut in half of its means without end mark": progressive[: means + 500],
        "JPEG cut in half with text and an end mark": plain[: len(plain) // 2]
        + b"\xff\xe1\0\x10some text more"
        + EOI,
        "JPEG sent as text": sent_as_text(plain),
        "progressive JPEG sent as text": sent_as_text(progressive),
        "pixels of a JPEG sent as text": plain[:scan] + sent_as_text(plain[scan:]),
        "JPEG with its height after half of its scan": with_late_height(plain[: len(plain) // 2] + EOI),
        "j14c": case("j14c"),
        "j26e": case("j26e"),
    }


def damaged_heifs():
    return {
        "truncated HEIC": case("x4")[:20_000],
        "truncated AVIF": case("x5")[:20_000],
        "HEIC of a head alone": case("x4")[:378],
        "HEIC of 51 megapixels": heic(size=(8500, 6000)),
        "HEIC of 65,000 × 65,000": heic(size=(65_000, 65_000)),
        "HEIC without size": heic(size=(0, 0)),
        "AVIF of zeros": case("x5")[:300] + bytes(len(case("x5")) - 300),
    }


def polyglots():
    """Good pictures with something else in the same file: {name: (type, bytes, what must be gone)}."""
    cargo = b"PK\x03\x04" + HTML + b"PK\x05\x06" + bytes(18)
    jpeg, whole_png, webp = picture(), picture("image/png"), picture("image/webp")
    comment = b"\xff\xfe" + struct.pack(">H", len(HTML) + 2) + HTML
    loud_jfif = b"\xff\xe0" + struct.pack(">H", len(HTML) + 16) + b"JFIF\0\1\1\0\0\1\0\1\0\0" + HTML
    extra = b"EVIL" + struct.pack("<I", len(HTML)) + HTML + b"\0" * (len(HTML) & 1)
    webp_inside = b"RIFF" + struct.pack("<I", len(webp) - 8 + len(extra)) + webp[8:] + extra
    return {
        "zip after a JPEG": ("image/jpeg", jpeg + cargo, cargo),
        "zip after a PNG": ("image/png", whole_png + cargo, cargo),
        "zip after a WebP": ("image/webp", webp + cargo, cargo),
        "html in a JPEG's comment": ("image/jpeg", jpeg[:2] + comment + jpeg[2:], HTML),
        "html in a JPEG's first segment": ("image/jpeg", jpeg[:2] + loud_jfif + jpeg[20:], HTML),
        "html between a JPEG's segments": ("image/jpeg", jpeg[:20] + HTML + jpeg[20:], HTML),
        "html in a PNG's own chunk": (
            "image/png",
            whole_png[:33] + png_chunk(b"evIl", HTML) + whole_png[33:],
            HTML,
        ),
        "html in a WebP's own chunk": ("image/webp", webp_inside, HTML),
        "second picture after a JPEG": ("image/jpeg", jpeg + saved(textile(50, 50)), b"\xff\xd9\xff\xd8"),
    }
