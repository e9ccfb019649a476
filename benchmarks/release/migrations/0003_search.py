from django.db import migrations

from benchmarks.release.objects import (
    DROP_VERSION,
    SEARCH,
    SEARCH_WITH_LONGER_PREFIX,
    VERSION,
    VERSION_WITH_COLUMN,
    remake_search,
)


class Migration(migrations.Migration):
    """Incompatible: a column of a copied table less, and another full-text index."""

    dependencies = [("designs", "0002_shelf")]

    operations = [
        migrations.RunSQL([DROP_VERSION, VERSION], [DROP_VERSION, VERSION_WITH_COLUMN]),
        migrations.RemoveIndex("design", "designs_shelf"),
        migrations.RemoveField("design", "shelf"),
        migrations.RunSQL(remake_search(SEARCH_WITH_LONGER_PREFIX), remake_search(SEARCH)),
    ]
