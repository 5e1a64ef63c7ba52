"""What all tests share: options for the browser tests, and a plain word where they did not run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# Tests run side by side: threads of linear algebra would wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

CHROMIUM = "/usr/bin/chromium"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("browser", "browser tests")
    group.addoption("--chromium", default=CHROMIUM, help="the Chromium to test with")
    group.addoption(
        "--screenshots", action="store_true", help="put screenshots into build/screenshots/"
    )
    parser.addoption(
        "--scheduled", action="store_true", help="wait for really scheduled runs on a real server"
    )


@pytest.fixture(scope="session", autouse=True)
def no_power_is_lost() -> Iterator[None]:
    """What is written outlives a killed process, synced or not; waiting for the disk would show nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture
def waits_for_the_clock(request: pytest.FixtureRequest) -> None:
    """For tests that wait minutes for a scheduled run: `make test-schedule` runs them."""
    if not request.config.getoption("--scheduled"):
        pytest.skip("waits for a scheduled run: make test-schedule")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    chromium = str(config.getoption("--chromium"))
    skipped = terminalreporter.stats.get("skipped", [])
    waiting = [report for report in skipped if "make test-schedule" in str(report.longrepr)]
    if waiting:
        terminalreporter.write_line(
            f"{len(waiting)} tests of really scheduled runs NOT RUN: make test-schedule runs them",
            yellow=True,
        )
    if any("RAPPORT_CLAUS_2020" in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(
            "published counts of a public study NOT CHECKED: name claus_2020.csv of the R package"
            " clinicalsignificance in RAPPORT_CLAUS_2020",
            red=True,
        )
    is_left_out = any("tests/browser/" in report.nodeid for report in skipped)
    if is_left_out and not Path(chromium).is_file():
        terminalreporter.write_line(
            f"browser tests NOT RUN: no Chromium ({chromium}); install Debian's package chromium",
            red=True,
        )
