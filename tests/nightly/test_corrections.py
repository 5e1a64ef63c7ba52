"""corrections.toml: known wrong cells are replaced as data, traceably, and never by guess."""

from __future__ import annotations

import hashlib
import json
from datetime import date

import duckdb
import pytest

from flows.errors import CorrectionError
from flows.workspace import Workspace
from tests.nightly.conftest import NIGHT, drop, first_forms, run

NEXT = date(2026, 3, 11)
HEADER = "id,session,therapist,date,q1,q2,q3,q4,q5,q6,q7,q8,q9"


def landed(service: Workspace, name: str) -> tuple[str, list[str]]:
    """Hash and lines of a delivered file."""
    for path in service.archive.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            if data == (service.root / name).read_bytes():
                return hashlib.sha256(data).hexdigest(), data.decode().splitlines()
    raise AssertionError(name)


def write(service: Workspace, *entries: dict[str, object], mode: int = 0o600) -> None:
    text = "".join(
        "[[correction]]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in entry.items())
        for entry in entries
    )
    service.corrections.write_text(text, encoding="utf-8")
    service.corrections.chmod(mode)


def answers(service: Workspace, known_to: str = "9999-12-31") -> list[tuple[object, ...]]:
    with duckdb.connect(str(service.warehouse), read_only=True) as con:
        return con.execute(
            "select line, answers[1], known_from from valid.form_version"
            f" where clinic_id = 'north' and known_to = date '{known_to}' order by line"
        ).fetchall()


@pytest.fixture
def first(begun: Workspace) -> tuple[Workspace, dict[str, object], list[tuple[object, ...]]]:
    """A service after its first night, an entry for the first cell of line 2, and the rows."""
    (begun.root / "copy.csv").write_bytes(first_forms().encode())
    sha256, lines = landed(begun, "copy.csv")
    columns = lines[0].split(",")
    column = next(c for c in columns if c.endswith("1") or c.endswith("01"))
    old = lines[1].split(",")[columns.index(column)]
    entry: dict[str, object] = {
        "file": sha256, "line": 2, "column": column, "old": old,
        "new": "1" if old != "1" else "2", "reason": "typed twice", "by": "operations",
    }  # fmt: skip
    return begun, entry, answers(begun)


def test_a_correction_replaces_one_cell_and_leaves_its_trace(first) -> None:  # noqa: ANN001
    service, entry, before = first
    archived = sorted(path.read_bytes() for path in service.archive.rglob("*") if path.is_file())
    write(service, entry)
    outcome = run(service, NEXT)
    after = answers(service)
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 1
    ((old, new),) = changed
    assert (new[0], str(new[1]), new[2]) == (2, f"{entry['new']}.000", NEXT)
    assert answers(service, NEXT.isoformat()) == [old]
    assert sorted(p.read_bytes() for p in service.archive.rglob("*") if p.is_file()) == archived
    with duckdb.connect(str(service.warehouse), read_only=True) as con:
        told = con.execute(
            "select line, column_name, message from finding.finding_record"
            " where rule = 'cell-corrected'"
        ).fetchall()
    assert told == [
        (2, entry["column"], "The cell was replaced as entry 1 of corrections.toml says")
    ]
    service.corrections.unlink()
    run(service, date(2026, 3, 12))
    assert [row[:2] for row in answers(service)] == [row[:2] for row in before]
    assert outcome.failed == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"old": "77"}, "the cell does not hold what `old` says"),
        ({"line": 1}, "no record begins on this line"),
        ({"line": 99999}, "no record begins on this line"),
        ({"column": "nowhere"}, "there is no such column"),
    ],
)
def test_a_correction_that_does_not_fit_costs_the_clinic_its_night_and_nothing_else(
    first,
    change: dict[str, object],
    said: str,  # noqa: ANN001
) -> None:
    service, entry, before = first
    write(service, entry | change)
    outcome = run(service, NEXT)
    assert list(outcome.failed) == ["north"]
    assert said in outcome.failed["north"]
    assert "77" not in outcome.failed["north"]
    assert answers(service) == before


def test_faults_of_the_file_are_all_told_and_nothing_of_its_cells(first) -> None:  # noqa: ANN001
    service, entry, _ = first
    wrong = entry | {"new": entry["old"]}
    write(service, {**entry, "secret": "canary"}, wrong, {**entry, "line": 0})
    with pytest.raises(CorrectionError) as told:
        run(service, NEXT)
    said = " ".join(told.value.faults)
    assert all(
        path in said for path in ("correction.1.secret", "correction.2", "correction.3.line")
    )
    assert "canary" not in said


def test_a_file_that_others_may_read_or_of_another_file_is_refused(first) -> None:  # noqa: ANN001
    service, entry, _ = first
    write(service, entry, mode=0o644)
    with pytest.raises(CorrectionError, match="chmod 600"):
        run(service, NEXT)
    write(service, entry | {"file": "0" * 64})
    with pytest.raises(CorrectionError, match="no such file was ever delivered"):
        run(service, NEXT)
    write(service, entry, entry)
    with pytest.raises(CorrectionError, match="same cell"):
        run(service, NEXT)


def test_a_cell_with_a_line_break_is_corrected_and_later_lines_keep_their_numbers(
    service: Workspace,
) -> None:
    text = (service.inbox / "north" / "forms_1.csv").read_text(encoding="utf-8")
    header, first, *others = text.splitlines()
    cells = first.split(",")
    other = others[0].split(",")
    column = header.split(",")[-1]
    odd = "\n".join([header, ",".join([*cells[:-1], '"9\n9"']), ",".join(other), *others[1:], ""])
    drop(service, "north", "forms_1.csv", odd)
    run(service, NIGHT)
    assert [row[0] for row in answers(service)][:1] != [2]
    sha256 = hashlib.sha256(odd.encode()).hexdigest()
    about = {"file": sha256, "line": 2, "column": column, "reason": "r", "by": "b"}
    write(service, {**about, "old": "9\n9", "new": cells[-1]})
    assert run(service, NEXT).failed == {}
    assert [row[0] for row in answers(service)][:2] == [2, 4]
