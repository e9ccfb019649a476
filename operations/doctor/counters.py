"""Compares the counts that triggers keep with what they count."""

from django.db import connections

# Each returns whether a count is right. They read what the copy of D1 has, and from SQLite each row once.
COMPARISONS = {
    "designs.like_count": (
        "SELECT (SELECT coalesce(sum(like_count), 0) FROM designs) = (SELECT count(*) FROM user_favorites)"
    ),
    "value_totals": (
        "SELECT NOT EXISTS (SELECT 1 FROM (SELECT status, count(*) AS n FROM designs GROUP BY status) AS d "
        "LEFT JOIN value_totals AS t ON t.field = 'all' AND t.status = d.status WHERE t.count IS NOT d.n) "
        "AND (SELECT coalesce(sum(count), 0) FROM value_totals WHERE field = 'all') = (SELECT count(*) FROM designs)"
    ),
    "image_totals": (
        "SELECT NOT EXISTS (SELECT 1 FROM (SELECT category, count(*) AS n, sum(size) AS b FROM images "
        "GROUP BY category) AS i LEFT JOIN image_totals AS t ON t.category = i.category "
        "WHERE t.images IS NOT i.n OR t.bytes IS NOT i.b) "
        "AND (SELECT coalesce(sum(images), 0) FROM image_totals) = (SELECT count(*) FROM images)"
    ),
}


def differing(alias: str) -> list[str]:
    """Return the names of the counts that are wrong in this database. One query, so that no write comes between."""
    whole = f"SELECT {', '.join(f'({query})' for query in COMPARISONS.values())}"
    with connections[alias].cursor() as cursor:
        cursor.execute(whole)
        found = cursor.fetchone()
    return [name for name, is_right in zip(COMPARISONS, found, strict=True) if not is_right]
