"""Converts pictures to sRGB, from what their files say about their colours.

Of a PNG cICP counts before iCCP, sRGB, and gAMA with cHRM (https://www.w3.org/TR/png-3/#4Concepts.ColourSpaces). The
name of a profile counts for nothing. What the standards leave open is decided as Chromium does.
"""

import io
import struct
from collections.abc import Callable
from itertools import product

from PIL import Image, ImageChops, ImageCms

from uploads.pipeline import icc
from uploads.pipeline.containers import png
from uploads.pipeline.containers.base import Container, UnsupportedError
from uploads.pipeline.containers.isobmff import NCLX
from uploads.pipeline.modes import plain

Correction = Callable[[Image.Image], Image.Image]  # of a decoded picture, to sRGB in RGB or RGBA

SRGB = ImageCms.createProfile("sRGB")
GREY = ("1", "L", "LA", "I;16")
SAME = 1  # level: a picture that changes by no more keeps its bytes
EXACT = ImageCms.Flags.NOOPTIMIZE  # LittleCMS optimises a grey profile to few levels
STEPS = range(0, 256, 15)  # levels at which a profile is compared with sRGB

# ITU-T H.273, table 2: x and y of white, red, green and blue.
D65, ILLUMINANT_C, DCI = (0.3127, 0.3290), (0.310, 0.316), (0.314, 0.351)
BT_709 = (*D65, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)
BT_601 = (*D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070)
PRIMARIES = {
    1: BT_709,
    4: (*ILLUMINANT_C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: BT_601,
    7: BT_601,
    8: (*ILLUMINANT_C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    10: (1 / 3, 1 / 3, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0),
    11: (*DCI, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (*D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
# Its table 3, as g, a, b, c, d of `icc.profile`. Television's curves (1, 6, 11, 14, 15) are those of cameras; screens
# show them by a power of 2.4 (ITU-R BT.1886), as Chromium does.
TELEVISION = (2.4, 1.0, 0.0, 0.0, 0.0)
IEC_61966 = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
TRANSFERS = {
    **dict.fromkeys((1, 6, 11, 14, 15), TELEVISION),
    4: (2.2, 1.0, 0.0, 0.0, 0.0),
    5: (2.8, 1.0, 0.0, 0.0, 0.0),
    7: (1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4, 0.0913),
    8: (1.0, 1.0, 0.0, 0.0, 0.0),
    13: IEC_61966,
    17: (2.6, (52.37 / 48) ** (1 / 2.6), 0.0, 0.0, 0.0),
}
INTENTS = (b"\0", b"\1", b"\2", b"\3")  # of an sRGB chunk
HIGH_DYNAMIC_RANGE = (16, 18)  # PQ, HLG
# Of a HEIF file: primaries and transfer, before the matrix, which its decoder applies. Cameras' curves and none at all
# are taken for that of sRGB, as browsers take those of videos.
NCLX_CODES, LIKE_SRGB = struct.Struct(">HH"), (1, 2, 6, 14, 15)
USUAL_GAMMA, NEAR = 1 / 2.2, 0.05  # a gAMA so near is what programs write of sRGB


def correction(container: Container, image: Image.Image) -> Correction | None:
    """Return what brings a picture to sRGB, of which at least the header is decoded; None if it is there.

    A profile that does not fit the kind of picture is ignored. Raises UnsupportedError for a PNG in PQ or HLG.
    """
    profile = profile_of(container)
    if profile is None:
        return None
    space, is_grey = profile.profile.xcolor_space.strip(), image.mode in GREY or png.is_grey(container)
    try:
        if is_grey and space in ("GRAY", "RGB"):
            return of_grey(profile, "L" if space == "GRAY" else "RGB")
        if space == "RGB" and image.mode != "CMYK":
            return of_colour(profile)
        if space == image.mode == "CMYK":
            return of_cmyk(profile)
    except ImageCms.PyCMSError:
        pass  # a damaged profile: browsers ignore it, too
    return None


def of_grey(profile: ImageCms.ImageCmsProfile, mode: str) -> Correction | None:
    """Return the correction of grey pictures, by a table of their 256 levels. Raises PyCMSError."""
    levels = Image.frombytes("L", (256, 1), bytes(range(256)))
    shown = ImageCms.profileToProfile(levels.convert(mode), profile, SRGB, outputMode="RGB", flags=EXACT)
    if shown is None or is_same(levels.convert("RGB"), shown):
        return None
    table = [level for band in shown.split() for level in band.tobytes()]

    def correct(image: Image.Image) -> Image.Image:
        image = plain(image)
        result = image.point(table if image.mode == "RGB" else [*table, *range(256)])
        image.close()
        return result

    return correct


def of_colour(profile: ImageCms.ImageCmsProfile) -> Correction | None:
    """Return the correction of pictures in colour. Raises PyCMSError."""
    colours = list(product(STEPS, repeat=3))
    sample = Image.frombytes("RGB", (len(colours), 1), bytes(level for colour in colours for level in colour))
    shown = ImageCms.profileToProfile(sample, profile, SRGB)
    if shown is None or is_same(sample, shown):
        return None

    def correct(image: Image.Image) -> Image.Image:
        image = plain(image)
        ImageCms.profileToProfile(image, profile, SRGB, inPlace=True)
        return image

    return correct


def of_cmyk(profile: ImageCms.ImageCmsProfile) -> Correction:
    """Return the correction of pictures in CMYK. Raises PyCMSError."""

    def correct(image: Image.Image) -> Image.Image:
        return ImageCms.profileToProfile(image, profile, SRGB, outputMode="RGB") or image

    correct(Image.new("CMYK", (1, 1)))
    return correct


def is_same(one: Image.Image, other: Image.Image) -> bool:
    return max(ImageChops.difference(one, other).tobytes()) <= SAME


def profile_of(container: Container) -> ImageCms.ImageCmsProfile | None:
    """Return the profile that counts; None if the picture is to be taken for sRGB."""
    chunks = container.colours
    profile = of_code_points(chunks.get(b"cICP", b"")) or read(container.profile)
    profile = profile or of_nclx(chunks.get(NCLX, b""))
    if profile or chunks.get(b"sRGB") in INTENTS:
        return profile
    return of_gamma(chunks.get(b"gAMA", b""), chunks.get(b"cHRM", b""))


def read(data: bytes) -> ImageCms.ImageCmsProfile | None:
    """Return an ICC profile; None if there is none that is readable."""
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(data)) if data else None
    except (OSError, ImageCms.PyCMSError):
        return None


def of_code_points(cicp: bytes) -> ImageCms.ImageCmsProfile | None:
    """Return the profile of a cICP chunk; None if it says nothing that a PNG can have. Raises UnsupportedError."""
    if len(cicp) != 4 or cicp[2:] != b"\0\1":  # RGB in the full range
        return None
    if cicp[1] in HIGH_DYNAMIC_RANGE:
        raise UnsupportedError(
            "The PNG has a high dynamic range (PQ or HLG): save it for ordinary screens, in sRGB."
        )
    primaries, transfer = PRIMARIES.get(cicp[0]), TRANSFERS.get(cicp[1])
    return read(icc.profile(primaries, transfer)) if primaries and transfer else None


def of_nclx(payload: bytes) -> ImageCms.ImageCmsProfile | None:
    """Return the profile of the code points of a HEIF file; None if they are unknown, or of a high dynamic range."""
    if len(payload) < NCLX_CODES.size:
        return None
    codes = NCLX_CODES.unpack_from(payload)
    primaries = PRIMARIES.get(codes[0])
    transfer = IEC_61966 if codes[1] in LIKE_SRGB else TRANSFERS.get(codes[1])
    return read(icc.profile(primaries, transfer)) if primaries and transfer else None


def of_gamma(gama: bytes, chrm: bytes) -> ImageCms.ImageCmsProfile | None:
    """Return the profile of the chunks gAMA and cHRM; None without a usable gAMA."""
    gamma = int.from_bytes(gama) / 100_000 if len(gama) == 4 else 0
    has_primaries = len(chrm) == 32
    if not gamma or (not has_primaries and abs(gamma / USUAL_GAMMA - 1) < NEAR):
        return None
    primaries = [value / 100_000 for value in struct.unpack(">8I", chrm)] if has_primaries else BT_709
    try:
        return read(icc.profile(primaries, (1 / gamma, 1.0, 0.0, 0.0, 0.0)))
    except (ZeroDivisionError, struct.error):
        return None
