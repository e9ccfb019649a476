"""Look at the deployment from the inside, and with --url from the outside: settings, D1, R2, copies, host, service.

Each check says ok, warning or fault, in one sentence, with what to do. The status is 1 if there is a fault; with
--strict also if there is a warning. It changes nothing but objects and a file of its own, which it removes.
"""

import logging
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from operations.doctor import catalogue, report, runner
from operations.doctor.findings import Status, Visit


class Command(BaseCommand):
    help = __doc__
    requires_system_checks: list[str] = []  # one of the checks runs them, beside the others

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", default="", help="the public address, to look from outside: https://…")
        parser.add_argument(
            "--json", action="store_true", help="print the report for programs (docs/doctor.md)"
        )
        parser.add_argument("--strict", action="store_true", help="let a warning count as a fault")

    def handle(self, *args: str, url: str, json: bool, strict: bool, **options: Any) -> None:
        if url and not url.startswith(("https://", "http://")):
            raise CommandError("--url must be the address of the service, like https://gallery.example.")
        started = time.monotonic()
        logging.disable(logging.ERROR)  # the findings say what the logs of their parts would
        try:
            outcomes = runner.run(catalogue.checks(url), Visit(url.rstrip("/")))
        finally:
            logging.disable(logging.NOTSET)
        if json:
            self.stdout.write(report.as_json(outcomes, time.monotonic() - started))
        else:
            self.stdout.write("\n".join(report.lines(outcomes, self.style)))
        status = report.worst(outcomes)
        if status == Status.FAULT or (strict and status == Status.WARNING):
            raise CommandError(report.summary(outcomes))
