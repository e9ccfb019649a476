"""Views with the faults that tests of the log need: exceptions that quote whatever the client sent."""

import logging
import threading
from collections.abc import Iterator

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.logs.current import in_request
from gallery_project.urls import handler403, handler404, handler500, urlpatterns  # noqa: F401

library = logging.getLogger("some.library")


class Failing(APIView):
    def post(self, request: Request) -> Response:
        """Fail like code that says too much."""
        try:
            raise LookupError(f"nothing for {request.data}")
        except LookupError as error:
            token = request.headers["Authorization"]
            raise ValueError(f"{request.get_full_path()} of {token}: {request.data['contact']}") from error


class Telling(APIView):
    def get(self, request: Request) -> Response:
        """Log like a library, also from another thread."""
        library.debug("debug %s", request.query_params)
        library.info("for the caller")
        thread = threading.Thread(target=in_request(library.info), args=("in a thread\nforged",))
        thread.start()
        thread.join()
        return Response({})


def page(request: HttpRequest, name: str) -> HttpResponse:
    raise RuntimeError(f"{request.GET} {request.COOKIES} {request!r} {name}")


def suspicious(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation(request.get_full_path())


def breaking(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[bytes]:
        if "at_once" in request.GET:
            raise ValueError(request.GET["search"])
        yield b"one "
        library.warning("between the parts")
        raise ValueError(request.GET["search"])

    return StreamingHttpResponse(parts(), content_type="text/plain")


urlpatterns = [
    path("api/failing", Failing.as_view()),
    path("api/telling", Telling.as_view()),
    path("failing/<str:name>", page),
    path("suspicious", suspicious),
    path("breaking", breaking),
    *urlpatterns,
]
