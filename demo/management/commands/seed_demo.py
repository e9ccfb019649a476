"""Draw a demo gallery: designs with pictures, people, likes and views. Existing data stays unchanged."""

import os
from argparse import ArgumentParser
from concurrent.futures import ProcessPoolExecutor

from django.core.management.base import BaseCommand
from tqdm import tqdm

from demo import seeding


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--designs", type=int, default=240, help="the number of designs (240)")
        parser.add_argument("--seed", type=int, default=1, help="each number makes a different gallery (1)")

    def handle(self, *args: str, designs: int, seed: int, **options: str | bool | None) -> None:
        wanted = seeding.missing(designs, seed)
        people = seeding.seed_people()
        progress = tqdm(total=designs, initial=designs - len(wanted), unit="design", disable=None)
        with ProcessPoolExecutor(os.cpu_count()) as pool, progress:
            for count in seeding.seed_designs(wanted, people, pool):
                progress.update(count)
        self.stdout.write(f"Designs drawn: {len(wanted)}; there already: {designs - len(wanted)}.")
