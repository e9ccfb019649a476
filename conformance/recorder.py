"""Django's test runner, writing each test's outcome to the file named by CONFORMANCE_RESULTS, a JSON line
each."""

import json
import os
import unittest

from django.test.runner import DiscoverRunner


class RecordingResult(unittest.TextTestResult):
    def record(self, test, outcome, message=""):
        with open(os.environ["CONFORMANCE_RESULTS"], "a") as out:
            out.write(json.dumps([test.id(), outcome, message]) + "\n")

    def addSuccess(self, test):
        super().addSuccess(test)
        self.record(test, "pass")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.record(test, "skip", reason)

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.record(test, "expected failure")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.record(test, "unexpected success")

    def addError(self, test, err):
        super().addError(test, err)
        self.record(test, "fail", str(err[1]))

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.record(test, "fail", str(err[1]))

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.record(test, "fail", str(err[1]))


class RecordingRunner(DiscoverRunner):
    def get_resultclass(self):
        return RecordingResult
