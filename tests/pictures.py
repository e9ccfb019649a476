"""Pictures made by code: plain good ones, in every format and mood that cameras know."""

import io
import struct
import zlib

from PIL import Image, ImageCms, ImageDraw

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
PLACE = b"28 deg 36 min N"  # as GPS would betray it
QUARTERS = {"red": (0, 0), "lime": (1, 0), "blue": (0, 1), "yellow": (1, 1)}


def quartered(width=400, height=300, mode="RGB"):
    """Red, lime over blue, yellow: turned or mirrored it is another picture."""
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    for colour, (column, row) in QUARTERS.items():
        corner = (column * width // 2, row * height // 2)
        draw.rectangle([corner, (corner[0] + width // 2, corner[1] + height // 2)], fill=colour)
    return image.convert(mode)


def textile(width=900, height=1200, seed=0):
    """A weave with some detail, different for each seed."""
    image = Image.new("RGB", (width, height), (150 + seed % 90, 30 + seed * 7 % 90, 60))
    draw = ImageDraw.Draw(image)
    for number in range(60):
        x, y = (number * 131 + seed * 37) % width, (number * 197 + seed * 91) % height
        colour = ((number * 53 + seed) % 256, (number * 29) % 256, (seed * 11 + number) % 256)
        draw.ellipse([x, y, x + 40 + number, y + 60 + number], outline=colour, width=6)
    return image


def saved(image, content_type="image/jpeg", **options):
    """The bytes of a file."""
    out = io.BytesIO()
    image.save(out, FORMATS[content_type], **options)
    return out.getvalue()


def picture(content_type="image/jpeg", width=400, height=300, **options):
    return saved(quartered(width, height), content_type, **options)


def exif(orientation=1):
    """A camera's block, with a place."""
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010F] = "Camera of a weaver"
    gps = tags.get_ifd(0x8825)
    gps[1], gps[2], gps[29] = "N", (28.0, 36.0, 0.0), PLACE.decode()
    return tags.tobytes()


def turned(orientation, content_type="image/jpeg", width=400, height=300):
    """A file that shows `quartered` to who heeds its orientation, as a camera held askew writes it."""
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    image = quartered(width, height)
    stored = image if undo is None else image.transpose(undo)
    return saved(stored, content_type, exif=exif(orientation))


def talkative(content_type):
    """A file with a place, a comment, XMP and whatever else its format takes."""
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + PLACE + b"</x:xmpmeta>"
    options = {"exif": exif(), "xmp": xmp}
    if content_type == "image/jpeg":
        options["comment"] = PLACE
    if content_type == "image/png":
        from PIL.PngImagePlugin import PngInfo

        text = PngInfo()
        text.add_text("Comment", PLACE.decode())
        text.add_itxt("Place", PLACE.decode(), zip=True)
        text.add_itxt("XML:com.adobe.xmp", xmp.decode())
        options = {"exif": exif(), "pnginfo": text}
    return saved(quartered(), content_type, **options)


def swapped_profile(name="swap"):
    """A colour profile under which red is shown as green: who ignores it can be told. The name has four letters."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", profile, 128)[0]
    places = {bytes(profile[132 + 12 * n : 136 + 12 * n]): 136 + 12 * n for n in range(count)}
    red, green = places[b"rXYZ"], places[b"gXYZ"]
    profile[red : red + 8], profile[green : green + 8] = profile[green : green + 8], profile[red : red + 8]
    return (
        bytes(profile)
        .replace("sRGB".encode("utf-16-be"), name.encode("utf-16-be"))
        .replace(b"sRGB b", name.encode() + b" b")
    )


def png_chunk(kind, payload):
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def png(width, height, *extra, bits=8, colour=2, rows=None):
    """A PNG by hand, its pixels all zero; `extra` chunks stand before them."""
    channels = {0: 1, 2: 3, 6: 4}[colour]
    row = b"\0" * (1 + width * channels * bits // 8)
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(row) for _ in range(height if rows is None else rows)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    chunks = [png_chunk(b"IHDR", header), *extra, png_chunk(b"IDAT", packed), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def quarters_of(image):
    """The names of the colours in the middle of the four quarters, in the order of QUARTERS."""
    named = {"red": (255, 0, 0), "lime": (0, 255, 0), "blue": (0, 0, 255), "yellow": (255, 255, 0)}
    found = []
    for column, row in QUARTERS.values():
        spot = (image.width * (1 + 2 * column) // 4, image.height * (1 + 2 * row) // 4)
        pixel = image.convert("RGB").getpixel(spot)
        found.append(
            min(named, key=lambda name: sum((a - b) ** 2 for a, b in zip(named[name], pixel, strict=True)))
        )
    return found
