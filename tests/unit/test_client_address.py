"""The client's address: what the named proxies say of it, and nothing that a client can make up."""

from pathlib import Path

import pytest
import yaml
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory

from core.client_address import client_address, network_of
from core.variables import declared
from core.variables.checking import check
from tests.unit.test_environment import env

SOCKET = "10.21.157.68"
CLIENT = "203.0.113.9"


def address(settings, *, header="", proxies=0, socket=SOCKET, **sent):
    settings.CLIENT_ADDRESS_HEADER, settings.NUM_PROXIES = header, proxies
    headers = {name.replace("_", "-"): value for name, value in sent.items()}
    return client_address(RequestFactory().get("/", headers=headers, REMOTE_ADDR=socket))


def test_without_proxies_no_header_is_believed(settings):
    assert address(settings, X_Forwarded_For=CLIENT, CF_Connecting_IP=CLIENT) == SOCKET


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (1, CLIENT, CLIENT),
        (1, f"198.51.100.1, {CLIENT}", CLIENT),
        (3, f"{CLIENT}, 104.22.17.40, 10.0.0.1", CLIENT),
        (3, f"198.51.100.1, {CLIENT}, 104.22.17.40, 10.0.0.1", CLIENT),
        (2, CLIENT, SOCKET),  # fewer than the proxies append: it did not come through them
        (1, "", SOCKET),
        (1, "nonsense", SOCKET),
        (1, "2001:DB8::9", "2001:db8::9"),
        (1, "::ffff:203.0.113.9", CLIENT),
    ],
)
def test_the_proxies_are_counted_from_the_end(settings, proxies, forwarded, expected):
    assert address(settings, proxies=proxies, X_Forwarded_For=forwarded) == expected


@pytest.mark.parametrize("value", ["", "nonsense", "a\nb", "203.0.113.9, 192.0.2.1", "1.2.3", "x" * 9000])
def test_a_header_that_is_no_address_is_not_believed(settings, value):
    assert address(settings, header="CF-Connecting-IP", CF_Connecting_IP=value) == SOCKET


def test_a_zone_is_no_part_of_the_address(settings):
    assert address(settings, header="X-Real-IP", X_Real_IP="fe80::1%<script>\n") == "fe80::1"


def test_a_socket_without_an_address_has_none(settings):
    assert address(settings, socket="") == ""


def test_on_render_the_client_is_told_by_the_header_that_cloudflare_sets(settings):
    blueprint = yaml.safe_load((Path(__file__).parents[2] / "render.yaml").read_text())
    variables = {one["key"]: one.get("value", "") for one in blueprint["services"][0]["envVars"]}
    header = env(**variables)[declared.CLIENT_ADDRESS_HEADER]
    for made_up in ("192.0.2.1", "192.0.2.2, 192.0.2.3"):
        forwarded = f"{made_up}, {CLIENT}, 104.22.17.40, 10.0.0.1"
        sent = {"CF_Connecting_IP": CLIENT, "X_Forwarded_For": forwarded, "True_Client_IP": made_up}
        assert address(settings, header=header, **sent) == CLIENT


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"NUM_PROXIES": "-1"}, "NUM_PROXIES"),
        ({"NUM_PROXIES": "1", "CLIENT_ADDRESS_HEADER": "X-Real-IP"}, "NUM_PROXIES"),
        ({"CLIENT_ADDRESS_HEADER": "no header"}, "CLIENT_ADDRESS_HEADER"),
        ({"CLIENT_ADDRESS_HEADER": "X-Forwarded-For"}, "NUM_PROXIES"),
    ],
)
def test_what_can_not_be_meant_is_refused_at_the_start(given, named):
    with pytest.raises(ImproperlyConfigured, match=named):
        check(env(**given))


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_an_ipv6_address_stands_for_its_network(one, expected):
    assert network_of(one) == expected
