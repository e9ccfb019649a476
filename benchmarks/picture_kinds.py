"""The peak memory of each kind of picture, beside what uploads.pipeline.costs says of it. Part of `make bench-memory`.

Each picture is prepared in a new process, whose peak is counted from the moment before. MEGAPIXELS= is their size.
"""

import io
import multiprocessing
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.queues import SimpleQueue
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
os.environ.setdefault("DATA", tempfile.mkdtemp(prefix="design-gallery-bench-"))
os.environ["DJANGO_SETTINGS_MODULE"] = "gallery_project.settings"

import django

django.setup()

from django.conf import settings
from PIL import Image

from core.errors import GalleryError
from uploads.pipeline import decoding
from uploads.pipeline.processing import prepare

MEGABYTE = 1_000_000
PROCESSES = multiprocessing.get_context("spawn")
Options = dict[str, object]
TURN: Options = {"turn": True}
PROGRESSIVE: Options = {"progressive": True}
KINDS: dict[str, tuple[str, str, Options]] = {
    "JPEG": ("JPEG", "RGB", {}),
    "JPEG to turn": ("JPEG", "RGB", TURN),
    "JPEG progressive": ("JPEG", "RGB", PROGRESSIVE),
    "JPEG progressive to turn": ("JPEG", "RGB", {**PROGRESSIVE, **TURN}),
    "JPEG progressive 4:4:4 to turn": ("JPEG", "RGB", {**PROGRESSIVE, **TURN, "subsampling": 0}),
    "JPEG grey to turn": ("JPEG", "L", TURN),
    "JPEG CMYK to turn": ("JPEG", "CMYK", TURN),
    "JPEG CMYK progressive to turn": ("JPEG", "CMYK", {**PROGRESSIVE, **TURN}),
    "PNG RGB": ("PNG", "RGB", {}),
    "PNG RGB to turn": ("PNG", "RGB", TURN),
    "PNG RGBA": ("PNG", "RGBA", {}),
    "PNG RGBA to turn": ("PNG", "RGBA", TURN),
    "PNG palette to turn": ("PNG", "P", TURN),
    "PNG grey and alpha": ("PNG", "LA", {}),
    "PNG 16-bit grey": ("PNG", "I;16", {}),
    "PNG 16-bit grey to turn": ("PNG", "I;16", TURN),
    "WebP": ("WEBP", "RGB", {"method": 0}),
    "WebP to turn": ("WEBP", "RGB", {"method": 0, **TURN}),
    "WebP alpha": ("WEBP", "RGBA", {"method": 0, "alpha_quality": 50}),
    "WebP alpha to turn": ("WEBP", "RGBA", {"method": 0, "alpha_quality": 50, **TURN}),
    "WebP lossless": ("WEBP", "RGB", {"method": 0, "lossless": True, "quality": 0}),
    "WebP lossless alpha": ("WEBP", "RGBA", {"method": 0, "lossless": True, "quality": 0}),
    "AVIF": ("AVIF", "RGB", {"speed": 10}),
    "AVIF alpha": ("AVIF", "RGBA", {"speed": 10}),
}


def bands_of(mode: str) -> int:
    return len(Image.new(mode, (1, 1)).getbands())


def drawn(kind: str, mode: str, pixels: int, options: Options) -> bytes:
    """Return a file with about the detail of a photograph; a PNG or a lossless WebP has less, to be below 10 MB."""
    width, height = round((pixels * 4 / 3) ** 0.5), round((pixels * 3 / 4) ** 0.5)
    small = (width // 12, height // 12)
    coarse = Image.frombytes("L", small, random.Random(1).randbytes(small[0] * small[1]))
    flat = kind == "PNG" or "lossless" in options
    band = coarse.resize((width, height), Image.Resampling.NEAREST if flat else Image.Resampling.BICUBIC)
    if mode == "I;16":
        image = band.convert("I").point(lambda value: value * 257).convert("I;16")
    elif mode in ("L", "P"):
        image = band.convert(mode)
    else:
        bands = [band, band.rotate(180), band.rotate(180), band]
        image = Image.merge(mode, bands[: bands_of(mode)])
    settings_of_file = dict(options)
    tags = Image.Exif()
    tags[0x0112] = 6 if settings_of_file.pop("turn", False) else 1
    out = io.BytesIO()
    image.save(out, kind, exif=tags, **settings_of_file)
    return out.getvalue()


def peak() -> float:
    """Return the most memory held since the peak was reset, and by the largest child, in MB (proc(5))."""
    lines = Path("/proc/self/status").read_text().splitlines()
    own = int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
    return (own + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) * 1024 / MEGABYTE


def measure(data: bytes, answers: "SimpleQueue[tuple[float, float, float, str]]") -> None:
    """Send the peak above what the process held before, the most that was reserved, the seconds, and the refusal."""
    reserved: list[int] = []
    hold = decoding.decoding

    @contextmanager
    def recorded(size: int) -> Iterator[None]:
        reserved.append(size)
        with hold(size):
            yield

    decoding.decoding = recorded
    settings.DECODING_MEMORY = 10**12
    settings.MAX_FILE_SIZE = 10**9
    refusal = ""
    small = io.BytesIO()
    Image.new("RGBA", (700, 700)).save(small, "PNG")
    prepare(small.getvalue())
    reserved.clear()
    Path("/proc/self/clear_refs").write_text("5")
    before, start = peak(), time.perf_counter()
    try:
        prepare(data)
    except GalleryError as error:
        refusal = error.message
    answers.put((peak() - before, max(reserved, default=0) / MEGABYTE, time.perf_counter() - start, refusal))


def main() -> None:
    pixels = round(float(os.environ.get("MEGAPIXELS") or 20) * 1_000_000)
    wanted = sys.argv[1:]
    for name, (kind, mode, options) in KINDS.items():
        if wanted and name not in wanted:
            continue
        data = drawn(kind, mode, pixels, options)
        answers = PROCESSES.SimpleQueue()
        process = PROCESSES.Process(target=measure, args=(data, answers))
        process.start()
        most, reserved, seconds, refusal = answers.get()
        process.join()
        size = len(data) / MEGABYTE
        figures = f"{size:6.1f} MB sent {most:6.0f} MB peak {reserved:6.0f} MB counted {seconds:6.1f} s"
        print(f"{name:34} {figures} {refusal}", flush=True)


if __name__ == "__main__":
    main()
