"""The address of a request's client. Every limit and every record uses this module."""

import hashlib
import ipaddress
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

IPV6_SITE = 64  # bits: the network of one customer, so all its addresses are one client

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def client_address(request: Request | HttpRequest) -> str:
    """Return the client's address, as far as the settings trust the proxies in front of this process.

    CLIENT_ADDRESS_HEADER names the one header that the outermost proxy overwrites, as Cloudflare does with
    CF-Connecting-IP (https://developers.cloudflare.com/fundamentals/reference/http-headers/); NUM_PROXIES says how
    many proxies append to X-Forwarded-For. If neither is set, or the header has no address, it is the socket's.
    """
    meta = request.META
    socket = meta.get("REMOTE_ADDR", "")
    if settings.CLIENT_ADDRESS_HEADER:
        claimed = meta.get("HTTP_" + settings.CLIENT_ADDRESS_HEADER.upper().replace("-", "_"), "")
    else:
        claimed = forwarded_for(meta.get("HTTP_X_FORWARDED_FOR", ""), settings.NUM_PROXIES)
    return str(parsed(claimed) or parsed(socket) or socket)


def forwarded_for(header: str, proxies: int) -> str:
    """Return the entry that the outermost proxy appended; empty if there are too few entries.

    The client itself can have sent the entries before it.
    """
    entries = header.split(",")
    return entries[-proxies] if 0 < proxies <= len(entries) else ""


@lru_cache(maxsize=256)  # each request asks for the same one two or three times
def parsed(text: str) -> Address | None:
    """Return the address without its zone, an IPv4-mapped one as IPv4; None if the text is not an address."""
    try:
        address = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def network_of(address: str) -> str:
    """Return the address, or for IPv6 its network, because one client has a whole network."""
    known = parsed(address)
    if known is None or known.version == 4:
        return str(known or address)
    return str(ipaddress.ip_network((known, IPV6_SITE), strict=False))


def mark_of(network: str, key: str | None = None) -> str:
    """Return 16 characters by which a network is known again, by default under SECRET_KEY.

    Without the secret nobody finds the network from them.
    """
    secret = hashlib.sha256((key or settings.SECRET_KEY).encode()).digest()
    return hashlib.blake2b(network.encode(), digest_size=8, key=secret, person=b"network").hexdigest()


def marks_of(network: str) -> list[str]:
    """Return the marks of a network that may be stored: one from before SECRET_KEY was replaced is still known."""
    return [mark_of(network, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
