"""`make bench-dashboard` measures what opening the dashboard costs: milliseconds, CPU, statements, round trips.

DESIGNS= and COUNTS= set the size of the gallery (100,000 designs, 1,000,000 daily counts). TEST_ENGINE=d1 puts it on
D1's own engine, without the replica. OUT= is a file for the figures as JSON.
"""

import json
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent))
os.environ["DATA"] = tempfile.mkdtemp(prefix="design-gallery-bench-")
os.environ["DJANGO_SETTINGS_MODULE"] = "gallery_project.settings"
os.environ |= {"REPLICA": "false", "LOG_LEVEL": "ERROR", "DEBUG": "false"}

DESIGNS = int(os.environ.get("DESIGNS") or 100_000)
COUNTS = int(os.environ.get("COUNTS") or 1_000_000)
LIKES, PEOPLE, DAYS, RUNS = 50_000, 2_000, 90, 15
CHUNK = 5_000  # rows per statement, which D1 must finish within 30 s
TARGET = {"ms": 300, "round_trips": 3}

# n counts up from {first}; multiplying it by primes scatters the values.
NUMBERS = "WITH RECURSIVE s(n) AS (VALUES ({first}) UNION ALL SELECT n + 1 FROM s WHERE n < {last})"
WHEN = "strftime('%Y-%m-%d %H:%M:%S', 'now', '-' || (n * 7919 % {days}) || ' days')"
IMAGE = """INSERT INTO images (
    id, object_key, category, content_type, size, width, height, dominant_colour, thumbhash, perceptual_hash,
    renditions, recipe, created_at
) {numbers} SELECT
    n, 'designs/' || n || '.jpg', 'designs', 'image/jpeg', 300000 + n % 50000, 900, 1200, '#7a1f2b', '',
    printf('%016x', n * 2654435761), '[]', 0, {when}
FROM s"""
DESIGN = """INSERT INTO designs (
    id, title, description, r2_object_key, image_alt, category, style, colour, fabric, occasion, season, designer_name,
    collection_name, featured, status, view_count, like_count, created_at, updated_at, version, trashed_status
) {numbers} SELECT
    n, 'Paithani ' || n, 'A saree of silk with a border of peacocks.', 'designs/' || n || '.jpg', '',
    'Category ' || (n % 12), 'Style ' || (n % 17), 'Colour ' || (n % 40), 'Fabric ' || (n % 25),
    'Occasion ' || (n % 11), 'Season', 'Designer ' || (n % 50), 'Collection ' || (n % 60), n % 12 = 0,
    CASE n % 10 WHEN 0 THEN 'draft' WHEN 1 THEN 'archived' ELSE 'published' END, n * 31 % 9973, 0, {when}, {when},
    1, ''
FROM s"""
COUNT = """INSERT INTO daily_counts (day, design_id, views, likes) {numbers}
SELECT date('now', '-' || (n * {span} / {counts}) || ' days'), 1 + n % {designs}, 1 + n % 9, 0 FROM s"""
VIEWS = """INSERT INTO day_totals (day, views, likes, designs) {numbers}
SELECT day, sum(views), 0, 0 FROM daily_counts JOIN s WHERE true GROUP BY day
ON CONFLICT (day) DO UPDATE SET views = excluded.views"""
PERSON = """INSERT INTO users (
    id, username, username_key, username_skeleton, username_written_skeleton, username_searchable, full_name,
    full_name_searchable, contact, contact_searchable, password_hash, password_setting,
    is_admin, is_approved, rejection_reason, reviewed_at, reviewer_name, avatar_object_key, created_at, updated_at
) {numbers} SELECT
    n, 'person' || n, 'person' || n, 'person' || n, 'person' || n, 'person' || n, '', '', '', '', '!', '', 0,
    n % 100 <> 0, '',
    CASE WHEN n % 100 = 0 THEN NULL ELSE {when} END, '', '', {when}, {when}
FROM s"""
LIKE = """INSERT INTO user_favorites (user_id, design_id, created_at) {numbers}
SELECT 1 + n % {people}, 1 + n * 104729 % {designs}, {when} FROM s WHERE true ON CONFLICT DO NOTHING"""


def on_d1(stack: ExitStack) -> None:
    """Point the settings to a new database on D1's own engine."""
    from d1backend.local import D1Local
    from d1backend.options import Settings
    from d1backend.protocol.api import Api

    d1 = stack.enter_context(D1Local())
    api = Api(Settings(account_id="bench", api_token=d1.token, base_url=d1.url))
    os.environ |= {
        "CLOUDFLARE_ACCOUNT_ID": "bench",
        "CLOUDFLARE_API_TOKEN": d1.token,
        "CLOUDFLARE_D1_BASE_URL": d1.url,
        "CLOUDFLARE_D1_DATABASE_ID": api.create("bench"),
    }


def fill() -> None:
    from django.db import connection

    sizes = {"designs": DESIGNS, "people": PEOPLE, "span": 2 * DAYS, "counts": COUNTS}
    for statement, rows in (
        *((PERSON, PEOPLE), (IMAGE, DESIGNS), (DESIGN, DESIGNS)),
        *((COUNT, COUNTS), (VIEWS, 1), (LIKE, LIKES)),
    ):
        for first in range(1, rows + 1, CHUNK):
            numbers = NUMBERS.format(first=first, last=min(first + CHUNK - 1, rows))
            when = WHEN.format(days=2 * DAYS)
            sql = statement.format(numbers=numbers, when=when, **sizes)
            with connection.cursor() as cursor:
                cursor.execute(sql)
        print(f"  {rows:>9,} {statement.split()[2]}", file=sys.stderr)


def cost(days: int) -> dict[str, float]:
    """Return the medians of several openings, after one to warm up."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from accounts.models import User

    client = Client()
    client.force_login(User.objects.get(username="bench"))
    client.get("/admin/", {"days": days})
    times, cpu = [], []
    for _ in range(RUNS):
        before = getattr(connection, "round_trips", 0)
        start, started = time.perf_counter(), time.process_time()
        assert client.get("/admin/", {"days": days}).status_code == 200
        times.append((time.perf_counter() - start) * 1000)
        cpu.append((time.process_time() - started) * 1000)
        trips = getattr(connection, "round_trips", 0) - before
    with CaptureQueriesContext(connection) as queries:
        client.get("/admin/", {"days": days})
    return {
        "ms": round(median(times), 1),
        "cpu_ms": round(median(cpu), 1),
        "statements": len(queries),
        "round_trips": trips,
    }


def main() -> None:
    with ExitStack() as stack:
        if os.environ.get("TEST_ENGINE") == "d1":
            on_d1(stack)
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        from accounts.models import User

        call_command("migrate", verbosity=0)
        print(f"Filling {connection.display_name} …", file=sys.stderr)
        fill()
        User.objects.create_superuser("bench", "six yards of silk")
        found = {days: cost(days) for days in (7, 30, 90)}
        print(
            f"{connection.display_name}, {DESIGNS:,} designs, {COUNTS:,} daily counts; medians of {RUNS} openings"
        )
        print("days  server ms  CPU ms  statements  round trips")
        for days, one in found.items():
            print(
                f"{days:>4}{one['ms']:>11}{one['cpu_ms']:>8}{one['statements']:>12}{one['round_trips']:>13}"
            )
        print(f"target: under {TARGET['ms']} ms, at most {TARGET['round_trips']} round trips")
        if os.environ.get("OUT"):
            Path(os.environ["OUT"]).write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
