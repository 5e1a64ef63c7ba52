"""aliases.csv: numbers that mean the same person count as one from the night on; taking it back undoes it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from flows.errors import AliasError
from flows.reading.incoming import Pseudonyms
from flows.workspace import Workspace
from schemas.alias import HEADER, read_aliases
from schemas.private_file import Faults
from tests.nightly.conftest import CANARY, NIGHT, make_service, run, tree

NEXT = date(2026, 3, 11)


def write(service: Workspace, *lines: str, mode: int = 0o600) -> None:
    service.aliases.write_text("\n".join([",".join(HEADER), *lines, ""]), encoding="utf-8")
    service.aliases.chmod(mode)


def people(service: Workspace, night: date, column: str = "patient_id") -> dict[str, int]:
    """Forms by person, as the views tell on a night."""
    with duckdb.connect(str(service.warehouse), read_only=True) as con:
        con.execute(f"set variable as_of = date '{night}'")
        return dict(
            con.execute(
                f"select {column}, count(*) from valid.form group by 1 order by 1"
            ).fetchall()
        )


def patient(service: Workspace, clinic: str, number: str) -> str:
    return Pseudonyms(service.key(), clinic).of("patient", number)


def test_two_numbers_of_one_patient_count_as_one_and_taking_it_back_undoes_it(
    begun: Workspace,
) -> None:
    one, two = (patient(begun, "north", f"{CANARY} {n}") for n in (1, 2))
    moved = patient(begun, "south", f"{CANARY} 9")
    before = people(begun, NIGHT)
    assert (before[one], before[two], before[moved]) == (3, 3, 3)
    # a chain: 2 was merged into 1, and 1 has moved to the other clinic
    write(
        begun,
        f"patient,north,{CANARY} 2,,{CANARY} 1,,,merged,records office",
        f"patient,north,{CANARY} 1,south,{CANARY} 9,,,moved,records office",
    )
    assert run(begun, NEXT).unknown_aliases == []
    after = people(begun, NEXT)
    assert after[moved] == 9
    assert not {one, two} & set(after)
    assert people(begun, NIGHT) == before
    begun.aliases.unlink()
    run(begun, date(2026, 3, 12))
    assert people(begun, date(2026, 3, 12)) == before
    assert people(begun, NEXT) == after


def test_a_therapist_may_be_split_at_a_day(begun: Workspace) -> None:
    key = begun.key()
    old, new = (Pseudonyms(key, "north").of("therapist", n) for n in ("Canary Therapist", "T-new"))
    assert people(begun, NIGHT, "therapist_id")[old] == 24
    # sessions on 7, 14 and 21 February: the day itself belongs to the new one
    write(begun, "therapist,north,Canary Therapist,,T-new,2026-02-14,2026-02-21,left,manager")
    run(begun, NEXT)
    after = people(begun, NEXT, "therapist_id")
    assert (after[old], after[new]) == (16, 8)


def test_aliases_change_nothing_but_what_they_say(begun: Workspace, tmp_path: Path) -> None:
    other = make_service(tmp_path / "other")
    write(other, f"patient,north,nobody {CANARY},,{CANARY} 1,,,typed wrong,records office")
    assert run(other).alias_lines() == ["aliases.csv:2: nobody has delivered this number yet"]
    # the alias itself is in the audit snapshot, and nowhere else
    skip = ("auditors/landed/alias_record.parquet", "SHA256SUMS")
    mine, theirs = (
        {k: v for k, v in tree(w.published).items() if not k.endswith(skip)} for w in (begun, other)
    )
    assert mine == theirs


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (["client,north,1,,2,,,r,b"], ":2: kind"),
        (["patient,north,1,,1,,,r,b"], ":2: same_as: is the number itself"),
        (["patient,north,1,,2,2026-01-01,,r,b"], ":2: since, until"),
        (["therapist,north,1,south,2,,,r,b"], ":2: same_as_clinic"),
        (["therapist,north,1,,2,2026-02-01,2026-02-01,r,b"], ":2: until"),
        (["therapist,north,1,,2,1.2.2026,,r,b"], ":2: since: is not a day"),
        (["patient,north,1,,2,,,,b"], ":2: reason: is empty"),
        (["patient,north,1,,2"], ":2: has 5 cells"),
        (["patient,north,1,,2,,,r,b", "patient,north,1,,3,,,r,b"], ":3: id: line 2 says already"),
        (
            ["therapist,north,1,,2,,2026-03-01,r,b", "therapist,north,1,,3,2026-02-28,,r,b"],
            ":3: id: line 2 says already",
        ),
        (["patient,north,1,,2,,,r,b", "patient,north,2,,1,,,r,b"], "leads in a circle"),
    ],
)
def test_faults_are_told_with_their_line(tmp_path: Path, lines: list[str], fault: str) -> None:
    path = tmp_path / "aliases.csv"
    path.write_text("\n".join([",".join(HEADER), *lines]), encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(Faults) as told:
        read_aliases(path)
    assert any(fault in said for said in told.value.faults), told.value.faults


def test_a_faulty_file_ends_the_night_before_anything_is_landed(service: Workspace) -> None:
    write(service, "patient,north,1,,1,,,r,b", mode=0o644)
    with pytest.raises(AliasError, match="chmod 600"):
        run(service)
    service.aliases.chmod(0o600)
    with pytest.raises(AliasError, match="is the number itself"):
        run(service)
    assert list((service.inbox / "north").iterdir())
