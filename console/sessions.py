"""Django's session engine of the console (settings.SESSION_ENGINE): the data is in the signed cookie.

A signed-in session is also a row of SignIn, which the cookie names and which decides whether the session is open:
docs/decisions/0008-console-sessions-are-sign-ins.md.
"""

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import signed_cookies
from django.http import HttpRequest

from accounts import console_sessions
from accounts.models import User
from core.client_address import client_address
from core.logs.current import user_is
from d1backend import SerializationFailure

ROW = "sign_in"  # the key of (id of the row, when it began: seconds, time.time())


class SessionStore(signed_cookies.SessionStore):
    def load(self) -> dict[str, Any]:
        """Return the cookie's data; none if it is forged or too old, or the session has ended.

        Without a good signature nothing is asked of a database.
        """
        data: dict[str, Any] = super().load()
        if not data:
            self._session_key = None  # the middleware then deletes the cookie
        elif SESSION_KEY in data and not is_open(data):
            # The cookie stays: the copy of this host may lag behind, and the next request be right again.
            return {}
        elif SESSION_KEY in data:
            user_is(int(data[SESSION_KEY]))
        return data

    def flush(self) -> None:
        """End the row and forget the data."""
        if ROW in self:
            console_sessions.session_end(int(self[SESSION_KEY]), self[ROW][0])
        super().flush()


def is_open(data: dict[str, Any]) -> bool:
    if ROW not in data:
        return False
    sign_in_id, began = data[ROW]
    return console_sessions.is_open(int(data[SESSION_KEY]), sign_in_id, began)


def begin(sender: type[User], request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Store the row of a session that begins: a receiver of user_logged_in.

    A second sign-in of the same user in the same browser ends the earlier session. Raises SerializationFailure if the
    user has just changed; core.middleware.RepeatLostWrites then checks the password again.
    """
    earlier = request.session.pop(ROW, None)
    if earlier is not None:
        console_sessions.session_end(user.pk, earlier[0])
    try:
        user_agent = request.headers.get("User-Agent", "")
        sign_in = console_sessions.session_begin(user, user_agent, address=client_address(request))
    except SerializationFailure:
        request.session.flush()
        raise
    user_is(user.pk)
    request.session[ROW] = [sign_in.pk, sign_in.created_at.timestamp()]


def sign_in_id_of(request: HttpRequest) -> int | None:
    """Return the id of the row of the request's session; None if it has none."""
    row = request.session.get(ROW)
    return None if row is None else int(row[0])
