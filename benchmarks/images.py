"""`make bench-images` measures the time and memory of uploads, and the bytes of a page of the list.

Each case runs in a new process; its peak is the kernel's figure, including the interpreter and Django. OUT= is a
file for the figures as JSON.
"""

import io
import json
import multiprocessing
import os
import platform
import resource
import sys
import tempfile
import threading
import time
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent))
os.environ["DATA"] = tempfile.mkdtemp(prefix="design-gallery-bench-")
os.environ["DJANGO_SETTINGS_MODULE"] = "gallery_project.settings"

import django

django.setup()

from PIL import Image

from demo.plan import plan
from uploads.pipeline.processing import prepare

SIZES = {12: (4000, 3000), 24: (6000, 4000), 48: (8064, 5952), 50: (8660, 5773)}
PAGE = 20  # designs of a phone's page
MEGABYTE = 1024**2
PROCESSES = multiprocessing.get_context("spawn")


def photograph(megapixels: int, content_type: str, orientation: int = 1) -> bytes:
    """Return a picture with about the detail of a photograph, of at most 10 MiB."""
    width, height = SIZES[megapixels]
    coarse = Image.effect_noise((width // 12, height // 12), 70)
    bands = [coarse.resize((width, height)), coarse.rotate(180).resize((width, height))]
    image = Image.merge("RGB", [bands[0], bands[1], Image.linear_gradient("L").resize((width, height))])
    tags = Image.Exif()
    tags[0x0112] = orientation
    out = io.BytesIO()
    if content_type == "PNG":
        image = (
            image.quantize(16).convert("RGB").resize((width // 40, height // 40)).resize((width, height), 0)
        )
    options = {"quality": 82, "exif": tags} if content_type != "PNG" else {"exif": tags, "compress_level": 1}
    if content_type == "PROGRESSIVE JPEG":
        options["progressive"] = True
    image.save(out, content_type.split()[-1], **options, **({"method": 1} if content_type == "WEBP" else {}))
    return out.getvalue()


def peak() -> float:
    """Return the most memory that this process has held, in megabytes."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux, where getrusage() would count the parent's memory before exec() as well
        lines = status.read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MEGABYTE


def run(files: list[bytes], answers: "SimpleQueue[tuple[float, float, float]]") -> None:
    """Prepare the files in parallel threads; send the seconds, the peak and the memory before."""
    before = peak()
    start = time.perf_counter()
    threads = [threading.Thread(target=prepare, args=(data,)) for data in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers.put((time.perf_counter() - start, peak(), before))


def measured(files: list[bytes]) -> dict[str, float]:
    answers = PROCESSES.SimpleQueue()
    process = PROCESSES.Process(target=run, args=(files, answers))
    process.start()
    seconds, most, before = answers.get()
    process.join()
    return {
        "sent_mb": round(sum(map(len, files)) / MEGABYTE, 1),
        "seconds": round(seconds, 2),
        "peak_mb": round(most),
        "idle_mb": round(before),
    }


def uploads() -> dict[str, dict[str, float]]:
    cases = {}
    for megapixels in (12, 24, 48):
        for name, kind, orientation in [
            ("JPEG", "JPEG", 1),
            ("JPEG to turn", "JPEG", 6),
            ("PNG", "PNG", 1),
            ("WebP", "WEBP", 1),
        ]:
            cases[f"{megapixels} MP {name}"] = [photograph(megapixels, kind, orientation)]
    for name, kind, orientation in [
        ("JPEG", "JPEG", 1),
        ("JPEG to turn", "JPEG", 6),
        ("progressive JPEG to turn", "PROGRESSIVE JPEG", 6),
        ("PNG to turn", "PNG", 6),
        ("WebP", "WEBP", 1),
    ]:
        cases[f"two at once, 50 MP {name}"] = [photograph(50, kind, orientation)] * 2
    found = {}
    for name, files in cases.items():
        found[name] = measured(files)
        print(
            "{:38} {sent_mb:6} MB sent {seconds:7} s {peak_mb:6} MB peak".format(name, **found[name]),
            flush=True,
        )
    return found


def page() -> dict[str, float]:
    """Return the bytes of one page's pictures in the demo gallery, and the seconds per image."""
    originals = 0
    seconds: list[float] = []
    sizes: dict[int, int] = {}
    for design in plan(PAGE, 1):
        out = io.BytesIO()
        design.draw().save(out, "JPEG", quality=90)
        start = time.perf_counter()
        prepared = prepare(out.getvalue())
        seconds.append(time.perf_counter() - start)
        originals += len(prepared.data)
        for one in prepared.renditions:
            sizes[one.width] = sizes.get(one.width, 0) + len(one.data)
    return {
        "originals_kb": round(originals / 1000),
        **{f"renditions_{width}_kb": round(total / 1000) for width, total in sorted(sizes.items())},
        "seconds_an_image": round(median(seconds), 3),
    }


def main() -> None:
    bytes_of_page = page()
    print(f"One page of {PAGE} designs: {bytes_of_page}")
    figures = {
        "host": {"python": platform.python_version(), "cores": os.cpu_count(), "machine": platform.machine()},
        "page": bytes_of_page,
        "uploads": uploads(),
    }
    if os.environ.get("OUT"):
        Path(os.environ["OUT"]).write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
