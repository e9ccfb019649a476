"""The trail is found by actor, and its lines stay as they were written, whoever asks."""

from django.db import migrations, models

NEVER_EDITED = (
    "CREATE TRIGGER audit_entries_never_edited BEFORE UPDATE ON audit_entries "
    "BEGIN SELECT RAISE(ABORT, 'a line of the audit trail is never edited'); END"
)


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["actor_username"], name="audit_by_actor"),
        ),
        migrations.RunSQL([NEVER_EDITED], ["DROP TRIGGER audit_entries_never_edited"]),
    ]
