"""An auditor verifies a copy of a published night, without the workspace."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from flows.errors import NothingPublished
from flows.verify.agreement import NIGHTLY
from flows.verify.command import verify_night
from flows.verify.snapshot import open_snapshot
from tests.command_line.test_commands import rapport
from tests.nightly.conftest import CANARY, make_service, run
from tests.sql.warehouse_fixture import shipped


def spoil(path: Path, change: str) -> None:
    """Change a Parquet file of an audit snapshot."""
    with duckdb.connect() as con:
        con.execute(f"create table spoilt as from '{path}'")
        con.execute(f"update spoilt set {change} where rowid = 0")
        con.execute(f"copy spoilt to '{path}' (format parquet)")


def test_a_copied_night_is_verified_and_a_spoilt_one_is_found(tmp_path: Path) -> None:
    service = make_service(tmp_path / "service")
    run(service)
    copy = tmp_path / "auditor" / "night"
    shutil.copytree(service.current.resolve(), copy)
    shutil.rmtree(service.root)
    found = verify_night(copy, shipped(), 1000, None)
    assert found.is_good, list(found.lines())
    assert found.night.seed == 20260310 and found.night.n_patients == found.night.n_patients_all
    checked = {topic.topic: topic.n_checked for topic in found.night.topics}
    assert checked["scores of forms"] == 2 * 8 * 3 and checked["endings"] == 2 * 8
    methods = (copy / "managers" / "methods.html").read_text(encoding="utf-8")
    quality = (copy / "managers" / "data-quality.html").read_text(encoding="utf-8")
    # The night itself draws a sample of the intervals.
    n = sum(min(topic.n_checked, NIGHTLY.estimates) for topic in found.night.topics)
    assert f"<strong>{n} of {n} figures agree</strong>" in methods and "Figures agree" in quality

    spoil(copy / "auditors" / "score" / "scale_score.parquet", "value = value + 1")
    # a night of a program that did not know the table yet
    (copy / "auditors" / "model" / "risk.parquet").unlink()
    result = rapport("verify", copy, "--seed", "7", cwd=tmp_path)
    assert result.returncode == 50, result.stderr
    assert "seed 7" in result.stdout
    assert "DISAGREES: scores of forms (score.scale_score): 47 of 48 figures agree" in result.stdout
    assert " total: value\n" in result.stdout
    assert "chances of a last session (model.risk): NOT CHECKED, the night has no" in result.stdout
    assert f"{CANARY}" not in result.stdout

    (copy / "auditors" / "score" / "scale_score.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(NothingPublished, match=r"cannot be read"), open_snapshot(copy):
        pass
    (copy / "auditors" / "score" / "scale_score.parquet").unlink()
    with (
        pytest.raises(NothingPublished, match=r"scale_score.parquet: missing"),
        open_snapshot(copy),
    ):
        pass
    with pytest.raises(NothingPublished, match=r"holds no published night"):
        verify_night(tmp_path, shipped(), 1000, None)
    assert NothingPublished.exit_code == 51
