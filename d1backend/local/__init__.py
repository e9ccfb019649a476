"""Cloudflare D1's engine on loopback, behind the D1 REST API: SQLite inside `workerd`, as D1 runs it."""

from d1backend.local.engine import D1Local, workerd_binary

__all__ = ["D1Local", "workerd_binary"]
