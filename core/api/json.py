"""JSON in and JSON out, whatever a client's Accept header or a very deep body asks for."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import IO, Any

from django.http import HttpRequest
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class Parser(JSONParser):
    """DRF's parser; a body nested deeper than Python can follow is malformed, not a failure of ours.

    The request keeps its body, for the view may be run again (core.races).
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        if isinstance(stream, HttpRequest):
            stream = BytesIO(stream.body)
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError("The body is nested too deeply.") from error


class JsonOnly(DefaultContentNegotiation):
    """Answers with the view's first renderer, whatever the client says it accepts."""

    def select_renderer(  # type: ignore[override]
        self, request: Request, renderers: Sequence[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], str(renderers[0].media_type)
