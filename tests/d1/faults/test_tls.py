"""D1 behind TLS, as it always is in production: whom a connection trusts, and what that costs."""

import ssl

import pytest

from d1backend.errors import OperationalError
from d1backend.options import Settings
from d1backend.protocol import deadline
from d1backend.protocol.api import Api
from devtools.tls_proxy import TlsProxy
from tests.d1.faults.conftest import TOKEN


@pytest.fixture
def tls(engine, tmp_path):
    """A proxy that speaks TLS before D1's engine, with a certificate of its own; no process trusts anybody yet."""
    deadline._trust.cache_clear()
    with TlsProxy(engine.url, tmp_path) as proxy:
        yield proxy
    deadline._trust.cache_clear()


def ask(proxy, database):
    api = Api(Settings("an-account", TOKEN, f"{proxy.address}/client/v4", retries=0))
    try:
        return api.batch(database, [("SELECT 7", [])])[0]["rows"]
    finally:
        api.close()


def test_connections_read_the_trusted_certificates_once(faulty, tls, monkeypatch):
    reads = []
    load = ssl.SSLContext.load_default_certs

    def noting(self, purpose=ssl.Purpose.SERVER_AUTH):
        reads.append(purpose)
        load(self, purpose)

    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", noting)
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.certificate))
    assert [ask(tls, faulty.settings_dict["NAME"]) for _ in range(3)] == [[[7]]] * 3
    assert reads == [ssl.Purpose.SERVER_AUTH]


def test_a_certificate_that_is_not_trusted_is_refused(faulty, tls):
    with pytest.raises(OperationalError, match="certificate verify failed"):
        ask(tls, faulty.settings_dict["NAME"])


def test_a_certificate_of_another_host_is_refused(faulty, tls, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.certificate))
    tls.address = tls.address.replace("127.0.0.1", "localhost")
    with pytest.raises(OperationalError, match="certificate verify failed"):
        ask(tls, faulty.settings_dict["NAME"])
