"""A bench run completes, and a failed measurement is a row."""

import sys
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from bench import __main__ as bench
from bench import browser, measurements, people, report, sessions
from bench.browser import Act
from bench.measurements import Failures, Measurement
from bench.people import Bar

NOWHERE = create_engine("postgresql+psycopg://nobody@localhost:1/nowhere")


def breaks(_: Engine) -> None:
    raise TimeoutError("waited for a field\nthat the page no longer has")


def test_a_failing_measurement_is_a_row_and_the_others_are_measured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    failures = Failures()
    work = [
        Measurement(name="open", ours=breaks),
        Measurement(name="decide", ours=lambda _: None, bar_s=1),
    ]

    measurements.report(NOWHERE, work, failures)

    header, first, second = capsys.readouterr().out.splitlines()
    assert "median s" in header
    assert first.split() == ["open", "FAILED", "TimeoutError:", "waited", "for", "a", "field"]
    assert second.split()[0] == "decide"
    assert second.endswith("ok")
    assert failures.found == {"open": "TimeoutError: waited for a field"}


def test_a_row_compares_each_turn_with_the_peer_and_leaves_the_warm_up_out() -> None:
    ours, peer = iter([900.0, 30.0, 50.0, 40.0]), iter([800.0, 100.0, 100.0, 90.0])
    act = Act(name="open", ours=lambda: next(ours), peer=lambda: next(peer), bar=0.5)

    row = " ".join(browser.row(act, turns=3).split())

    assert row == "open 40 [30 - 50] 100 [90 - 100] 0.40 0.5x ok"
    assert browser.line(act, [60.0], [100.0]).endswith("0.60    0.5x OVER")
    assert " ".join(browser.line(act, [60.0], []).split()) == "open 60 [60 - 60]"


def test_a_lost_act_misses_the_bar_however_quick_the_others_are() -> None:
    line = partial(people.line, Bar(people=2, median=150, p95=400), processor_ms=20)

    assert line([100.0] * 19 + [390.0]).endswith("none lost ok")
    assert line([100.0] * 9 + [410.0]).endswith("OVER")
    assert line([160.0] * 20).endswith("OVER")
    assert "20 acts, 1 lost" in line([100.0] * 19 + [None])
    assert line([100.0] * 19 + [None]).endswith("OVER")


def test_whoever_loses_an_act_loses_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    class Session:
        runs = 0

        def run(self) -> None:
            self.click()

        def click(self, query: str = "") -> None:
            self.runs += 1
            if self.runs == 3:
                raise TimeoutError

    monkeypatch.setattr(sessions, "opened", lambda *_: nullcontext(Session()))

    [done, *lost] = people.acted("", "", 1, every_s=0, each=4)

    assert done is not None
    assert lost == [None] * 3


def test_a_part_that_fails_as_a_whole_leaves_the_next_to_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    parts = {
        "first": lambda engine, failures: breaks(engine),
        "second": lambda engine, failures: ran.append("second"),
    }
    monkeypatch.setattr(bench, "APART", parts)
    monkeypatch.setattr(bench, "TIMED", ())

    failures = bench.measure(NOWHERE, None)

    assert ran == ["second"]
    assert list(failures.found) == ["first"]
    printed = capsys.readouterr().out
    assert "first" in printed
    assert printed.count("] commit ") == 3, "before, and after each part"


@pytest.mark.parametrize(("found", "status"), [({}, None), ({"open": "TimeoutError"}, 1)])
def test_the_bench_ends_with_the_list_of_failed_measurements(
    monkeypatch: pytest.MonkeyPatch, found: dict[str, str], status: int | None
) -> None:
    monkeypatch.setattr("sys.argv", ["bench"])
    monkeypatch.setattr(bench.database, "is_built", lambda _: True)
    monkeypatch.setattr(bench.database, "connect", lambda _: NOWHERE)
    monkeypatch.setattr(bench.database, "bring_up_to_date", lambda _: None)
    monkeypatch.setattr(bench, "measure", partial(_measured, found))

    if status is None:
        bench.main()
    else:
        with pytest.raises(SystemExit, match="1 not measured: open"):
            bench.main()


def _measured(found: dict[str, str], *_: object) -> Failures:
    return Failures(found=found)


def test_a_report_keeps_what_was_printed_also_where_the_run_ends_early(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "performance.md"

    with pytest.raises(KeyboardInterrupt), report.written_to(path):
        cut_off_after_a_row()

    assert "```\nqueue, first page   0.010\n```" in path.read_text()
    assert capsys.readouterr().out == "queue, first page   0.010\n"


def cut_off_after_a_row() -> None:
    sys.stdout.write("queue, first page   0.010\n")
    raise KeyboardInterrupt
