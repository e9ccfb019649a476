"""What the threads of a worker do: they run a request, and send as much of the answer as its client takes."""

import errno
import threading
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from core.logs.current import CURRENT
from core.request_body import NOTES, BodyAwaited
from d1backend.waiting import WouldTakeLong, WouldWait
from gallery_project.wire.connection import Connection
from gallery_project.wire.refusals import answer

AWAITED = object()
WAITS, TAKES_LONG = object(), object()
GONE = (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN, errno.EBADF)


class AnsweringWorker(ThreadWorker):
    """gunicorn's thread worker, whose threads get complete requests and wait for no client."""

    wsgi: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.running = threading.local()  # the `notes` of the connection whose request a thread runs

    def load_wsgi(self) -> None:
        super().load_wsgi()
        application = self.wsgi

        def noted(environ: dict[str, Any], start_response: Any) -> Any:
            environ[NOTES] = self.running.notes
            return application(environ, start_response)

        self.wsgi = noted

    def handle(self, conn: Connection) -> object:
        """Run a request, and send what its client takes now.

        Return whether the connection goes on; AWAITED, WAITS or TAKES_LONG if the request is to run again when its body
        is there, or where it may wait or take long.
        """
        try:
            return self.run_request(conn)
        finally:
            # core.request_log leaves it, so that what fails meanwhile is logged with the request.
            CURRENT.set(None)

    def run_request(self, conn: Connection) -> object:
        self.running.notes = conn.notes
        try:
            goes_on = self.respond(conn)
            conn.sock.push()
        except BodyAwaited:
            return AWAITED
        except WouldTakeLong:
            return TAKES_LONG
        except WouldWait:
            return WAITS
        except OSError as error:
            if error.errno not in GONE:
                self.log.exception("an answer was not sent")
            conn.sock.close()
            return False
        return goes_on

    def respond(self, conn: Connection) -> bool:
        """Write the answer to `conn.sock`. Return whether the connection may go on after it."""
        try:
            return bool(self.handle_request(conn.request, conn))
        except (BodyAwaited, WouldWait, OSError):
            raise
        except StopIteration:  # gunicorn's, of an answer that broke off
            return False
        except BaseException as error:  # noqa: BLE001  none may pass: the thread has to give the connection back
            conn.sock.sendall(answer(error, conn.head, conn.address))
            return False
