"""The dashboard: what the chart paints, another period, files for spreadsheets, how the parts are."""

import csv

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import sign_in
from tests.browser.looks import SCREENS, axe_check, shoot

pytestmark = pytest.mark.browser

PAINTED = """() => {
  const chart = Chart.getChart("history-chart");
  return { labels: chart.data.labels, series: Object.fromEntries(chart.data.datasets.map((s) => [s.label, s.data])) };
}"""


def table_of(page):
    """{column: its cells} of the chart's table, which is there for who cannot see the chart."""
    head, *rows = page.locator("#history tr").all()
    names = head.locator("th").all_inner_texts()
    cells = [row.locator("th, td").all_inner_texts() for row in rows]
    return {name: [row[index] for row in cells] for index, name in enumerate(names)}


def test_the_chart_paints_what_the_table_says(admin):
    admin.get_by_text("Show as a table").click()
    painted, table = admin.evaluate(PAINTED), table_of(admin)
    assert painted["labels"] == table["Day"]
    assert len(painted["labels"]) == 30
    assert set(painted["series"]) == {"Views", "Likes", "Sign-ups"}
    for name, values in painted["series"].items():
        assert [str(value) for value in values] == table[name]
    assert sum(painted["series"]["Views"]) > 0
    axe_check(admin)
    shoot(admin, "dashboard-table")


def test_another_period_is_one_click_away(admin):
    for days in (7, 90):
        admin.get_by_role("link", name=f"{days} days").click()
        expect(admin.get_by_role("heading", name=f"The last {days} days")).to_be_visible()
        assert len(admin.evaluate(PAINTED)["labels"]) == days


def test_a_table_comes_as_csv(admin):
    admin.get_by_role("link", name="7 days").click()
    expect(admin.get_by_role("heading", name="The last 7 days")).to_be_visible()
    painted = admin.evaluate(PAINTED)
    with admin.expect_download() as download:
        admin.get_by_role("link", name="CSV of the last 7 days").click()
    assert download.value.suggested_filename == "gallery-7-days.csv"
    with open(download.value.path(), newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["views"]) for row in rows] == painted["series"]["Views"]
    assert [int(row["signups"]) for row in rows] == painted["series"]["Sign-ups"]


def test_the_parts_tell_how_they_are(admin):
    for part in ("database", "storage"):
        expect(admin.locator(f"[data-part={part}]")).to_contain_text("healthy")
        expect(admin.locator(f"[data-part={part}]")).to_have_attribute("data-status", "healthy")


def test_the_theme_can_be_changed_and_the_chart_follows(admin):
    light = admin.evaluate("Chart.getChart('history-chart').data.datasets[0].backgroundColor")
    admin.keyboard.press("Control+e")
    admin.keyboard.press("Control+e")
    admin.wait_for_function(
        f"document.documentElement.classList.contains('dark') && "
        f"Chart.getChart('history-chart').data.datasets[0].backgroundColor !== {light!r}"
    )


def test_an_editor_reads_of_designs_alone(editor):
    expect(editor.get_by_role("heading", name="Views")).to_be_visible()
    assert set(editor.evaluate(PAINTED)["series"]) == {"Views", "Likes"}
    for name in ("Waiting", "Sign-ups"):
        assert editor.get_by_role("heading", name=name).count() == 0
    sidebar = editor.locator("#nav-sidebar")
    assert sidebar.get_by_role("link", name="Designs").count() == 1
    for name in ("Approvals", "People", "Settings", "Audit entries"):
        assert sidebar.get_by_role("link", name=name, exact=True).count() == 0
    axe_check(editor)
    shoot(editor, "dashboard-editor")


def test_on_a_phone_the_sidebar_opens_by_a_button_that_a_keyboard_reaches(page, gallery):
    width, height = SCREENS["phone"]
    page.set_viewport_size({"width": width, "height": height})
    sign_in(page, gallery, **gallery.admin)
    queue = page.get_by_role("link", name="Approvals")
    expect(queue).not_to_be_visible()
    opener = page.get_by_role("button", name="Sidebar")
    opener.focus()
    page.keyboard.press("Enter")
    expect(queue).to_be_visible()
    axe_check(page)
    shoot(page, "sidebar-phone")
    page.get_by_role("button", name="Close the sidebar").click()
    expect(queue).not_to_be_visible()
