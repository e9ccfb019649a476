"""The proxy before an S3 server can refuse connections and come back on the same port."""

import http.server
import threading

import pytest
import urllib3

from devtools.store_proxy import StoreProxy


class Store(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def proxy():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Store) as store:
        threading.Thread(target=store.serve_forever, args=(0.05,), daemon=True).start()
        proxy = StoreProxy(f"http://127.0.0.1:{store.server_port}")
        yield proxy
        proxy.stop()
        store.shutdown()


def test_a_store_that_is_down_refuses_connections_until_it_is_up_again(proxy):
    def status():
        with urllib3.PoolManager(retries=False, timeout=5) as pool:
            return pool.request("GET", f"{proxy.endpoint}/gallery/a").status

    assert status() == 200
    for _ in range(2):
        proxy.go_down()
        with pytest.raises(urllib3.exceptions.NewConnectionError):
            status()
        proxy.come_up()
        assert status() == 200
