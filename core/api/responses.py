"""The response to a call that succeeded and says so in one sentence."""

from typing import Any

from rest_framework.response import Response


def message_response(message: str, **more: Any) -> Response:
    """`{"message", "success": true}`, and whatever else the call shows."""
    return Response({"message": message, "success": True, **more})
