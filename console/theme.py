"""The admin's theme: django-unfold's settings (https://unfoldadmin.com/docs/configuration/settings/).

The colours are those of Indian cloth: undyed cotton for the background, indigo for links and buttons. unfold uses
600 for text in the light theme and 500 in the dark one. Both meet WCAG AA, which tests/browser check.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy

# From undyed cotton to the near-black of many dips in indigo.
COTTON_TO_NIGHT = {
    "50": "oklch(98.6% .004 80)",
    "100": "oklch(96.6% .006 80)",
    "200": "oklch(92.4% .009 78)",
    "300": "oklch(86.5% .012 76)",
    "400": "oklch(72% .014 70)",
    "500": "oklch(53% .02 275)",
    "600": "oklch(43% .026 272)",
    "700": "oklch(36% .03 270)",
    "800": "oklch(27% .032 268)",
    "900": "oklch(20.5% .03 266)",
    "950": "oklch(14% .025 265)",
}
INDIGO = {
    "50": "oklch(97.2% .012 268)",
    "100": "oklch(94% .027 268)",
    "200": "oklch(88.5% .05 268)",
    "300": "oklch(81% .083 268)",
    "400": "oklch(74% .108 268)",
    "500": "oklch(69% .125 268)",
    "600": "oklch(46% .142 267)",
    "700": "oklch(40% .132 267)",
    "800": "oklch(34% .112 267)",
    "900": "oklch(29% .09 267)",
    "950": "oklch(21% .066 267)",
}


def asset(path: str) -> Callable[[HttpRequest], str]:
    """A static file's address, resolved for each page: settings are read before static files are configured."""
    return lambda request: static(path)


def unfold() -> dict[str, Any]:
    return {
        "SITE_TITLE": "Design Gallery",
        "SITE_HEADER": "Design Gallery",
        "SITE_SUBHEADER": "Console",
        "SITE_ICON": asset("gallery/logo.svg"),
        "SITE_URL": None,  # the service has no other pages for people
        "SITE_FAVICONS": [
            {"rel": "icon", "type": "image/svg+xml", "href": asset("gallery/logo.svg")},
        ],
        "SHOW_VIEW_ON_SITE": False,
        "BORDER_RADIUS": "8px",
        "COLORS": {"base": COTTON_TO_NIGHT, "primary": INDIGO},
        "STYLES": [asset("console/console.css")],
        "SCRIPTS": [asset("console/console.js")],
        "LOGIN": {"form": "console.accounts.forms.SignInForm", "image": asset("gallery/cloth.svg")},
        "ACCOUNT": {"navigation": [{"title": "Your sessions", "link": reverse_lazy("admin:own_sessions")}]},
        "DASHBOARD_CALLBACK": "console.dashboard.views.dashboard_context",
        "SIDEBAR": {"show_search": False, "navigation": "console.navigation.navigation"},
    }
