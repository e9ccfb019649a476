"""What the gallery stores about a caller's device."""

from rest_framework.request import Request


def user_agent_of(request: Request) -> str:
    return request.headers.get("User-Agent", "")
