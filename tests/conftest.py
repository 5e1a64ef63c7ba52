"""What all tests share: options for the browser tests, and a plain word where they did not run."""

from __future__ import annotations

from pathlib import Path

import pytest

CHROMIUM = "/usr/bin/chromium"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("browser", "browser tests")
    group.addoption("--chromium", default=CHROMIUM, help="the Chromium to test with")
    group.addoption(
        "--screenshots", action="store_true", help="put screenshots into build/screenshots/"
    )


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    chromium = str(config.getoption("--chromium"))
    skipped = terminalreporter.stats.get("skipped", [])
    is_left_out = any("tests/browser/" in report.nodeid for report in skipped)
    if is_left_out and not Path(chromium).is_file():
        terminalreporter.write_line(
            f"browser tests NOT RUN: no Chromium ({chromium}); install Debian's package chromium",
            red=True,
        )
