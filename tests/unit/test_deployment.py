"""What render.yaml, the Procfile and the image say is what the code needs."""

import http.server
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading

import pathspec
import pytest
import yaml

from core.variables import declared
from core.variables.checking import check
from core.variables.reading import Environment
from gallery_project import memory
from tests.unit.test_environment import D1, PRODUCTION, R2, ROOT, one_sentence, run

DOCKERFILE = (ROOT / "Dockerfile").read_text()
BLUEPRINT = yaml.safe_load((ROOT / "render.yaml").read_text())
SERVICE, *JOBS = BLUEPRINT["services"]
GIVEN = {one["key"]: one.get("value", "") for one in SERVICE["envVars"]}
STARTER = 512 * 1024**2  # bytes of memory of Render's smallest plan


def test_render_gets_a_full_version_of_python_and_the_image_the_same_minor_one():
    minor = re.fullmatch(r"(3\.\d+)\.\d+", GIVEN["PYTHON_VERSION"])[1]
    assert re.findall(r"FROM python:(\S+)-slim", DOCKERFILE) == [minor, minor]


def test_every_variable_of_the_blueprint_is_declared_and_right():
    assert GIVEN.keys() - declared.ALL.keys() == {"PYTHON_VERSION"}
    check(Environment(GIVEN | PRODUCTION | D1 | R2 | {"CLOUDFLARE_R2_PRIVATE_BUCKET_NAME": "private"}))


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job["name"])
def test_a_job_has_the_variables_of_the_service_and_the_packages_that_were_tested(job):
    """Render generates another secret for each service: a job with its own could not open the service's snapshots."""
    assert job["buildCommand"] == SERVICE["buildCommand"].partition(" && ")[0]
    given = {one["key"]: one.get("fromService") for one in job["envVars"]}
    assert {name for name, source in given.items() if source is None} == {
        "CLOUDFLARE_R2_PRIVATE_BUCKET_NAME", "BACKUP_KEY",
    }  # fmt: skip
    for name, source in given.items():
        assert name in GIVEN
        assert source in (None, {"type": "web", "name": SERVICE["name"], "envVarKey": name})
    assert given.keys() >= {"ENVIRONMENT", "JWT_SECRET", *D1, *R2}


def test_the_workers_of_the_blueprint_and_the_default_fit_its_plan_and_four_do_not():
    _, decoding = memory.for_pictures(STARTER)
    for workers in (int(GIVEN["WEB_CONCURRENCY"]), declared.WEB_CONCURRENCY.default):
        assert memory.needed(workers, decoding * memory.MEGABYTE) <= STARTER
    assert memory.needed(4, decoding * memory.MEGABYTE) > STARTER
    assert memory.most_workers(decoding * memory.MEGABYTE, STARTER) == 2
    assert memory.most_workers(decoding * memory.MEGABYTE, 100) == 1


@pytest.mark.parametrize(
    "commands", [SERVICE["buildCommand"], (ROOT / "Procfile").read_text().splitlines()[0], DOCKERFILE]
)
def test_every_way_to_deploy_collects_the_static_files(commands):
    assert "manage.py collectstatic --no-input" in commands


def in_image(paths):
    """The paths that .dockerignore lets into the image. The last pattern that fits a path or a folder above decides."""
    ignored = pathspec.PathSpec.from_lines("gitignore", (ROOT / ".dockerignore").read_text().splitlines())
    return {path for path in paths if not ignored.match_file(path)}


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".env.production",
        "core/.env",
        "production.env",
        "data/gallery.sqlite3",
        "data/jwt-secret",
        ".git/config",
        ".venv/bin/python",
        "uploads.sqlite3",
        "media/designs/1.jpg",
        "staticfiles/staticfiles.json",
        "tests/settings.py",
        "benchmarks/bench.py",
        "devtools/serving.py",
        "docs/deployment.md",
        "d1backend/local/engine.py",
        "d1backend/local/node_modules/workerd/bin/workerd",
        "core/__pycache__/sql.cpython-312.pyc",
        "a-file-that-somebody-left",
    ],
)
def test_what_is_no_part_of_the_service_stays_out_of_the_image(path):
    assert in_image([path]) == set()


def test_what_the_build_copies_by_name_gets_into_it():
    named = [path for line in re.findall(r"^COPY ([^-].*) \./$", DOCKERFILE, re.M) for path in line.split()]
    assert named
    assert in_image(named) == set(named)
    assert all((ROOT / path).exists() for path in named)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """The folder that the image has: the files of the repository that .dockerignore lets in."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("image")
    for path in in_image(listed.stdout.splitlines()):
        if (ROOT / path).exists():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, folder / path)
    return folder


def test_the_image_has_all_that_the_service_imports(image, tmp_path):
    program = (
        "import importlib, pkgutil\n"
        "from gallery_project.wsgi import application\n"
        "apps = 'core', 'accounts', 'uploads', 'designs', 'console', 'operations', 'd1backend', 'gallery_project'\n"
        "for name in apps:\n"
        "    package = importlib.import_module(name)\n"
        "    for one in pkgutil.walk_packages(package.__path__, name + '.'):\n"
        "        importlib.import_module(one.name)\n"
        "print(sorted(package.__path__))"
    )  # fmt: skip
    given = {name: value for name, value in os.environ.items() if not name.startswith("CLOUDFLARE_")}
    settings = {"DJANGO_SETTINGS_MODULE": "gallery_project.settings", "DATA": str(tmp_path), "PYTHONPATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=image, env={**given, **PRODUCTION, **settings}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == f"['{image}/gallery_project']\n", done.stderr


def health_check():
    """The arguments of the image's health check."""
    command = re.search(r"^HEALTHCHECK .*?CMD (.*?)^CMD", DOCKERFILE.replace("\\\n", ""), re.S | re.M)[1]
    return shlex.split(command)


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_of_the_image_asks_the_port_of_the_service(status, code):
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        program, *arguments = health_check()
        given = {
            "PORT": str(server.server_port),
            "http_proxy": "http://127.0.0.1:1",
            "PATH": os.environ["PATH"],
        }
        done = subprocess.run([sys.executable, *arguments], env=given, capture_output=True, check=False)
        server.shutdown()
    assert program == "python"
    assert done.returncode == code
    assert asked == ["/health/live"]


def test_the_health_check_asks_the_default_port_where_port_is_set_to_nothing():
    """A line `PORT=` in the file of variables: gunicorn takes it for not set."""
    told = "import urllib.request as r; r.OpenerDirector.open = lambda self, url, **options: print(url); "
    done = subprocess.run(
        [sys.executable, "-c", told + health_check()[-1]], env={"PORT": " "}, capture_output=True, text=True
    )
    assert done.stdout == f"http://127.0.0.1:{declared.PORT.default}/health/live\n", done.stderr


def test_the_image_runs_as_a_user_of_its_own_and_keeps_its_code_from_it():
    last = DOCKERFILE.rpartition("FROM ")[2]
    assert "\nUSER gallery\n" in last
    assert "--chown" not in DOCKERFILE
    assert re.search(r"install -d -o gallery -m 700 /data", last)
    assert declared.ALL["DATA"].name in last


def started(tmp_path, **variables):
    """What gunicorn says whose start is refused."""
    return run(
        *("-m", "gunicorn", "--config", "gunicorn.conf.py", "--bind", "127.0.0.1:0", "gallery_project.wsgi"),
        **{**PRODUCTION, "DATA": str(tmp_path), **variables},
    )


def test_production_does_not_start_without_static_files_and_its_check_says_so(tmp_path):
    settings = {"DJANGO_SETTINGS_MODULE": "tests.unit.production_settings"}
    sentence = one_sentence(started(tmp_path, **settings))
    assert sentence.startswith("The static files of the console are not collected.")
    assert "collectstatic" in sentence
    given = {**PRODUCTION, **settings, "DATA": str(tmp_path)}
    assert "gallery.E001" in run("manage.py", "check", "--deploy", **given).stderr
    assert run("manage.py", "check", **given).returncode == 0  # cron jobs and migrations need none


@pytest.mark.parametrize("environment", ["development", "production"])
def test_a_data_folder_that_cannot_be_written_is_refused(tmp_path, environment):
    (tmp_path / "file").write_text("")
    sentence = one_sentence(started(tmp_path / "file" / "data", ENVIRONMENT=environment))
    assert sentence.startswith("DATA is ")
    assert "must be a folder that this user can write" in sentence
