"""gunicorn's logger, without its log of requests."""

from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger as GunicornLogger


class Logger(GunicornLogger):
    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """Do nothing: core.request_log writes a line for each request.

        gunicorn would collect the parts of one of its own wherever `logconfig_dict` is set, and drop it then.
        """
