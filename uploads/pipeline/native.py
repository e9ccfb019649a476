"""Decodes HEIC and AVIF in a process of its own (uploads.pipeline.native_decoder).

Their decoders are large, old in C and C++, and cannot be interrupted within a thread. The kernel ends a process that
takes too long, or more memory than was counted for it; one that crashes takes nobody with it.
"""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, cast

from PIL import Image

from uploads.pipeline.containers.base import Container

PROGRAM = Path(__file__).with_name("native_decoder.py")
MOST_SECONDS = 20  # of the decoder's own time
MOST_WAITING = 60.0  # seconds, for a decoder that stands still
STRIP = 64  # rows
MODES = ("L", "LA", "RGB", "RGBA", "RGBa")
INHERITED = ("LD_LIBRARY_PATH",)  # some hosts keep Python's own libraries there


def decoded(container: Container, memory: int) -> tuple[Image.Image, int]:
    """Return the first picture of a file, and the EXIF orientation that is to be applied.

    The decoder may take `memory` bytes. Raises OSError or ValueError if it fails, or is stopped.
    """
    arguments = [sys.executable, "-I", str(PROGRAM), container.content_type, str(memory), str(MOST_SECONDS)]
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    with subprocess.Popen(  # noqa: S603  no part of the file is among the arguments
        arguments, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        guard = threading.Timer(MOST_WAITING, process.kill)
        guard.start()
        try:
            with cast(IO[bytes], process.stdin) as file:
                file.write(container.data)
            return received(cast(IO[bytes], process.stdout), container.width * container.height)
        finally:
            guard.cancel()
            process.kill()


def received(rows: IO[bytes], most: int) -> tuple[Image.Image, int]:
    """Return the picture of at most so many pixels that the decoder writes. Raises ValueError if it writes another."""
    mode, *numbers = rows.readline(100).decode("ascii").split()
    width, height, orientation = map(int, numbers)
    if mode not in MODES or width * height > most:
        raise ValueError("The decoder writes another picture than was announced.")
    image = Image.new(mode, (width, height))
    for top in range(0, height, STRIP):
        size = (width, min(STRIP, height - top))
        strip = rows.read(size[0] * size[1] * len(image.getbands()))
        image.paste(Image.frombytes(mode, size, strip), (0, top))
    return image.convert("RGBA") if mode == "RGBa" else image, orientation
