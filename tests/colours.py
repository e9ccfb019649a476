"""Pictures whose colours are told by a profile or by chunks, made by code, and the colours that are right."""

import functools
import io
import itertools
import struct
import zlib

from PIL import Image, ImageCms

from tests.heif_files import case
from tests.pictures import png_chunk, saved, swapped_profile

LEVELS = (0, 4, 20, 60, 128, 200, 255)
COLOURS = list(itertools.product(LEVELS, repeat=3))
PATCH = 8  # pixels: a block of a JPEG
COLUMNS, ROWS = 49, 7
SIZE = (COLUMNS * PATCH, ROWS * PATCH)
SRGB_CHUNK = png_chunk(b"sRGB", b"\0")
P3 = (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
REC_709 = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
WIDE = (0.3457, 0.3585, 0.7347, 0.2653, 0.1596, 0.8404, 0.0366, 0.0001)


def gama(gamma):
    return png_chunk(b"gAMA", struct.pack(">I", round(gamma * 100_000)))


def chrm(chromaticities):
    return png_chunk(b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in chromaticities)))


def cicp(primaries, transfer, matrix=0, full_range=1):
    return png_chunk(b"cICP", bytes([primaries, transfer, matrix, full_range]))


def iccp(profile):
    return png_chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(profile))


def grey_profile():
    """A profile for grey whose values are amounts of light."""
    return Image.open(io.BytesIO(case("j12a"))).info["icc_profile"]


def srgb_profile():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def patches(mode="RGB"):
    """A patch of each of COLOURS."""
    image = Image.new("RGB", (COLUMNS, ROWS))
    image.putdata(COLOURS)
    return image.resize(SIZE, Image.Resampling.NEAREST).convert(mode)


def patches_of(image):
    """The colours in the middle of the patches."""
    scale = image.width / SIZE[0]
    places = [(PATCH * x + PATCH // 2, PATCH * y + PATCH // 2) for y in range(ROWS) for x in range(COLUMNS)]
    return [image.getpixel((int(scale * x), int(scale * y))) for x, y in places]


def with_chunks(data, *chunks):
    """The PNG with chunks after its header."""
    return data[:33] + b"".join(chunks) + data[33:]


def patched(*chunks, mode="RGB"):
    return with_chunks(saved(patches(mode), "image/png"), *chunks)


def raw_png(colour, bits, rows, *chunks):
    """A PNG of rows of packed samples. `colour` is its colour type."""
    width = len(rows[0]) * 8 // (bits * {0: 1, 2: 3, 4: 2, 6: 4}[colour])
    header = struct.pack(">IIBBBBB", width, len(rows), bits, colour, 0, 0, 0)
    packed = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = [png_chunk(b"IHDR", header), *chunks, png_chunk(b"IDAT", packed), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def grey_ramp(bits, *chunks):
    """A PNG of 16 rows with all levels of grey, or 4,096 of those of 16 bits."""
    if bits == 16:
        row = struct.pack(">4096H", *range(0, 65_536, 16))
    else:
        row = int("".join(f"{level:0{bits}b}" for level in range(1 << bits)).ljust(8, "0"), 2)
        row = row.to_bytes(max(1, bits * (1 << bits) // 8))
    return raw_png(0, bits, [row] * 16, *chunks)


@functools.cache
def pictures():
    """{name: file} of each way to tell colours that browsers heed, and of the kept files."""
    swapped, grey = swapped_profile("sRGB"), grey_profile()
    made = {
        f"gAMA {gamma}": patched(gama(gamma))
        for gamma in (0.3, 0.43, 0.44, 0.45455, 0.47, 0.5, 0.55556, 1.0, 2.0)
    }
    made |= {
        "gAMA and cHRM of P3": patched(gama(0.45455), chrm(P3)),
        "gAMA and cHRM of sRGB": patched(gama(0.45455), chrm(REC_709)),
        "gAMA and a cHRM with another white": patched(gama(0.55556), chrm(WIDE)),
        "gAMA and an impossible cHRM": patched(gama(0.55556), chrm([0] * 8)),
        "cHRM alone": patched(chrm(P3)),
        "iCCP": patched(iccp(swapped)),
        "iCCP of grey in a picture with colours": patched(iccp(grey), gama(1.0)),
        "damaged iCCP and gAMA": patched(iccp(b"no profile" * 30), gama(1.0)),
        "sRGB and gAMA": patched(gama(1.0), SRGB_CHUNK),
        "sRGB with an unknown intent, and gAMA": patched(png_chunk(b"sRGB", b"\x09"), gama(1.0)),
        "all four": patched(gama(1.0), SRGB_CHUNK, iccp(swapped), cicp(12, 13)),
        "iCCP, sRGB and gAMA": patched(gama(1.0), SRGB_CHUNK, iccp(swapped)),
        "cICP of a limited range, and gAMA": patched(cicp(12, 13, 0, 0), gama(1.0)),
        "cICP of an unknown transfer, and gAMA": patched(cicp(12, 99), gama(1.0)),
        "cut cICP, and gAMA": patched(png_chunk(b"cICP", b"\x0c\x0d\0"), gama(1.0)),
    }
    primaries, transfers = (1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 22), (1, 4, 5, 6, 7, 8, 11, 13, 14, 15, 17)
    made |= {f"cICP {one}, 13": patched(cicp(one, 13)) for one in primaries}
    made |= {f"cICP 1, {one}": patched(cicp(1, one)) for one in transfers}
    made |= {"cICP 9, 14": patched(cicp(9, 14)), "cICP 12, 8": patched(cicp(12, 8))}
    told = {"gAMA": [gama(0.55556)], "grey iCCP": [iccp(grey)], "iCCP": [iccp(swapped)], "cICP": [cicp(9, 8)]}
    for name, chunks in told.items():
        made[f"palette with {name}"] = patched(*chunks, mode="P")
        made[f"grey with alpha and {name}"] = patched(*chunks, mode="LA")
        made[f"RGBA with {name}"] = patched(*chunks, mode="RGBA")
        for bits in (1, 2, 4, 8, 16):
            made[f"grey of {bits} bits with {name}"] = grey_ramp(bits, *chunks)
    for bits in (1, 2, 4, 8, 16):
        made[f"see-through grey of {bits} bits"] = grey_ramp(bits, transparent(1 if bits < 16 else 4096))
    for name, profile in (("grey", grey), ("swapped", swapped)):
        for mode in ("L", "RGB"):
            image = patches(mode)
            made[f"{mode} JPEG with a {name} profile"] = saved(
                image, icc_profile=profile, quality=95, subsampling=0
            )
    names = ("j12a", "j12d", "p01c", "p07b", "p07e", "p17b", "p21c", "p34")
    return made | {name: case(name) for name in names}


def transparent(*samples):
    return png_chunk(b"tRNS", struct.pack(f">{len(samples)}H", *samples))


def encoded(light):
    """The level of an amount of light from 0 to 1 (IEC 61966-2-1)."""
    light = min(1.0, max(0.0, light))
    return 255 * (12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055)
