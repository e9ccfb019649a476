"""manage.py rebuild_renditions: makes the smaller sizes of the stored images again."""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from core.errors import GalleryError, NotFound
from uploads import services
from uploads.models import Image
from uploads.pipeline.processing import Prepared, prepare_stored
from uploads.pipeline.renditions import RECIPE
from uploads.storage.base import configured_store

AHEAD = 2  # images in memory for each process


class Command(BaseCommand):
    help = (
        "Makes the renditions of every image with an older recipe (--all: of every image). "
        "Can be interrupted, and continues when it is started again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="include images that are up to date")
        parser.add_argument(
            "--workers", type=int, default=os.cpu_count() or 1, help="processes (default: one per core)"
        )

    def handle(self, *args: str, workers: int, verbosity: int, **options: str) -> None:
        if workers < 1:
            raise CommandError("--workers must be at least 1.")
        rows = Image.objects.order_by("pk")
        if not options["all"]:
            rows = rows.exclude(recipe=RECIPE)
        failed = 0
        with tqdm(total=rows.count(), unit="image", disable=not verbosity) as bar:
            for image, error in rebuild(list(rows), workers):
                bar.update()
                if error is not None:
                    failed += 1
                    bar.write(f"{image.object_key}: {error.message}", file=self.stderr)
        if failed:
            raise CommandError(f"{failed} images are unchanged; run the command again to retry them.")


def rebuild(rows: list[Image], workers: int) -> Iterator[tuple[Image, GalleryError | None]]:
    """Rebuild each image's renditions, and yield the image with the error, if there was one."""
    # The processes are forked here, before the first thread: they inherit the settings.
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        working: dict[Future[Prepared], Image] = {}
        waiting = iter(rows)
        while True:
            for image in waiting:
                try:
                    working[pool.submit(prepare_stored, stored_bytes(image))] = image
                except GalleryError as error:
                    yield image, error
                if len(working) >= workers * AHEAD:
                    break
            if not working:
                return
            for future in wait(working, return_when=FIRST_COMPLETED).done:
                yield finish(working.pop(future), future)


def stored_bytes(image: Image) -> bytes:
    """Return the bytes of the stored image, however many: the limit was another once. Raises NotFound, Unavailable."""
    stored = configured_store().get(image.object_key, sys.maxsize)
    if stored is None:
        raise NotFound("Its object is missing in the store.")
    return stored.data


def finish(image: Image, future: Future[Prepared]) -> tuple[Image, GalleryError | None]:
    try:
        services.image_replace_renditions(image, future.result())
    except GalleryError as error:
        return image, error
    return image, None
