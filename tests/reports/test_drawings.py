"""Only what changed is drawn again, and nobody can tell from the pages."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from fixture_tables import make_tables

from flows.drawn import last_drawings
from flows.workspace import Workspace
from reports.drawings import keeping
from reports.render import render


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    (tmp_path / "warehouse").mkdir()
    return Workspace(tmp_path)


def test_a_night_draws_what_changed_and_its_pages_are_those_of_a_full_drawing(drawn):
    drawings, site = drawn
    assert drawings.n_made == len(drawings.used) > 20
    tables = make_tables()
    row = next(row for row in tables["figure"] if row["level"] == "therapist" and row["is_shown"])
    row["value"] += Decimal("0.01")
    with keeping(drawings.used) as second:
        changed = dict(render("managers", tables))
    assert second.n_made == 1
    with keeping({}):
        page = next(path for path in site if changed[path] != site[path])
        tables["therapist"] = [
            row for row in tables["therapist"] if row["page"] == page.removesuffix(".html")
        ]
        tables["clinic"] = [
            row
            for row in tables["clinic"]
            if row["clinic_id"] == tables["therapist"][0]["clinic_id"]
        ]
        assert dict(render("managers", tables))[page] == changed[page]


def test_under_another_name_the_same_rows_are_not_drawn_again(drawn):
    drawings, site = drawn
    tables = make_tables()
    for row in tables["therapist"]:
        row["label"] += " & more"
    with keeping(drawings.used) as second:
        renamed = dict(render("managers", tables))
    assert second.n_made == 0
    assert renamed != site


def test_drawings_are_kept_from_night_to_night_and_only_those_used(drawn, workspace):
    first, site = drawn
    with last_drawings(workspace) as drawings:
        drawings.used.update(first.used)
    assert workspace.drawings.stat().st_mode & 0o077 == 0
    with last_drawings(workspace) as drawings:
        assert dict(render("managers", make_tables())) == site
        assert drawings.n_made == 0
        drawings.used.popitem()
    assert len(json.loads(workspace.drawings.read_text())["drawings"]) == len(first.used) - 1


def test_drawings_of_another_program_and_broken_ones_are_not_used(drawn, workspace):
    with last_drawings(workspace) as drawings:
        drawings.used.update(drawn[0].used)
    kept = json.loads(workspace.drawings.read_text())
    short = {**kept, "drawings": dict.fromkeys(kept["drawings"], ["1"])}
    for content in ({**kept, "program": "another"}, short, [], {"program": kept["program"]}):
        workspace.drawings.write_text(json.dumps(content))
        with last_drawings(workspace) as drawings:
            assert drawings.known == {}
    workspace.drawings.write_bytes(b"\xff{")
    with last_drawings(workspace) as drawings:
        assert drawings.known == {}


def test_a_night_that_fails_leaves_the_drawings_of_the_last(drawn, workspace):
    with last_drawings(workspace) as drawings:
        drawings.used.update(drawn[0].used)
    before = workspace.drawings.read_bytes()
    with pytest.raises(KeyError), last_drawings(workspace):
        list(render("managers", {}))
    assert workspace.drawings.read_bytes() == before
