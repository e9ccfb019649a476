"""The worker: one loop reads all connections without waiting, threads run complete requests."""

import errno
import os
import resource
import selectors
import socket
import threading
import time
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

from gunicorn.config import Config
from gunicorn.errors import HaltServer
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from core.request_body import NOTES, BodyAwaited
from gallery_project.wire.balance import LOOK_AGAIN, Place
from gallery_project.wire.connection import Connection, Spool, Step
from gallery_project.wire.refusals import CUT_SHORT, Refusal, answer, refusal_of

READ = 64 * 1024  # bytes
SEND_SECONDS = 30.0  # for a piece of an answer, to a client that does not read
OTHER_FILES = 128  # descriptors that connections leave to the rest of the process
TICK = 1.0  # seconds
AWAITED = object()
GONE = (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN, errno.EBADF)
FULL = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Worker(ThreadWorker):
    """gunicorn's thread worker, but a thread of the pool gets a request only when it is complete.

    An exception: of a long body the application is asked with the head alone. It answers what it can refuse by that,
    or asks for the body, and the request runs again when that is there (core.request_body).
    """

    wsgi: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.place = Place()
        self.waiting: dict[Connection, None] = {}  # those whose sockets the loop watches
        self.accept_at = self.tick_at = self.close_idle_at = 0.0
        self.surplus = 0  # connections to end in favour of a sibling
        self.running = threading.local()  # the `notes` of the connection whose request a thread runs

    @classmethod
    def check_config(cls, cfg: Config, log: Logger) -> None:
        if cfg.is_ssl:
            raise HaltServer("This worker does not speak TLS: put a proxy in front of it.")

    def init_process(self) -> None:
        from django.conf import settings  # gunicorn loads this module before Django is set up

        self.spool = Spool(Path(settings.DATA))
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.most = min(
            self.worker_connections, max(1, (files - OTHER_FILES) // 2)
        )  # sockets and long bodies
        super().init_process()

    def load_wsgi(self) -> None:
        super().load_wsgi()
        application = self.wsgi

        def noted(environ: dict[str, Any], start_response: Any) -> Any:
            environ[NOTES] = self.running.notes
            return application(environ, start_response)

        self.wsgi = noted

    def run(self) -> None:
        self.poller.register(
            self.method_queue.fileno(), selectors.EVENT_READ, self.method_queue.run_callbacks
        )
        while self.alive and self.is_parent_alive():
            self.turn()
        self.place.withdraw()
        ends = time.monotonic() + self.cfg.graceful_timeout
        self.close_idle_at = time.monotonic() + STOP_KEEPALIVE_LINGER
        while self.nr_conns and time.monotonic() < ends:
            self.turn()
        for conn in list(self.waiting):
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
        self.wait_for_and_dispatch_events(pause if 0 < pause < TICK else TICK)

    def tick(self, now: float) -> None:
        self.tick_at = now + TICK
        self.notify()
        if self.alive:
            self.place.say(self.nr_conns)
            self.surplus = self.place.surplus(self.nr_conns)
        for conn in list(self.waiting):
            if conn.is_idle:
                if now > conn.deadline() or (not self.alive and now > self.close_idle_at):
                    self.close(conn)
            elif now > conn.deadline():
                self.close(conn) if conn.lingers else self.refuse(conn, Refusal(408))

    def accept(self, listener: socket.socket) -> None:
        if self.place.should_leave(self.nr_conns) or (self.nr_conns >= self.most and not self.evict()):
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
        # The loop reads only what is there, by the descriptor; this is for the threads, which send.
        sock.settimeout(SEND_SECONDS)
        self.nr_conns += 1
        self.place.say(self.nr_conns)
        self.wait(Connection(self.cfg, sock, client, listener.getsockname(), self.spool))

    def evict(self) -> bool:
        """Close the connection that can be spared best. Returns whether there was one."""
        if self.waiting:
            self.close(min(self.waiting, key=Connection.dispensability))
            return True
        return False

    def wait(self, conn: Connection) -> None:
        if conn not in self.waiting:
            self.waiting[conn] = None
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.read, conn))

    def stop_waiting(self, conn: Connection) -> None:
        if conn in self.waiting:
            del self.waiting[conn]
            self.poller.unregister(conn.sock)

    def close(self, conn: Connection) -> None:
        self.stop_waiting(conn)
        conn.forget_request()
        conn.sock.close()
        self.nr_conns -= 1
        if self.alive:
            self.place.say(self.nr_conns)

    def read(self, conn: Connection, sock: socket.socket) -> None:
        if conn not in self.waiting:
            return  # closed in this turn
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

    def proceed(self, conn: Connection) -> None:
        """Do what the bytes that have come allow."""
        try:
            step = conn.advance()
        except Exception as error:  # noqa: BLE001  a fault of one connection must not end the others
            self.refuse(conn, error)
            return
        if step is Step.WAIT:
            self.wait(conn)
            return
        self.stop_waiting(conn)
        conn.prepare(step)
        if self.surplus and step is Step.RUN and not conn.buffer:
            self.surplus -= 1
            conn.request.force_close()
        self.enqueue_req(conn)

    def refuse(self, conn: Connection, error: Exception) -> None:
        """Answer without the application."""
        refusal = refusal_of(error)
        if refusal.status in (500, 503):
            self.log.error("a request was refused with %d", refusal.status, exc_info=error)
        self.send(conn, answer(refusal, conn.head or bytes(conn.buffer)))
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
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.close(conn)
            return
        conn.linger()
        self.wait(conn)

    def handle(self, conn: Connection) -> object:
        """Run a request, in a thread. Returns whether the connection goes on, or AWAITED."""
        self.running.notes = conn.notes
        try:
            return self.handle_request(conn.request, conn)
        except BodyAwaited:
            return AWAITED
        except StopIteration:
            return False
        except OSError as error:
            if error.errno not in GONE and not isinstance(error, TimeoutError):
                self.log.exception("a request failed")
        except Exception as error:
            self.log.exception("a request failed")
            self.send(conn, answer(refusal_of(error), conn.head))
        return False

    def finish_request(self, conn: Connection, future: "Future[object]") -> None:
        """Go on after a request, in the loop."""
        failure = None if future.cancelled() else future.exception()
        if failure is not None:
            self.log.error("a thread ended its request by an exception", exc_info=failure)
        outcome = None if future.cancelled() or failure else future.result()
        if outcome is AWAITED:
            self.send(conn, conn.is_wanted())
            self.proceed(conn)
        elif outcome:
            conn.forget_request()
            self.proceed(conn)
        else:
            self.linger(conn)
