"""Django's test runner, which writes each test's outcome as a JSON line to the file in CONFORMANCE_RESULTS."""

import json
import os
import unittest
from types import TracebackType

from django.test.runner import DiscoverRunner

Failure = (
    tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
)  # as sys.exc_info() returns it
Test = unittest.TestCase


class RecordingResult(unittest.TextTestResult):
    def record(self, test: Test, outcome: str, message: str = "") -> None:
        with open(os.environ["CONFORMANCE_RESULTS"], "a") as out:
            out.write(json.dumps([test.id(), outcome, message]) + "\n")

    def addSuccess(self, test: Test) -> None:
        super().addSuccess(test)
        self.record(test, "pass")

    def addSkip(self, test: Test, reason: str) -> None:
        super().addSkip(test, reason)
        self.record(test, "skip", reason)

    def addExpectedFailure(self, test: Test, err: Failure) -> None:
        super().addExpectedFailure(test, err)
        self.record(test, "expected failure")

    def addUnexpectedSuccess(self, test: Test) -> None:
        super().addUnexpectedSuccess(test)
        self.record(test, "unexpected success")

    def addError(self, test: Test, err: Failure) -> None:
        super().addError(test, err)
        self.record(test, "fail", str(err[1]))

    def addFailure(self, test: Test, err: Failure) -> None:
        super().addFailure(test, err)
        self.record(test, "fail", str(err[1]))

    def addSubTest(self, test: Test, subtest: Test, err: Failure | None) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.record(test, "fail", str(err[1]))


class RecordingRunner(DiscoverRunner):
    def get_resultclass(self) -> type[RecordingResult]:
        return RecordingResult
