"""Published counts of recovered and improved in-patients, from a workspace outside of the repository.

The data (43 in-patients, four waves) may be used under the GPL and are therefore not shipped: they are `claus_2020.csv`
of the R package clinicalsignificance. Name the file in RAPPORT_CLAUS_2020 to run this test.
"""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

import duckdb
import pytest

from tests.command_line.test_commands import rapport

DATA = os.environ.get("RAPPORT_CLAUS_2020", "")
SAMPLES = Path(__file__).parents[1] / "samples" / "claus_2020"
DAYS = {"1": "2020-01-06", "2": "2020-01-20", "3": "2020-02-03", "4": "2020-02-17"}
NIGHT = "2020-12-01"


def export(source: Path, target: Path) -> None:
    """The data with days for the waves, and a later admission: the exports speak about later days."""
    with source.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    stay = {"admitted": DAYS["1"], "discharged": "2020-02-18"}
    later = {**dict.fromkeys(found[0], "NA"), "id": "later", "time": "1", "treatment": "TAU"}
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*found[0], "day", "admitted", "discharged"])
        writer.writeheader()
        writer.writerows({**row, "day": DAYS[row["time"]], **stay} for row in found)
        writer.writerow({**later, "day": NIGHT, "admitted": NIGHT})


@pytest.mark.skipif(not DATA, reason="RAPPORT_CLAUS_2020 names no file")
def test_published_counts_of_a_public_study(tmp_path: Path) -> None:
    root = tmp_path / "ward"
    assert rapport("init", root, "--name", "Ward", cwd=tmp_path).returncode == 0
    for path in SAMPLES.glob("*.yaml"):
        shutil.copy(path, root / "instruments")
    shutil.copy(SAMPLES / "ward.toml", root / "clinics")
    settings = (root / "rapport.toml").read_text(encoding="utf-8")
    settings = settings.replace("# settle_seconds = 2", "settle_seconds = 0")
    (root / "rapport.toml").write_text(settings, encoding="utf-8")
    (root / "inbox" / "ward").mkdir(parents=True)
    export(Path(DATA), root / "inbox" / "ward" / "claus_2020.csv")
    night = rapport("run", "--as-of", NIGHT, "-w", root, cwd=tmp_path)
    assert night.returncode == 0, night.stdout + night.stderr
    audit = root / "published" / "current" / "auditors"
    with duckdb.connect() as con:
        con.execute("set file_search_path = ?", [str(audit)])
        counts = {
            (instrument, method): found
            for instrument, method, *found in con.execute(
                "select instrument_id, method, n_eligible, n_used, n_recovered, n_improved,"
                " n_no_reliable_change, n_deteriorated, n_into_clinical"
                " from read_parquet('measure/change_count.parquet')"
            ).fetchall()
        }
        cutoffs = dict(
            con.execute(
                "select instrument_id, round(cutoff, 2) from"
                " read_parquet('score/change_cutoff.parquet') where cutoff_from = 'c'"
            ).fetchall()
        )
    # Claus, Wager & Bonnet 2024, J Stat Softw 111(1), doi 10.18637/jss.v111.i01
    assert counts["bdi2", "JT"] == [43, 40, 10, 8, 22, 0, 0]
    assert counts["bdi2", "published"] == counts["bdi2", "JT"]
    assert cutoffs["bdi2"] == 21.02
    assert counts["hamd", "JT"] == [43, 40, 26, 3, 10, 1, 0]
    assert counts["hamd", "GLN"] == counts["hamd", "JT"]
