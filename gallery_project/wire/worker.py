"""The worker: one loop reads all connections without waiting, threads run complete requests.

The loop answers the commonest reads itself, as long as they wait for nothing: to hand them to a thread and back would
take a fifth of their time.
"""

import errno
import os
import resource
import selectors
import socket
import time
from collections import deque
from functools import partial
from pathlib import Path
from typing import Any

from gunicorn.config import Config
from gunicorn.errors import HaltServer
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER

from d1backend.waiting import without_waiting
from gallery_project.wire.answering import AWAITED, TAKES_LONG, WAITS, AnsweringWorker
from gallery_project.wire.balance import LOOK_AGAIN, Place
from gallery_project.wire.connection import Connection, Step
from gallery_project.wire.refusals import CUT_SHORT, Refusal, answer
from gallery_project.wire.spool import Spool

READ = 64 * 1024  # bytes
PIECES = 4  # of an answer's file, which the loop sends before it looks at other connections
UNSENT = 128 * 1024  # bytes that a socket takes beyond what the client has room for
OTHER_FILES = 128  # descriptors that connections leave to the rest of the process
TICK = 1.0  # seconds
SETTLED = (
    10  # requests, after which a connection is one that a proxy keeps; others are not ended for a sibling
)
SHORTEST_WAIT = 0.001  # seconds
BREATH = 5  # times as long as the loop was busy with one that paused
FULL = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Worker(AnsweringWorker):
    """gunicorn's thread worker, but a thread of the pool gets a request only when it is complete.

    An exception: of a long body the application is asked with the head alone. It answers what it can refuse by that,
    or asks for the body, and the request runs again when that is there (core.request_body).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.place = Place()
        self.connections: dict[Connection, None] = {}
        self.accept_at = self.tick_at = self.close_idle_at = self.go_on_at = self.quick_at = 0.0
        self.paused: deque[Connection] = deque()  # those with bytes that the loop has not taken yet
        self.surplus = 0  # connections to end in favour of a sibling

    @classmethod
    def check_config(cls, cfg: Config, log: Logger) -> None:
        if cfg.is_ssl:
            raise HaltServer("This worker does not speak TLS: put a proxy in front of it.")

    def init_process(self) -> None:
        from django.conf import settings  # gunicorn loads this module before Django is set up

        from gallery_project import metrics

        self.metrics = metrics
        metrics.STARTS.inc()
        self.spool = Spool(Path(settings.DATA))
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.most = min(
            self.worker_connections, max(1, (files - OTHER_FILES) // 2)
        )  # sockets and long bodies
        # gunicorn looks a setting up by name each time, twenty times a request.
        self.cfg.__dict__.update({name: setting.get() for name, setting in self.cfg.settings.items()})
        super().init_process()

    def run(self) -> None:
        self.poller.register(
            self.method_queue.fileno(), selectors.EVENT_READ, self.method_queue.run_callbacks
        )
        while self.alive and self.is_parent_alive():
            self.turn()
        self.place.withdraw()
        ends = time.monotonic() + self.cfg.graceful_timeout
        self.close_idle_at = time.monotonic() + STOP_KEEPALIVE_LINGER
        while self.connections and time.monotonic() < ends:
            self.turn()
        for conn in self.spared():
            self.close(conn)
        self.tpool.shutdown(wait=False)
        self.poller.close()
        self.method_queue.close()
        for listener in self.sockets:
            listener.close()

    def turn(self) -> None:
        """One turn of the loop."""
        now = time.monotonic()
        if now >= self.tick_at:
            self.tick(now)
        self.set_accept_enabled(self.alive and now >= self.accept_at)
        pause = self.accept_at - now
        pause = pause if 0 < pause < TICK else TICK
        if self.paused:
            if now >= self.go_on_at:
                self.go_on_with_paused(now)
            pause = min(pause, max(self.go_on_at - now, SHORTEST_WAIT))
        self.wait_for_and_dispatch_events(pause)

    def tick(self, now: float) -> None:
        self.tick_at = now + TICK
        self.notify()
        self.metrics.note_worker(self.connections, self.cfg.threads)
        if self.alive:
            held = len(self.connections)
            self.place.say(held)
            self.surplus = self.place.surplus(held)
        for conn in self.spared():
            if conn.is_idle:
                if now > conn.deadline() or (not self.alive and now > self.close_idle_at):
                    self.end_idle(conn)
            elif now > conn.deadline():
                self.close(conn) if conn.lingers or conn.sends else self.refuse(conn, Refusal(408))

    def spared(self) -> list[Connection]:
        """Return the connections that no thread has."""
        return [conn for conn in self.connections if not conn.busy]

    def accept(self, listener: socket.socket) -> None:
        held = len(self.connections)
        if self.place.should_leave(held) or (held >= self.most and not self.evict()):
            self.accept_at = time.monotonic() + LOOK_AGAIN
            return
        try:
            sock, client = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            if error.errno not in FULL:
                raise
            self.evict()
            self.accept_at = time.monotonic() + LOOK_AGAIN
            return
        sock.setblocking(False)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
        conn = Connection(self.cfg, sock, client, listener.getsockname(), self.spool)
        self.connections[conn] = None
        self.place.say(len(self.connections))
        self.watch(conn, selectors.EVENT_READ)

    def evict(self) -> bool:
        """Close the connection that can be spared best. Returns whether there was one."""
        conn = min(self.spared(), key=Connection.dispensability, default=None)
        if conn is not None:
            self.close(conn)
        return conn is not None

    def watch(self, conn: Connection, events: int) -> None:
        """Wait for these events on a connection, and for no others."""
        if events == conn.watched:
            return
        callback = partial(self.push if events == selectors.EVENT_WRITE else self.read, conn)
        if not events:
            self.poller.unregister(conn.socket)
        elif conn.watched:
            self.poller.modify(conn.socket, events, callback)
        else:
            self.poller.register(conn.socket, events, callback)
        conn.watched = events

    def close(self, conn: Connection) -> None:
        self.watch(conn, 0)
        conn.forget_request()
        conn.sock.close()
        conn.socket.close()
        del self.connections[conn]
        if self.alive:
            self.place.say(len(self.connections))

    def end_idle(self, conn: Connection) -> None:
        self.read(conn)  # a request may have come since the loop looked last
        if conn in self.connections and conn.is_idle:
            self.close(conn)

    def read(self, conn: Connection, _: object = None) -> None:
        if conn not in self.connections:
            return  # closed in this turn
        if conn.busy:
            self.watch(conn, 0)
            self.resume(conn)  # if the thread has not seen that nobody waits for the next request
            return
        try:
            data = os.read(conn.fd, READ)
        except BlockingIOError:
            return
        except OSError:
            self.close(conn)
            return
        if conn.lingers:
            if not data or not conn.drop(data):
                self.close(conn)
        elif data:
            conn.receive(data)
            self.proceed(conn)
        elif conn.request is None:
            self.close(conn)
        else:
            self.refuse(conn, Refusal(*CUT_SHORT))

    def resume(self, conn: Connection) -> None:
        """Wait for the next request, unless somebody does or a thread has this one still."""
        if conn in self.connections and not (conn.busy or conn.watched):
            self.watch(conn, selectors.EVENT_READ)

    def push(self, conn: Connection, _: object = None) -> None:
        """Send more of an answer, whose client takes it again."""
        if conn not in self.connections:
            return
        try:
            is_sent = conn.sock.push(PIECES)
        except OSError:
            self.close(conn)
            return
        conn.heard = time.monotonic()
        if is_sent:
            conn.sends = False
            self.go_on(conn, conn.goes_on)

    def proceed(self, conn: Connection) -> None:
        """Do what the bytes that have come allow."""
        try:
            step = conn.advance()
        except Exception as error:  # noqa: BLE001  a fault of one connection must not end the others
            self.refuse(conn, error)
            return
        if step is Step.WAIT:
            self.watch(conn, selectors.EVENT_READ)
            return
        if step is Step.LATER:
            self.watch(conn, 0)
            self.paused.append(conn)
            return
        conn.prepare(step)
        if self.surplus and step is Step.RUN and conn.count > SETTLED and not conn.pipelines:
            self.surplus -= 1
            conn.request.force_close()
        # The loop keeps watching, though not for room to send: most clients send nothing before they have the answer.
        self.watch(conn, selectors.EVENT_READ)
        conn.busy = True
        if step is Step.RUN and conn.is_quick and time.monotonic() >= self.quick_at:
            self.work_at_once(conn)
        else:
            self.tpool.submit(self.work, conn)

    def go_on_with_paused(self, now: float) -> None:
        """Read on in the connection that has waited longest, and leave the threads most of the time.

        A loop that is always busy makes each thread wait 5 ms for the interpreter whenever it has let go of it.
        """
        conn = self.paused.popleft()
        if conn in self.connections and not (
            conn.busy or conn.watched
        ):  # unless it was refused or closed meanwhile
            self.proceed(conn)
        self.go_on_at = time.monotonic() + BREATH * (time.monotonic() - now)

    def refuse(self, conn: Connection, error: Exception) -> None:
        """Answer without the application."""
        self.send(conn, answer(error, conn.head or bytes(conn.buffer), conn.address))
        self.linger(conn)

    def send(self, conn: Connection, data: bytes) -> None:
        """Send a few bytes, which a socket takes at once if its client reads at all."""
        try:
            os.write(conn.fd, data)
        except OSError as error:
            self.log.debug("not sent: %s", error)

    def linger(self, conn: Connection) -> None:
        """End the connection so that its client gets the answer: closing a socket with unread bytes resets it."""
        try:
            conn.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.close(conn)
            return
        conn.linger()
        self.watch(conn, selectors.EVENT_READ)

    def work_at_once(self, conn: Connection) -> None:
        """Run a request in the loop; in a thread after all if it would take long, or wait.

        Requests of the second after one that would wait go to threads at once.
        """
        with without_waiting():
            outcome = self.handle(conn)
        if outcome is WAITS:
            self.quick_at = time.monotonic() + TICK
        if outcome in (WAITS, TAKES_LONG):
            self.tpool.submit(self.work, conn)
        else:
            self.finish_request(conn, outcome)

    def work(self, conn: Connection) -> None:
        """Run a request, in a thread, and let the connection go on."""
        outcome = self.handle(conn)
        if outcome is True and not conn.buffer and not conn.sock.rests:
            conn.forget_request()
            conn.busy = False
            if not conn.watched:
                self.method_queue.defer(self.resume, conn)
        else:
            self.method_queue.defer(self.finish_request, conn, outcome)

    def finish_request(self, conn: Connection, outcome: object) -> None:
        """Go on after a request, in the loop, where a thread cannot."""
        conn.busy = False
        if outcome is AWAITED:
            self.send(conn, conn.is_wanted())
            self.proceed(conn)
        elif conn.sock.rests:
            conn.send_rest(bool(outcome))
            self.watch(conn, selectors.EVENT_WRITE)
        else:
            self.go_on(conn, bool(outcome))

    def go_on(self, conn: Connection, goes_on: bool) -> None:
        """Turn to the next request of a connection, or end it."""
        if goes_on:
            conn.forget_request()
            self.proceed(conn)
        else:
            self.linger(conn)
