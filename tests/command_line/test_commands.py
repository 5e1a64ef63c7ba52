"""The commands as a user types them: words, exit codes, and nothing but sentences for bad data."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from tests.nightly.conftest import NIGHT, drop, first_forms, make_service, run

MESS = Path(__file__).parents[1] / "samples" / "mess"
COMMANDS = [
    "init", "demo", "run", "schedule", "release", "check", "read", "inspect", "score", "status",
    "verify",
]  # fmt: skip


def rapport(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line in its own process."""
    env = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *map(str, words)],
        capture_output=True, text=True, check=False, cwd=cwd, env=env, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def state(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() + str(path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_an_example(command: str) -> None:
    result = rapport(command, "--help")
    assert result.returncode == 0
    assert f"Example: rapport {command}" in result.stdout
    assert "-w" in result.stdout


def test_no_command_is_without_a_test() -> None:
    listed = rapport("--help").stdout.split("Commands:")[1]
    assert [line.split()[0] for line in listed.strip().splitlines()] == COMMANDS


def test_init_makes_a_commented_workspace_once(tmp_path: Path) -> None:
    folder = tmp_path / "my service"
    assert rapport("init", folder, "--name", 'The "Lime" clinic').returncode == 0
    text = (folder / "rapport.toml").read_text(encoding="utf-8")
    assert 'name = "The \\"Lime\\" clinic"' in text
    assert "# gap_days = 42" in text
    assert (folder / "key").stat().st_mode & 0o777 == 0o600
    before = state(folder)
    assert str(folder / "templates" / "actions.csv") in before
    again = rapport("init", folder)
    assert again.returncode == 13
    assert "already" in again.stderr and "Traceback" not in again.stderr
    assert state(folder) == before


def test_a_new_workspace_runs_and_says_that_there_is_nothing(tmp_path: Path) -> None:
    rapport("init", tmp_path / "s")
    result = rapport("run", "--as-of", "2026-03-10", cwd=tmp_path / "s")
    assert result.returncode == 0, result.stderr
    report = Path(result.stdout.split("Report: ")[1].strip())
    assert report.is_file()
    assert date(2026, 3, 10).isoformat() in str(report)


def test_run_exit_codes(tmp_path: Path) -> None:
    service = make_service(tmp_path / "service")
    drop(service, "north", "forms_2.csv", "")
    refused = rapport("run", "--as-of", NIGHT.isoformat(), "-w", service.root)
    assert refused.returncode == 30
    assert "forms_2.csv" in refused.stderr and "file-empty" in refused.stderr
    (service.clinics / "south.toml").write_text("mapping = 2\n", encoding="utf-8")
    failed = rapport("run", "--as-of", "2026-03-11", "-w", service.root)
    assert failed.returncode == 20
    assert "clinic south failed" in failed.stderr
    assert "Traceback" not in failed.stderr + refused.stderr
    service.settings.write_text("nonsense", encoding="utf-8")
    assert rapport("run", "-w", service.root).returncode == 10
    assert rapport("run", "-w", tmp_path / "nowhere").returncode == 13
    assert rapport("run", "--as-of", "tomorrow", "-w", service.root).returncode == 2


def test_check_says_what_tonight_would_say_and_writes_nothing(tmp_path: Path) -> None:
    service = make_service(tmp_path / "service")
    run(service)
    before = state(service.root)
    good = tmp_path / "forms_2.csv"
    good.write_text(first_forms(3), encoding="utf-8")
    result = rapport("check", good, "--clinic", "north", "-w", service.root)
    assert result.returncode == 0, result.stderr
    assert "24 records = 24 used + 0 dropped by rule + 0 rejected; 24 forms" in result.stdout
    bad = tmp_path / "forms_3.csv"
    bad.write_text(first_forms(3).replace("2026-02-14", "2026-02-31"), encoding="utf-8")
    result = rapport("check", bad, "--clinic", "north", "-w", service.root)
    assert result.returncode == 31
    assert "forms_3.csv:3:date" in result.stdout and "date-unreadable" in result.stdout
    empty = tmp_path / "forms_4.csv"
    empty.write_text("", encoding="utf-8")
    assert rapport("check", empty, good, "--clinic", "north", "-w", service.root).returncode == 30
    wrong_name = tmp_path / "other.csv"
    wrong_name.write_text(first_forms(3), encoding="utf-8")
    assert rapport("check", wrong_name, "--clinic", "north", "-w", service.root).returncode == 30
    assert rapport("check", good, "--clinic", "nobody", "-w", service.root).returncode == 13
    assert (
        rapport("check", tmp_path / "gone.csv", "--clinic", "north", "-w", service.root).returncode
        == 1
    )
    assert state(service.root) == before


def test_check_needs_no_workspace_with_a_mapping(tmp_path: Path) -> None:
    result = rapport(
        "check",
        MESS / "de01_phq_ors_cp1252.csv",
        "--mapping",
        MESS / "mappings" / "de01.toml",
        cwd=tmp_path,
    )
    assert result.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_a_mapping_with_typos_names_each_by_its_path(tmp_path: Path) -> None:
    mapping = tmp_path / "de01.toml"
    text = (MESS / "mappings" / "de01.toml").read_text(encoding="utf-8")
    text = text.replace("delimiter =", "delimeter =").replace(
        'delivery = "snapshot"', 'delivery = "snap"'
    )
    mapping.write_text(text.replace("count = 9", "count = 8"), encoding="utf-8")
    result = rapport("check", MESS / "de01_phq_ors_cp1252.csv", "--mapping", mapping)
    assert result.returncode == 11
    assert "source.1.read.delimeter: unknown key" in result.stderr
    assert "source.1.delivery" in result.stderr
    mapping.write_text(
        text.replace("delimeter", "delimiter")
        .replace('"snap"', '"append"')
        .replace("count = 9", "count = 8"),
        encoding="utf-8",
    )
    result = rapport("check", MESS / "de01_phq_ors_cp1252.csv", "--mapping", mapping)
    assert (result.returncode, "PHQ-9 has 9 items" in result.stderr) == (11, True)


def test_read_writes_rows_and_findings(tmp_path: Path) -> None:
    rows, findings = tmp_path / "rows.csv", tmp_path / "findings.json"
    result = rapport(
        "read", MESS / "no01_wai_two_respondents.csv", "--mapping", MESS / "mappings" / "no01.toml",
        "--rows", rows, "--findings", findings,
    )  # fmt: skip
    assert result.returncode == 0
    with rows.open(encoding="utf-8", newline="") as file:
        found = list(csv.reader(file))
    expected = MESS / "expected" / "no01_wai_two_respondents.csv.csv"
    with expected.open(encoding="utf-8", newline="") as file:
        assert found == list(csv.reader(file))
    listed = json.loads(findings.read_text(encoding="utf-8"))
    keys = {"file", "line", "column", "rule", "severity", "message", "what_to_do"}
    assert keys == set(listed[0])


def test_read_can_be_piped(tmp_path: Path) -> None:
    result = rapport(
        "read",
        MESS / "no01_wai_two_respondents.csv",
        "--mapping",
        MESS / "mappings" / "no01.toml",
        "-q",
    )
    assert result.stdout.splitlines()[0].startswith("clinic_id,patient_id")
    assert len(result.stdout.splitlines()) == 243


def test_status_before_during_and_after_a_night(tmp_path: Path) -> None:
    assert rapport("status", "-w", tmp_path).returncode == 13
    service = make_service(tmp_path / "service")
    assert "No night was ever run here" in rapport("status", "-w", service.root).stdout
    run(service)
    hold = "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(service.warehouse)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as night:  # fmt: skip
        assert night.stdout is not None and night.stdout.readline() == "held\n"
        result = rapport("status", "--json", "-w", service.root)
        busy = rapport("run", "--as-of", "2026-03-11", "-w", service.root)
        night.communicate("")
    assert result.returncode == 0
    content = json.loads(result.stdout)
    assert content["run"]["state"] == "green"
    assert {c["clinic_id"]: c["is_late"] for c in content["clinics"]} == {
        "north": True,
        "south": True,
    }
    assert (busy.returncode, "Another run" in busy.stderr) == (14, True)


def test_a_run_that_was_killed_is_told_as_interrupted(tmp_path: Path) -> None:
    service = make_service(tmp_path / "service")
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    )
    service.progress.write_text(
        json.dumps(
            {
                "as_of": "2026-03-10",
                "state": "running",
                "step": "score",
                "step_started": "x",
                "pid": int(ended.stdout),
            }
        ),
        encoding="utf-8",
    )
    assert (
        "Interrupted: night 2026-03-10 stopped at score"
        in rapport("status", "-w", service.root).stdout
    )


def test_demo_refuses_a_folder_that_holds_something_else(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    result = rapport("demo", tmp_path, "--small")
    assert result.returncode == 13
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_demo_again_is_quick_and_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    first = rapport("demo", folder, "--small")
    assert first.returncode == 0, first.stderr
    assert len(list((folder / "published").iterdir())) == 3
    before = state(folder / "published")
    again = rapport("demo", folder, "--small")
    assert again.returncode == 0
    assert "nothing new" in again.stdout
    assert state(folder / "published") == before
    assert rapport("demo", folder, "--small", "--seed", "2").returncode == 13
