"""JSON in and JSON out, whatever the Accept header says."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import IO, Any

from django.http import HttpRequest
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from core.json_types import Json


class Parser(JSONParser):
    """DRF's parser. Rejects a body that is nested too deeply for Python, instead of failing.

    The request keeps its body, because the view may run again (core.races).
    """

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Json] | None = None,
    ) -> Any:
        if isinstance(stream, HttpRequest):
            stream = BytesIO(stream.body)
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError("The body is nested too deeply.") from error


class JsonOnly(DefaultContentNegotiation):
    """Chooses the view's first renderer, whatever the client accepts, and a parser only by a media type of its own."""

    def select_parser(self, request: Request, parsers: Sequence[BaseParser]) -> BaseParser | None:  # type: ignore[override]
        if "*" in request.content_type.partition(";")[0]:
            return None  # a pattern, such as */*, which DRF takes for the first parser's type
        return super().select_parser(request, parsers)

    def select_renderer(  # type: ignore[override]
        self, request: Request, renderers: Sequence[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], str(renderers[0].media_type)
