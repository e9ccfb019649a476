"""A program that decodes one HEIC or AVIF file, so that its limits and faults are not those of the server.

It is run by uploads.pipeline.native, and imports nothing of the gallery. Arguments: content type, bytes of memory,
seconds. The file comes through the standard input. Out goes a line (mode, width, height, EXIF orientation), and the
rows from top to bottom.
"""

import io
import resource
import sys
from collections.abc import Iterator

ORIENTATION = 0x0112  # EXIF 2.32, table 4
STRIP = 64  # rows


def main() -> None:
    content_type, memory, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # macOS does not hold a process to it
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    data = sys.stdin.buffer.read()
    for part in avif(data) if content_type == "image/avif" else heic(data):
        sys.stdout.buffer.write(part)


def head(mode: str, size: tuple[int, int], orientation: int = 1) -> bytes:
    return f"{mode} {size[0]} {size[1]} {orientation}\n".encode()


def heic(data: bytes) -> Iterator[bytes | memoryview]:
    """Yield the primary picture. libheif turns it; the orientation in its EXIF does not count (ISO/IEC 23008-12)."""
    import pi_heif

    pi_heif.options.DECODE_THREADS = 1
    pi_heif.options.THUMBNAILS = pi_heif.options.DEPTH_IMAGES = pi_heif.options.AUX_IMAGES = False
    file = pi_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
    image = file[file.primary_index]
    pixels = memoryview(image.data)
    width, height = image.size
    row = width * {"L": 1, "LA": 2, "RGB": 3}.get(image.mode, 4)
    yield head(image.mode, image.size)
    for top in range(height):
        yield pixels[top * image.stride : top * image.stride + row]


def avif(data: bytes) -> Iterator[bytes]:
    """Yield the first picture."""
    from PIL import AvifImagePlugin, Image

    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    image = Image.open(io.BytesIO(data), formats=["AVIF"])
    image.load()
    yield head(image.mode, image.size, image.getexif().get(ORIENTATION, 1))
    for top in range(0, image.height, STRIP):
        yield image.crop((0, top, image.width, min(top + STRIP, image.height))).tobytes()


if __name__ == "__main__":
    main()
