"""The triggers that keep the number of images of each category, and their size in bytes."""


def count_image(row: str, sign: str) -> str:
    """The statements that add a row of images to its category's total ("+"), or take it away ("-").

    The total's row is made by an INSERT of its own, not by an upsert: the OR IGNORE of the outer statement would
    apply to that, too.
    """
    return (
        f"INSERT INTO image_totals (category, images, bytes) SELECT {row}.category, 0, 0 "
        f"WHERE NOT EXISTS (SELECT 1 FROM image_totals WHERE category = {row}.category); "
        f"UPDATE image_totals SET images = images {sign} 1, bytes = bytes {sign} {row}.size "
        f"WHERE category = {row}.category;"
    )


BODIES = {
    "totals_image_insert": f"AFTER INSERT ON images BEGIN {count_image('new', '+')} END",
    "totals_image_delete": f"AFTER DELETE ON images BEGIN {count_image('old', '-')} END",
    "totals_image_change": (
        f"AFTER UPDATE OF category, size ON images BEGIN {count_image('old', '-')} {count_image('new', '+')} END"
    ),
}
TRIGGERS = {name: f"CREATE TRIGGER {name} {body}" for name, body in BODIES.items()}
RECOUNT = [
    "DELETE FROM image_totals",
    "INSERT INTO image_totals (category, images, bytes) "
    "SELECT category, count(*), sum(size) FROM images GROUP BY category",
]
