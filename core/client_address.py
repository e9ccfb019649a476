"""The address of a request's client. Every limit and every record asks here, and nowhere else."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

IPV6_SITE = 64  # bits: what one customer is given, so any address of it is the same client

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def client_address(request: Request | HttpRequest) -> str:
    """The client's address, as far as the settings trust the proxies before this process.

    CLIENT_ADDRESS_HEADER names the one header that the outermost proxy overwrites, as Cloudflare does with
    CF-Connecting-IP (https://developers.cloudflare.com/fundamentals/reference/http-headers/); NUM_PROXIES says how
    many proxies append to X-Forwarded-For. Where neither is set, or what came is no address, it is the socket's.
    """
    meta = request.META
    socket = meta.get("REMOTE_ADDR", "")
    if settings.CLIENT_ADDRESS_HEADER:
        told = meta.get("HTTP_" + settings.CLIENT_ADDRESS_HEADER.upper().replace("-", "_"), "")
    else:
        told = forwarded_for(meta.get("HTTP_X_FORWARDED_FOR", ""), settings.NUM_PROXIES)
    return str(parsed(told) or parsed(socket) or socket)


def forwarded_for(header: str, proxies: int) -> str:
    """The entry that the outermost of the proxies appended; empty where too few stand there.

    What stands before it a client can have sent itself.
    """
    entries = header.split(",")
    return entries[-proxies] if 0 < proxies <= len(entries) else ""


def parsed(text: str) -> Address | None:
    """The address without its zone, an IPv4-mapped one as IPv4; None where the text is no address."""
    try:
        address = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def network_of(address: str) -> str:
    """The address, or its network where one client has a whole network of them."""
    known = parsed(address)
    if known is None or known.version == 4:
        return str(known or address)
    return str(ipaddress.ip_network((known, IPV6_SITE), strict=False))
