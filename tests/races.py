"""Calls that meet: let go at once, or one of them at a given moment of the other."""

import pkgutil
import threading

from django.db import connection, connections


def in_thread(call, answers, index, start=None):
    """A thread that makes the call on connections of its own, and keeps its answer."""

    def run():
        try:
            if start is not None:
                start.wait()
            answers[index] = call()
        finally:
            connections.close_all()

    return threading.Thread(target=run)


def at_once(*calls):
    """The answers to calls that are let go at one moment, each in a thread of its own."""
    start, answers = threading.Barrier(len(calls)), [None] * len(calls)
    threads = [in_thread(call, answers, index, start) for index, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


class Meanwhile:
    """Makes a call in a thread of its own once another one has passed `place`, a function by its full name.

    `passes` is which passing that is, the first or a later one.
    The other one goes on when the call is answered; where it holds SQLite's file, so that the call has to wait, at
    once. `answer()` is what the call was answered.
    """

    def __init__(self, monkeypatch, place, call, passes=1):
        function = pkgutil.resolve_name(place)
        self.answers = [None]
        self.thread = in_thread(call, self.answers, 0)
        self.passes = passes

        def passing(*args, **kwargs):
            result = function(*args, **kwargs)
            self.pass_by()
            return result

        monkeypatch.setattr(place, passing)

    def pass_by(self):
        self.passes -= 1
        if self.passes == 0:
            self.thread.start()
            if not (connection.in_atomic_block and not hasattr(connection, "round_trips")):
                self.thread.join()

    def answer(self):
        assert self.passes <= 0, "nobody passed the place"
        self.thread.join()
        return self.answers[0]
