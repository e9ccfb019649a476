"""What the database itself keeps of images: how many there are of each category, and how large they are together.

A migration that remakes `images` drops the triggers first and makes them again, as designs.triggers tells.
"""


def add(row: str, sign: str) -> str:
    """The statements that count a row of images, or count it no longer; why no upsert: designs.totals."""
    return (
        f"INSERT INTO image_totals (category, images, bytes) SELECT {row}.category, 0, 0 "
        f"WHERE NOT EXISTS (SELECT 1 FROM image_totals WHERE category = {row}.category); "
        f"UPDATE image_totals SET images = images {sign} 1, bytes = bytes {sign} {row}.size "
        f"WHERE category = {row}.category;"
    )


TRIGGERS = {
    "totals_image_insert": f"AFTER INSERT ON images BEGIN {add('new', '+')} END",
    "totals_image_delete": f"AFTER DELETE ON images BEGIN {add('old', '-')} END",
    "totals_image_change": (
        f"AFTER UPDATE OF category, size ON images BEGIN {add('old', '-')} {add('new', '+')} END"
    ),
}
CREATE = [f"CREATE TRIGGER {name} {body}" for name, body in TRIGGERS.items()]
DROP = [f"DROP TRIGGER IF EXISTS {name}" for name in TRIGGERS]
