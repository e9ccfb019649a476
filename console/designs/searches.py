"""The admin's page of searches that found nothing or little: by week and count, each one click from a synonym."""

from datetime import timedelta
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from console.base import GalleryAdmin
from designs.models import SearchCount
from designs.search.synonyms import Kind
from designs.search_counts import this_week


class WeekFilter(admin.SimpleListFilter):
    """The last weeks, this one included."""

    title = "weeks"
    parameter_name = "weeks"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("1", "This week"), ("4", "4 weeks"), ("13", "13 weeks")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SearchCount]) -> QuerySet[SearchCount]:
        weeks = {"1": 1, "4": 4, "13": 13}.get(self.value() or "")
        if weeks is None:
            return queryset
        return queryset.filter(week__gte=this_week() - timedelta(weeks=weeks - 1))


@admin.register(SearchCount)
class SearchCountAdmin(GalleryAdmin):
    """Read only: the counts come from the searches themselves (designs.searches)."""

    list_display = ["phrase", "week", "count", "found", "what_next"]
    list_display_links = None
    list_filter = [WeekFilter]
    show_full_result_count = False
    search_fields = ["phrase"]
    search_help_text = "Search phrases"
    fields = readonly_fields = ["phrase", "week", "count", "found"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: SearchCount | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: SearchCount | None = None) -> bool:
        return False

    @display(description="What next")
    def what_next(self, search: SearchCount) -> SafeString:
        """Links that try the search, and that begin a synonym of it."""
        tried = reverse("admin:designs_synonym_try_it")
        new = reverse("admin:designs_synonym_add")
        return format_html(
            '<a class="gallery-link" href="{}?{}">Try it</a> · <a class="gallery-link" href="{}?{}">Add a synonym</a>',
            tried,
            urlencode({"text": search.phrase}),
            new,
            urlencode({"phrase": search.phrase, "kind": Kind.MEANS.value}),
        )
