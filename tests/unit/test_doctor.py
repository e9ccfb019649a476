"""The doctor's own rules: what a check may cost the others, and how answers are judged."""

import json
import threading

import pytest
from django.core.management.color import no_style

from operations.doctor import buckets, catalogue, d1, d1_probe, host, report, runner, web
from operations.doctor.findings import Check, Finding, Status, Visit, duration, fault, listed, ok, warning

MB = 1024**2


def good(visit: Visit) -> Finding:
    return ok("All is well.")


def bad(visit: Visit) -> Finding:
    return fault("It is broken.", "Mend it.")


def crashing(visit: Visit) -> Finding:
    raise ValueError("the key is sk-very-secret")


def found(*checks: Check) -> dict[str, Finding]:
    return {outcome.check.name: outcome.finding for outcome in runner.run(checks, Visit())}


def test_a_check_that_raises_is_a_fault_without_its_text_and_hides_no_other():
    outcomes = found(Check("A", "first", crashing), Check("A", "second", good))
    assert outcomes["first"].status == Status.FAULT
    assert "ValueError at tests/unit/test_doctor.py:" in outcomes["first"].sentence
    assert "secret" not in outcomes["first"].sentence + outcomes["first"].advice
    assert outcomes["second"].status == Status.OK


def test_a_check_that_hangs_is_a_fault_after_its_time_and_hides_no_other():
    released = threading.Event()

    def hanging(visit: Visit) -> Finding:
        released.wait(30)
        return ok("Too late.")

    outcomes = found(Check("A", "slow", hanging, seconds=0.05), Check("A", "quick", good))
    released.set()
    assert outcomes["slow"] == fault("It did not end within 0.05 s.", outcomes["slow"].advice)
    assert outcomes["quick"].status == Status.OK


def test_a_check_is_skipped_where_one_that_it_needs_failed_or_was_skipped_for_that():
    outcomes = found(
        Check("A", "third", good, ("second",)),
        Check("A", "second", good, ("first",)),
        Check("A", "first", bad),
        Check("A", "other", good),
    )
    assert [outcomes[name].status for name in ("first", "second", "third", "other")] == [
        *(Status.FAULT, Status.SKIPPED, Status.SKIPPED, Status.OK)
    ]
    assert "first did not pass" in outcomes["second"].sentence


def test_outcomes_come_in_the_order_of_the_checks():
    names = ["c", "a", "b"]
    assert list(found(Check("A", "c", good, ("b",)), Check("A", "a", bad), Check("A", "b", good))) == names


def test_every_check_has_a_name_of_its_own_and_needs_only_checks_that_there_are():
    names = [check.name for check in catalogue.checks("https://gallery.example")]
    assert len(names) == len(set(names))
    for check in catalogue.checks("https://gallery.example"):
        assert set(check.needs) <= set(names)
        assert check.run.__doc__


def test_all_checks_together_take_less_than_a_minute():
    limits = {check.name: check for check in catalogue.checks("https://gallery.example")}

    def longest(name: str) -> float:
        check = limits[name]
        return check.seconds + max((longest(need) for need in check.needs), default=0.0)

    assert max(map(longest, limits)) <= 60


def outcomes_of(*findings: Finding) -> list[runner.Outcome]:
    return [runner.Outcome(Check("Room", f"n{i}", good), finding) for i, finding in enumerate(findings)]


def test_the_report_for_programs_is_stable():
    told = json.loads(
        report.as_json(outcomes_of(ok("Well."), warning("Hm.", "Look."), fault("No.", "Do.")), 1.23)
    )
    assert told == {
        "format": 1,
        "status": "fault",
        "counts": {"ok": 1, "skipped": 0, "warning": 1, "fault": 1},
        "seconds": 1.2,
        "checks": [
            {"section": "Room", "name": "n0", "status": "ok", "sentence": "Well.", "advice": ""},
            {"section": "Room", "name": "n1", "status": "warning", "sentence": "Hm.", "advice": "Look."},
            {"section": "Room", "name": "n2", "status": "fault", "sentence": "No.", "advice": "Do."},
        ],
    }


def test_the_report_for_people_has_marks_advice_and_a_summary():
    text = "\n".join(report.lines(outcomes_of(ok("Well."), fault("No.", "Do this.")), no_style()))
    assert "✓ n0  Well." in text
    assert "✗ n1  No." in text
    assert "→ Do this." in text
    assert text.endswith("1 fault, 0 warnings, 1 ok, 0 not checked.")


@pytest.mark.parametrize(
    ("megabytes", "workers", "decoding", "status"),
    [
        (512, 2, 160, Status.OK),
        (512, 3, 160, Status.FAULT),
        (512, 16, 160, Status.FAULT),
        (1024, 2, 600, Status.OK),
        (1024, 4, 600, Status.FAULT),
        (4096, 4, 600, Status.OK),
        (1120, 3, 600, Status.WARNING),
    ],
)
def test_workers_must_fit_the_memory(megabytes, workers, decoding, status):
    finding = host.judged_memory(megabytes * MB, workers, decoding * MB)
    assert finding.status == status
    assert "WEB_CONCURRENCY" in finding.sentence


def test_too_many_workers_are_told_how_many_fit():
    assert "Set WEB_CONCURRENCY to 2," in host.judged_memory(512 * MB, 16, 160 * MB).advice


@pytest.mark.parametrize(
    ("moment", "ahead"),
    [(100.0, 0.0), (102.9, 0.0), (99.0, 1.0), (105.0, -2.0), (40.0, 60.0)],
)
def test_a_clock_is_off_by_what_the_time_of_the_request_cannot_explain(moment, ahead):
    assert web.seconds_ahead(moment, 100.0, 103.0) == ahead


@pytest.mark.parametrize(
    ("ahead", "status"),
    [
        (0.5, Status.OK),
        (-1.9, Status.OK),
        (4.0, Status.WARNING),
        (11.0, Status.FAULT),
        (-3600.0, Status.FAULT),
    ],
)
def test_a_clock_that_is_far_off_is_a_fault(ahead, status):
    assert d1.judged_clock("R2", ahead).status == status


def test_a_date_header_is_read_and_another_text_is_none():
    assert web.moment_of("Thu, 01 Jan 1970 00:01:40 GMT") == 100.5
    assert web.moment_of("soon") is None


@pytest.mark.parametrize(
    ("status", "origin", "methods", "headers", "refused"),
    [
        (200, "https://app.example", "GET, PUT", "Content-Type, If-None-Match", ""),
        (204, "*", "*", "*", ""),
        (403, "https://app.example", "PUT", "*", "the answer has status 403"),
        (200, "https://other.example", "PUT", "*", "the origin is not allowed"),
        (200, None, "PUT", "*", "the origin is not allowed"),
        (200, "https://app.example", "GET, HEAD", "*", "PUT is not allowed"),
        (200, "https://app.example", "put", "content-type", "the header if-none-match is not allowed"),
    ],
)
def test_a_preflight_is_judged_as_a_browser_does(status, origin, methods, headers, refused):
    sent = {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": methods,
        "access-control-allow-headers": headers,
    }
    answer = web.Answer(status, {name: value for name, value in sent.items() if value}, b"")
    said = web.refused_part(answer, "https://app.example", "PUT", ("content-type", "if-none-match"))
    assert said == refused


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("NoSuchBucket", "CLOUDFLARE_R2_PRIVATE_BUCKET_NAME"),
        ("InvalidAccessKeyId", "CLOUDFLARE_R2_ACCESS_KEY"),
        ("SignatureDoesNotMatch", "CLOUDFLARE_R2_SECRET_KEY"),
        ("AccessDenied", "CLOUDFLARE_R2_PRIVATE_BUCKET_NAME"),
        ("RequestTimeTooSkewed", "clock"),
        ("Whatever", "CLOUDFLARE_R2_PRIVATE_BUCKET_NAME"),
    ],
)
def test_an_error_of_r2_names_what_to_correct(code, named):
    finding = buckets.meaning("private", code, 403)
    assert finding.status == Status.FAULT
    assert named in finding.sentence


def answered(status: int, *codes: int) -> d1_probe.Answers:
    return d1_probe.Answers(status, frozenset(codes), 0.0, 0.0, 0.0, 0.01, None, 0, None)


@pytest.mark.parametrize(
    ("status", "code", "active", "named"),
    [
        (403, 10000, True, "CLOUDFLARE_ACCOUNT_ID"),
        (403, 10000, False, "CLOUDFLARE_API_TOKEN"),
        (403, 10000, None, "CLOUDFLARE_API_TOKEN, or CLOUDFLARE_ACCOUNT_ID"),
        (404, 7404, None, "CLOUDFLARE_D1_DATABASE_ID"),
        (404, 7003, None, "CLOUDFLARE_ACCOUNT_ID"),
        (429, 971, None, "allowance"),
        (500, 7500, None, "status 500"),
    ],
)
def test_a_refusal_of_d1_names_what_to_correct(monkeypatch, status, code, active, named):
    monkeypatch.setattr(d1_probe, "token_is_active", lambda: active)
    finding = d1.refusal(answered(status, code))
    assert finding.status == Status.FAULT
    assert named in finding.sentence


def test_long_lists_and_times_are_short():
    assert listed(["a", "b", "c"], 2) == "a, b and 1 more"
    assert [duration(s) for s in (1.25, 30, 400, 20_000, 900_000)] == [
        "1.2 s",
        "30 s",
        "7 min",
        "6 h",
        "10 days",
    ]
