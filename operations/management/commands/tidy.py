"""Remove what nobody needs any more, and nothing else: run it every night (docs/tidy.md)."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from core import restores
from operations.tidy.run import Done, run
from operations.tidy.steps import STEPS, Step, deleting_most


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        names = ", ".join(step.name for step in STEPS)
        parser.add_argument("--only", default="", metavar="STEPS", help=f"of these, with commas: {names}")
        parser.add_argument("--dry-run", action="store_true", help="only count, and name what has a name")
        parser.add_argument(
            "--even-most",
            action="store_true",
            help="delete objects without a row even where they are most of the store",
        )

    def handle(
        self, *args: str, only: str, dry_run: bool, even_most: bool, verbosity: int, **options: str
    ) -> None:
        steps = chosen(only) if only else STEPS
        if even_most:
            steps = deleting_most(steps)
        if sentence := restores.fault():
            raise CommandError(sentence)
        failed = []
        for done in run(steps, dry_run=dry_run):
            self.show(done, with_details=dry_run or verbosity > 1)
            if done.outcome is None:
                failed.append(done.step.name)
        if dry_run:
            self.stdout.write("Nothing was removed: this was a dry run.")
        if failed:
            raise CommandError(
                f"{len(failed)} of {len(steps)} steps failed. When the cause is gone, run "
                f"manage.py tidy --only {','.join(failed)}"
            )

    def show(self, done: Done, *, with_details: bool) -> None:
        name = f"{done.step.name:17}"
        if done.outcome is None:
            self.stderr.write(f"  failed  {name} {done.failure}")
            return
        self.stdout.write(f"{done.outcome.count:8}  {name} {done.step.what}")
        for detail in done.outcome.details if with_details else ():
            self.stdout.write(f"          {detail}")
        for warning in done.outcome.warnings:
            self.stdout.write(self.style.WARNING(f"          {warning}"))


def chosen(only: str) -> list[Step]:
    """Return the steps of these names, in the order in which they run. Raises CommandError for an unknown name."""
    names = {name.strip() for name in only.split(",")}
    if unknown := names - {step.name for step in STEPS}:
        known = ", ".join(step.name for step in STEPS)
        raise CommandError(f"tidy has no step {', '.join(sorted(map(repr, unknown)))}. It has: {known}.")
    return [step for step in STEPS if step.name in names]
