"""Only what changed is drawn again, and nobody can tell from the pages."""

from __future__ import annotations

import json
from pathlib import Path

from fixture_tables import make_tables

from flows.drawn import last_drawings
from flows.workspace import Workspace
from reports.drawings import keeping
from reports.render import render_site


def test_a_night_draws_what_changed_and_its_pages_are_those_of_a_full_drawing(site):
    with keeping({}) as first:
        dict(render_site(make_tables()))
    assert first.n_made == len(first.used) > 20

    tables = make_tables()
    therapist = next(row["therapist_id"] for row in tables["therapist"] if row["has_page"])
    for row in tables["figure"]:
        if row["unit_id"] == therapist and row["kind"] == "rate" and row["is_shown"]:
            row["value"] += 1 / 128
    with keeping(first.used) as second:
        changed = dict(render_site(tables))
    assert 1 <= second.n_made <= 3
    assert changed == dict(render_site(tables))
    assert changed != site


def test_the_same_rows_under_another_title_are_drawn_once():
    with keeping({}) as drawings:
        once = dict(render_site(make_tables()))
        n_made = drawings.n_made
        tables = make_tables()
        for row in tables["definition"] + tables["therapist"]:
            row["label"] += " & more"
        renamed = dict(render_site(tables))
        assert drawings.n_made == n_made
    assert renamed != once


def test_drawings_are_kept_from_night_to_night_and_only_those_used(tmp_path: Path, monkeypatch):
    workspace = Workspace(tmp_path)
    (tmp_path / "warehouse").mkdir()
    tables = make_tables()
    with last_drawings(workspace):
        first = dict(render_site(tables))
    assert workspace.drawings.stat().st_mode & 0o077 == 0

    def refuse(*_, **__):
        raise AssertionError("was drawn again")

    with monkeypatch.context() as patch:
        patch.setattr("reports.drawings.Drawings._make", refuse)
        with last_drawings(workspace):
            assert dict(render_site(tables)) == first

    tables["clinic"], tables["therapist"] = [], []
    with last_drawings(workspace):
        list(render_site(tables))
    n_kept = len(json.loads(workspace.drawings.read_text())["drawings"])
    assert 0 < n_kept < 20


def test_drawings_of_another_program_and_broken_ones_are_made_anew(tmp_path: Path, site):
    workspace = Workspace(tmp_path)
    (tmp_path / "warehouse").mkdir()
    with last_drawings(workspace):
        list(render_site(make_tables()))
    kept = json.loads(workspace.drawings.read_text())
    forged = {key: ["1", "1", "0 0 1 1", "<g/>"] for key in kept["drawings"]}
    for content in (json.dumps({"program": "other", "drawings": forged}), "{", "[]", '{"program": 1}'):
        workspace.drawings.write_text(content)
        with last_drawings(workspace):
            assert dict(render_site(make_tables())) == site
