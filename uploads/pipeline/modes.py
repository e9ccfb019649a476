"""Brings decoded pictures into RGB or RGBA, with what a PNG says is see-through (tRNS)."""

from collections.abc import Iterator

from PIL import Image, ImageChops, ImageFile

from uploads.pipeline.containers.base import Container

STRIP = 64  # rows that are converted at once
LEVELS = 65_536  # of a sample of 16 bits


def read_transparency(image: Image.Image, container: Container) -> None:
    """Write the see-through value of a PNG as Pillow decodes its samples: of the lowest bits, scaled to 8.

    Of the value only as many bits count as a sample has (https://www.w3.org/TR/png-3/#11tRNS).
    """
    value, most = image.info.get("transparency"), (1 << container.bits) - 1
    if image.mode == "L" and isinstance(value, int):
        image.info["transparency"] = (value & most) * 255 // most
    elif image.mode == "RGB" and isinstance(value, tuple):
        image.info["transparency"] = tuple(one & most for one in value)


def plain(image: Image.Image) -> Image.Image:
    """Return the image in 8-bit RGB, or RGBA if any of it is transparent."""
    if image.mode in ("RGB", "RGBA"):
        if image.mode == "RGB" and "transparency" in image.info:
            return converted(image, "RGBA")
        return image
    if image.mode.startswith("I"):
        image = eight_bits(image)
    see_through = image.mode in ("LA", "PA", "La") or "transparency" in image.info
    return converted(image, "RGBA" if see_through else "RGB")


def converted(image: Image.Image, mode: str) -> Image.Image:
    """Return the image in another mode, and free it in the old one, which callers may still have."""
    result = image.convert(mode)
    image.close()
    return result


def eight_bits(image: Image.Image) -> Image.Image:
    """Return a grey image of 16 bits in L, or LA if a value of it is see-through, and free it.

    Pillow's own conversion would cut off what is brighter than 255, and browsers keep the upper byte, too.
    """
    value = image.info.get("transparency")
    grey = Image.new("L" if value is None else "LA", image.size)
    upper = [level >> 8 for level in range(LEVELS)]
    opaque = [0 if level == value else 255 for level in range(LEVELS)]
    for place, strip in strips(image):
        levels = strip.convert("I")
        bands = [levels.point(table, "L") for table in (upper, opaque)]
        grey.paste(bands[0] if value is None else Image.merge("LA", bands), place)
    image.close()
    return grey


def with_sixteen_bits(image: Image.Image, again: ImageFile.ImageFile) -> Image.Image:
    """Return a PNG in RGB of 16 bits in RGBA, see-through where all bits are those of its tRNS.

    Both are the same file, not decoded. Pillow decodes the upper bytes; those of `again` are made the lower ones, by
    taking them for little-endian.
    """
    colour = image.info.pop("transparency")
    again.tile = [tile._replace(args="RGB;16L") for tile in again.tile]
    again.load()
    opaque = where_different(again, [value & 255 for value in colour])
    again.close()
    image.load()
    opaque = ImageChops.lighter(opaque, where_different(image, [value >> 8 for value in colour]))
    image.putalpha(opaque)
    return image


def where_different(image: Image.Image, colour: list[int]) -> Image.Image:
    """Return 255 where an image in RGB has another colour, and 0 where it has this one, in L."""
    table = [0 if level == value else 255 for value in colour for level in range(256)]
    found = Image.new("L", image.size)
    for place, strip in strips(image):
        red, green, blue = strip.point(table).split()
        found.paste(ImageChops.lighter(ImageChops.lighter(red, green), blue), place)
    return found


def strips(image: Image.Image) -> Iterator[tuple[tuple[int, int], Image.Image]]:
    """Yield (place, rows) from top to bottom: what is made of rows takes little memory beside the image."""
    for top in range(0, image.height, STRIP):
        yield (0, top), image.crop((0, top, image.width, min(top + STRIP, image.height)))


def on_white(image: Image.Image) -> Image.Image:
    """Return an image in RGB or RGBA on white, in RGB."""
    if image.mode == "RGB":
        return image
    below = Image.new("RGB", image.size, "white")
    below.paste(image, mask=image)
    return below
