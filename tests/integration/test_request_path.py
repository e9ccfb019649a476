"""A list request walks the files that docs/a-request.md names, from the view down, and no others."""

import re
import sys
from pathlib import Path

import pytest

from designs.api.views import DesignsView
from tests.api.client import ApiClient
from tests.factories.designs import DesignFactory

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("gallery_project", "console", "demo", "designs", "uploads", "accounts", "core")


def walked(monkeypatch, call):
    """The files of the gallery of which a function runs inside the view, in the order of their first."""
    found = {}
    view = DesignsView.get

    def profile(frame, event, argument):
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(ROOT):
            name = str(path.relative_to(ROOT))
            if name.startswith(PACKAGES):
                found.setdefault(name)

    def observed(self, request):
        sys.setprofile(profile)
        try:
            return view(self, request)
        finally:
            sys.setprofile(None)

    with monkeypatch.context() as patch:
        patch.setattr(DesignsView, "get", observed)
        assert call().status_code == 200
    return list(found)


PAGE = (ROOT / "docs/a-request.md").read_text()
STEPS = re.findall(r"^\d\. `([a-z_/]+\.py)`", PAGE, re.M)
LOOKED_UP = re.findall(
    r"`([a-z_/]+\.py)`", PAGE.split("They look four things up")[1].split("A search adds")[0]
)
RENDERING = {"uploads/pipeline/renditions.py", "designs/places.py"}  # and the place of the last row
COUNTING = {"core/metrics/d1.py", "core/metrics/replica.py"}  # of the calls to D1


@pytest.mark.django_db
def test_a_list_walks_the_files_that_the_page_names(monkeypatch):
    DesignFactory()
    reader = ApiClient.approved()
    first = walked(monkeypatch, lambda: reader.get("/api/designs"))
    again = walked(monkeypatch, lambda: reader.get("/api/designs"))
    assert len(STEPS) <= 7
    # What is not cached is rendered, with the URLs of its pictures; on D1 itself nothing is cached.
    assert set(again) - set(LOOKED_UP) - RENDERING == set(STEPS)
    assert set(first) - set(again) <= RENDERING | COUNTING
