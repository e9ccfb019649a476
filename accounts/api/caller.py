"""What is noted of a caller besides who they are: their device."""

from rest_framework.request import Request


def user_agent_of(request: Request) -> str:
    return request.headers.get("User-Agent", "")
