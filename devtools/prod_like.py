"""The gallery as in production, on this machine alone: `make run-prod-like`.

    DATA=folder python -m devtools.prod_like

Production settings, the two commands of the Procfile, D1's engine behind Cloudflare's allowance, an S3 server with a
public and a private bucket, and a proxy that speaks TLS. All of it lies in $DATA/prod-like; $DATA/prod-like.env holds
the environment for manage.py in another terminal. Ctrl-C ends everything.
"""

import contextlib
import json
import os
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyrage
import urllib3

from d1backend.local import D1Local
from devtools import local_cloud
from devtools.fault_plan import WRONG_TOKEN, Fault, RateLimit, Request
from devtools.fault_proxy import FaultProxy
from devtools.ports import free_port
from devtools.s3_server import S3Server
from devtools.tls_proxy import HOST, TlsProxy

ROOT = Path(__file__).parents[1]
ALLOWANCE, WINDOW = 1200, 300.0  # Cloudflare's: requests, seconds
ORIGIN = "https://app.example"  # of the app's web build
START_SECONDS, END_SECONDS = 120.0, 60.0
# As docs/deployment.md gives it.
CORS_RULE = {
    "AllowedOrigins": [ORIGIN],
    "AllowedMethods": ["GET", "HEAD", "PUT"],
    "AllowedHeaders": ["content-type", "if-none-match"],
    "ExposeHeaders": ["ETag"],
    "MaxAgeSeconds": 3600,
}
VERIFY = "/client/v4/user/tokens/verify"
ACTIVE = b'{"result": {"status": "active"}, "success": true, "errors": [], "messages": []}'


@dataclass(frozen=True)
class ProdLike:
    """The running service: its public address, the environment of its commands, its admin, and gunicorn."""

    address: str
    environment: dict[str, str]
    admin: dict[str, str]
    server: subprocess.Popen[bytes]

    def manage(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command of manage.py, with other variables in place of the service's."""
        return manage({**self.environment, **more}, *arguments)


def manage(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )


@contextlib.contextmanager
def prod_like(data: Path, say: Callable[[str], None] = lambda line: None) -> Iterator[ProdLike]:
    """Run the service with everything in the folder `data`, until the block ends. `say` gets what happens."""
    (data / "s3").mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = secrets_of(data / "secrets.json")
    port = free_port()
    with contextlib.ExitStack() as stack:
        say("Starting D1's engine and the S3 server …")
        token = secrets.token_urlsafe(16)
        engine = stack.enter_context(D1Local(persist=str(data / "d1"), token=token))
        database = local_cloud.database_id(engine)
        store = stack.enter_context(S3Server(data / "s3", public_bucket=local_cloud.BUCKET))
        ensure_buckets(store)
        d1 = stack.enter_context(FaultProxy(engine.url, rate=RateLimit(ALLOWANCE, WINDOW)))
        d1.plan = lambda number, request: answer_of_cloudflare(request, token)
        proxy = stack.enter_context(TlsProxy(f"http://{HOST}:{port}", data))
        environment = {
            **clean(os.environ),
            **local_cloud.variables(engine, store),
            "CLOUDFLARE_D1_DATABASE_ID": database,
            "CLOUDFLARE_D1_BASE_URL": d1.url,
            "CLOUDFLARE_R2_PRIVATE_BUCKET_NAME": local_cloud.PRIVATE_BUCKET,
            **production(data, port, proxy, kept),
        }
        say("Collecting static files, migrating, making an admin …")
        prepare(environment, kept)
        server = stack.enter_context(serving(environment, data / "server.log"))
        wait_until_ready(f"http://{HOST}:{port}/health/ready", server)
        admin = {"username": "asha", "password": kept["admin_password"]}
        found = ProdLike(proxy.address, environment, admin, server)
        say("Writing a snapshot of the copy and a backup …")
        found.manage("d1_replica", "snapshot")  # fails where the server is just writing one
        found.manage("backup", "--to", "r2:")
        yield found


def production(data: Path, port: int, proxy: TlsProxy, kept: dict[str, str]) -> dict[str, str]:
    """Return the variables of a production host behind the proxy."""
    return {
        "ENVIRONMENT": "production",
        "DEBUG": "false",
        "DJANGO_SETTINGS_MODULE": "gallery_project.settings",
        "DATA": str(data),
        "PORT": str(port),
        "JWT_SECRET": kept["jwt_secret"],
        "METRICS_TOKEN": kept["metrics_token"],
        # Nobody has its private key: backups of a trial are not read again.
        "BACKUP_KEY": kept["backup_key"],
        "ALLOWED_HOSTS": HOST,
        "CORS_ORIGINS": ORIGIN,
        "CLIENT_ADDRESS_HEADER": "X-Real-IP",
        "HOSTS": "1",
        "D1_ALLOWANCE": str(ALLOWANCE),
        "SSL_CERT_FILE": str(proxy.certificate),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }


def clean(given: os._Environ[str]) -> dict[str, str]:
    """Return the environment without variables of the service, which could lead it to other places."""
    kept = ("HOME", "LANG", "LC_ALL", "TERM", "TMPDIR", "TZ", "WEB_CONCURRENCY", "WEB_THREADS", "WORKERD")
    return {name: given[name] for name in kept if name in given}


def secrets_of(path: Path) -> dict[str, str]:
    """Return the secrets of this folder; the first call makes them. Only their owner can read them."""
    if not path.exists():
        names = ("jwt_secret", "metrics_token", "admin_password")
        path.touch(mode=0o600)
        identity = pyrage.x25519.Identity.generate()
        made = {name: secrets.token_urlsafe(36) for name in names}
        path.write_text(json.dumps({**made, "backup_key": str(identity.to_public())}))
    found: dict[str, str] = json.loads(path.read_text())
    return found


def ensure_buckets(store: S3Server) -> None:
    local_cloud.ensure_buckets(store)
    store.client().put_bucket_cors(Bucket=local_cloud.BUCKET, CORSConfiguration={"CORSRules": [CORS_RULE]})


def answer_of_cloudflare(request: Request, token: str) -> Fault | None:
    """Answer as Cloudflare does where the engine alone knows neither accounts nor tokens; None leaves it to it."""
    if request.headers.get("authorization") != f"Bearer {token}":
        if request.path == VERIFY:
            return Fault("invalid token", False, b'{"success": false, "errors": [{"code": 1000}]}', 401)
        return WRONG_TOKEN
    if request.path == VERIFY:
        return Fault("verified", False, ACTIVE, 200)
    is_ours = f"/accounts/{local_cloud.ACCOUNT}/" in request.path
    return None if is_ours else WRONG_TOKEN


def prepare(environment: dict[str, str], kept: dict[str, str]) -> None:
    """Run what a deployment runs before the server starts."""
    if not is_collected():
        required(manage(environment, "collectstatic", "--no-input", "--verbosity", "0"))
    required(run_line("release", environment))
    admin = {"ADMIN_USERNAME": "asha", "ADMIN_PASSWORD": kept["admin_password"]}
    required(manage({**environment, **admin}, "create_admin", "--no-input"))


def is_collected() -> bool:
    """Return whether the static files were collected since they, or the packages that bring some, have changed."""
    manifest = ROOT / "staticfiles" / "staticfiles.json"
    sources = [ROOT / "requirements.txt", *ROOT.glob("static/**/*"), *ROOT.glob("*/static/**/*")]
    newest = max(source.stat().st_mtime for source in sources)
    return manifest.exists() and manifest.stat().st_mtime > newest


def procfile(name: str) -> str:
    """Return a command of the Procfile."""
    lines = dict(line.split(":", 1) for line in (ROOT / "Procfile").read_text().splitlines() if ":" in line)
    return lines[name].strip()


def run_line(name: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", procfile(name)], cwd=ROOT, env=environment, capture_output=True, text=True
    )


def required(done: subprocess.CompletedProcess[str]) -> None:
    """Raise RuntimeError with what a command said if it failed."""
    if done.returncode:
        raise RuntimeError(f"{shlex.join(map(str, done.args))} failed:\n{done.stdout}{done.stderr}")


@contextlib.contextmanager
def serving(environment: dict[str, str], log_file: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server of the Procfile in a process group of its own."""
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            ["sh", "-c", f"exec {procfile('web')}"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server has its copy of D1. Raises RuntimeError if it ends, or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    with urllib3.PoolManager(retries=False, timeout=5) as pool:
        while time.monotonic() < deadline and server.poll() is None:
            with contextlib.suppress(urllib3.exceptions.HTTPError):
                if pool.request("GET", url).status == 200:
                    return
            time.sleep(0.2)
    raise RuntimeError("The server did not get ready: see server.log in DATA/prod-like.")


def write_environment(path: Path, environment: dict[str, str]) -> None:
    """Write the variables for `source`, into a file that only its owner can read."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    named = {name: value for name, value in environment.items() if name not in clean(os.environ)}
    path.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in named.items()))


def announce(found: ProdLike, file: Path) -> None:
    print(
        f"\n  Design Gallery, as in production\n"
        f"    Address  {found.address}   (with a certificate of its own)\n"
        f"    Admin    {found.address}/admin/\n"
        f"    Sign in as {found.admin['username']} with {found.admin['password']}\n"
        f"    In another terminal:\n"
        f"      source {shlex.quote(str(file))}\n"
        f"      {os.path.relpath(sys.executable)} manage.py doctor --url {found.address}\n"
        f"    Ctrl-C ends it.\n",
        flush=True,
    )


def supervised(data: Path) -> int:
    """Serve until SIGTERM, or until the process that started this one ends."""
    starter = os.getppid()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    file = data / "prod-like.env"
    try:
        with prod_like(data / "prod-like", lambda line: print(line, flush=True)) as found:
            write_environment(file, found.environment)
            announce(found, file)
            while found.server.poll() is None and os.getppid() == starter:
                time.sleep(0.5)
            return found.server.poll() or 0
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        file.unlink(missing_ok=True)


def main(arguments: list[str]) -> int:
    """Run the services in a session of their own, so that Ctrl-C ends them in order and not all at once."""
    data = Path(os.environ["DATA"]).resolve()
    if "--supervised" in arguments:
        return supervised(data)
    if shutil.which("sh") is None:
        print("This needs a POSIX shell.", file=sys.stderr)
        return 1
    command = [sys.executable, "-m", "devtools.prod_like", "--supervised"]
    inner = subprocess.Popen(command, start_new_session=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: inner.terminate())
    return inner.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
