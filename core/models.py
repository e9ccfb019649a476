"""Settings that staff can change at run time, and the audit trail."""

from django.db import models


class AppSetting(models.Model):
    """One setting; `value` is JSON text. core.app_settings lists the keys."""

    key = models.CharField(max_length=100, unique=True)
    value = models.TextField()
    description = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "app_settings"
        ordering = ["key"]

    def __str__(self) -> str:
        return self.key


class AuditEntry(models.Model):
    """One change by one user. The actor's name is kept beside their id, so that it outlives their account.

    A trigger refuses to change a line, except for the names of a user who has left (core.triggers).
    """

    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    actor_id = models.BigIntegerField(null=True, blank=True)
    actor_username = models.CharField(max_length=50, blank=True)
    action = models.CharField(max_length=50, db_index=True)
    object_type = models.CharField(max_length=50)
    object_id = models.CharField(max_length=255)
    object_label = models.CharField(max_length=255)
    changes = models.JSONField(default=dict)
    # Of a line that made a version of an object: which one.
    version = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        db_table = "audit_entries"
        ordering = ["-id"]
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["object_type", "object_id", "version"], name="audit_by_object"),
            models.Index(fields=["actor_username"], name="audit_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_label}"
