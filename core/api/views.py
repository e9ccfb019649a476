"""The shared parts of the API: settings, the audit trail, the OpenAPI document, unknown URLs."""

import json

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import extend_schema, extend_schema_field
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import app_settings, selectors
from core.api.errors import error_response
from core.api.fields import TextField
from core.api.inputs import InputSerializer
from core.api.pagination import PAGE_PARAMETERS, PageRequest
from core.api.permissions import IsAdmin, caller
from core.api.schema import items_of, page_of
from core.json_types import JsonObject
from core.models import AppSetting, AuditEntry


@csrf_exempt
def unknown_address(request: HttpRequest, *args: str) -> JsonResponse:
    """Answer 404 for any other URL under /api."""
    return error_response(404)


class SchemaView(SpectacularJSONAPIView):
    """The OpenAPI document."""

    permission_classes = []
    authentication_classes = []


class SwaggerView(SpectacularSwaggerSplitView):
    """Swagger UI, from local files."""

    permission_classes = []
    authentication_classes = []


class SettingSerializer(serializers.ModelSerializer[AppSetting]):
    value = serializers.SerializerMethodField(method_name="json_value")
    updated_at = serializers.DateTimeField(allow_null=True)

    class Meta:
        model = AppSetting
        fields = ["key", "value", "description", "updated_at"]

    @extend_schema_field(
        {"oneOf": [{"type": "boolean"}, {"type": "number"}, {"type": "string"}], "description": "As JSON."}
    )
    def json_value(self, row: AppSetting) -> app_settings.Value:
        value: app_settings.Value = json.loads(row.value)
        return value


def settings_response(rows: list[AppSetting]) -> Response:
    return Response({"items": SettingSerializer(rows, many=True).data})


class SettingsUpdateSerializer(InputSerializer):
    settings = serializers.DictField(allow_empty=False)

    def validate_settings(self, values: JsonObject) -> JsonObject:
        """Trim the texts, as every text of the API."""
        return {key: value.strip() if isinstance(value, str) else value for key, value in values.items()}


class SettingsView(APIView):
    """The settings that staff can change at run time."""

    permission_classes = [IsAdmin]

    @extend_schema(responses=items_of(SettingSerializer))
    def get(self, request: Request) -> Response:
        return settings_response(app_settings.all_settings())

    @extend_schema(request=SettingsUpdateSerializer, responses=items_of(SettingSerializer))
    def put(self, request: Request) -> Response:
        sent = SettingsUpdateSerializer.of_body(request)
        return settings_response(app_settings.settings_update(caller(request), sent["settings"]))


class ActorSerializer(serializers.Serializer[None]):
    id = serializers.IntegerField()
    username = serializers.CharField()


class AuditEntrySerializer(serializers.ModelSerializer[AuditEntry]):
    actor = serializers.SerializerMethodField()
    changes = serializers.DictField(child=serializers.ListField())

    class Meta:
        model = AuditEntry
        fields = [
            "id",
            "created_at",
            "actor",
            "action",
            "object_type",
            "object_id",
            "object_label",
            "changes",
        ]

    @extend_schema_field(ActorSerializer(allow_null=True))
    def get_actor(self, entry: AuditEntry) -> JsonObject | None:
        if entry.actor_id is None:
            return None
        return {"id": entry.actor_id, "username": entry.actor_username}


class AuditQuerySerializer(InputSerializer):
    """The filters of the audit trail. Empty ones match everything."""

    action = TextField(required=False, allow_blank=True)
    object_type = TextField(required=False, allow_blank=True)
    actor = TextField(required=False, allow_blank=True, help_text="An id, or a username in any form.")


class AuditView(APIView):
    """The audit trail, newest first."""

    permission_classes = [IsAdmin]

    @extend_schema(
        parameters=[*PAGE_PARAMETERS, AuditQuerySerializer],
        responses=page_of(AuditEntrySerializer),
    )
    def get(self, request: Request) -> Response:
        page = PageRequest.of(request)
        entries = selectors.audit_entries(**AuditQuerySerializer.of_query(request))
        rows, total = page.rows_and_total(entries)
        return Response(page.body(AuditEntrySerializer(rows, many=True).data, total))
