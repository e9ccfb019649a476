from django.db import migrations, models

from benchmarks.release.objects import DROP_VERSION, VERSION, VERSION_WITH_COLUMN


class Migration(migrations.Migration):
    """Compatible: a nullable column and an index of a copied table more, and another trigger."""

    dependencies = [("designs", "0001_initial")]

    operations = [
        migrations.AddField("design", "shelf", models.CharField(blank=True, max_length=40, null=True)),
        migrations.AddIndex("design", models.Index(fields=["shelf", "id"], name="designs_shelf")),
        migrations.RunSQL([DROP_VERSION, VERSION_WITH_COLUMN], [DROP_VERSION, VERSION]),
    ]
