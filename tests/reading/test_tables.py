"""Archives of tables: rows joined to the rows above them, appointments from a table of their own."""

from __future__ import annotations

import tempfile
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from flows.reading.delivery import DeliveryRules, merge_file, open_state, read_delivery
from flows.reading.incoming import Pseudonyms
from schemas.export_format import Mapping
from schemas.mapping_faults import MappingFaults
from tests.reading.conftest import REGISTRY, Read, phq_mapping, read_paths

ITEMS = ",".join(f"q{n}" for n in range(1, 10))
ANSWERS = "1,2,0,1,2,0,1,2,0"
TABLES = {
    "REF101.csv": "ReferralId,PatientId\nR1,p1\nR2,p2\n",
    "CONTACT201.csv": "ContactId,ReferralId,Day,Attended\nC1,R1,2026-03-01,5\nC2,R2,2026-03-02,3\n"
    "C3,R1,2026-03-08,06\n",
    "SCORE607.csv": f"ContactId,{ITEMS}\nC1,{ANSWERS}\nC3,0,0,0,0,0,0,0,0,0\n",
}


def mapping(**changes: Any) -> Mapping:
    """A mapping of three tables, one above the other."""
    return phq_mapping(
        **{
            "read": {"format": "tables", "trim": True},
            "fields": {"ignore": ["ContactId", "Attended"]},
            "join": [
                {
                    "table": "SCORE607*",
                    "to": [["CONTACT201*", "ContactId"], ["REF101*", "ReferralId"]],
                    "fields": {
                        "patient": {"column": "PatientId"},
                        "episode": {"column": "ReferralId"},
                        "answered_at": {"column": "Day", "formats": ["%Y-%m-%d"]},
                    },
                }
            ],
            **changes,
        }
    )


APPOINTMENT = {
    "table": "CONTACT201*",
    "id": {"column": "ContactId"},
    "status": {"column": "Attended", "map": {"0?[56]": "attended", "0?3": "no_show"}},
}


def packed(folder: Path, tables: dict[str, str]) -> Path:
    path = folder / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in tables.items():
            archive.writestr(name, text)
    return path


def read(folder: Path, tables: dict[str, str], by: Mapping | None = None) -> Read:
    return Read(read_paths([packed(folder, tables)], by or mapping()))


def test_rows_get_what_stands_above_them(tmp_path: Path) -> None:
    rows = read(tmp_path, TABLES).reading.rows
    forms = rows.group_by("patient_id", "episode_id", "answered_at", maintain_order=True)
    sums = forms.agg(pl.col("value").cast(pl.Int32).sum()).rows()
    assert sums == [("p1", "R1", "2026-03-01", 9), ("p1", "R1", "2026-03-08", 0)]


def test_tables_may_lie_in_a_folder_of_the_archive(tmp_path: Path) -> None:
    inside = {f"export/{name}": text for name, text in TABLES.items()}
    assert read(tmp_path, inside).forms == 2


def test_outer_spaces_of_keys_do_not_matter_where_the_mapping_says_so(tmp_path: Path) -> None:
    spaced = TABLES | {"SCORE607.csv": TABLES["SCORE607.csv"].replace("C1,", "C1 ,")}
    assert read(tmp_path, spaced).forms == 2
    strict = mapping(read={"format": "tables"})
    assert read(tmp_path, spaced, strict).forms == 1


def test_a_row_without_its_parent_is_refused_by_table_line_and_key(tmp_path: Path) -> None:
    orphan = TABLES | {"SCORE607.csv": TABLES["SCORE607.csv"] + f"SECRET,{ANSWERS}\n"}
    result = read(tmp_path, orphan)
    assert result.forms == 2
    assert result.at("parent-missing") == [(4, "ContactId")]
    message = result.reading.findings.filter(pl.col("rule") == "parent-missing")["message"][0]
    assert "CONTACT201.csv" in message
    assert "(table SCORE607.csv)" in message
    assert "SECRET" not in str(result.reading.findings.to_dicts())


def test_the_first_missing_parent_is_the_one_that_is_named(tmp_path: Path) -> None:
    cut = TABLES | {"REF101.csv": "ReferralId,PatientId\nR2,p2\n"}
    result = read(tmp_path, cut | {"SCORE607.csv": TABLES["SCORE607.csv"] + f"C2,{ANSWERS}\n"})
    assert result.at("parent-missing") == [(2, "ReferralId"), (3, "ReferralId")]
    assert {r[1] for r in result.rows} == {"p2"}


def test_a_parent_that_is_there_twice_is_no_parent(tmp_path: Path) -> None:
    doubled = TABLES | {"REF101.csv": "ReferralId,PatientId\nR1,p1\nR2,p2\nR1,p9\n"}
    result = read(tmp_path, doubled | {"SCORE607.csv": TABLES["SCORE607.csv"] + f"C2,{ANSWERS}\n"})
    assert result.at("parent-doubled") == [(2, "ReferralId")]
    assert {r[1] for r in result.rows} == {"p2"}


def test_a_parent_that_is_repeated_word_for_word_counts_once(tmp_path: Path) -> None:
    doubled = TABLES | {"REF101.csv": TABLES["REF101.csv"] + "R1,p1\n"}
    assert read(tmp_path, doubled).forms == 2


def appointments(path: Path, by: Mapping) -> tuple[list[tuple[Any, ...]], dict[str, Any]]:
    """Rows of appointments, and the counts of the reading."""
    con = duckdb.connect()
    Pseudonyms(None, "test").install(con)
    rules = DeliveryRules(by, REGISTRY, date(1990, 1, 1), date(2026, 12, 31))
    with tempfile.TemporaryDirectory() as scratch:
        task = read_delivery(con, path, rules, Path(scratch), "d0")
        counts = merge_file(con, task, open_state(with_text=False), "d0", date(2026, 12, 31), rules)
        assert not list(Path(scratch).iterdir())
    found = con.execute(
        "select patient_id, episode_id, cast(planned_at as date)::varchar, status, line"
        " from appointment_version order by planned_at"
    ).fetchall()
    reading = task.reading
    assert reading.records == reading.used + reading.dropped + reading.rejected_records
    for kind, n in counts.items():
        assert reading.found[kind] == sum(n.values())
    return found, {"days": (str(reading.data_from), str(reading.data_to)), "found": reading.found}


def test_appointments_come_from_a_table_of_their_own(tmp_path: Path) -> None:
    found, about = appointments(packed(tmp_path, TABLES), mapping(appointment=APPOINTMENT))
    assert found == [
        ("p1", "R1", "2026-03-01", "attended", 2),
        ("p2", "R2", "2026-03-02", "no_show", 3),
        ("p1", "R1", "2026-03-08", "attended", 4),
    ]
    assert [about["found"][kind] for kind in ("form", "appointment", "episode")] == [2, 3, 0]
    assert about["days"] == ("2026-03-01", "2026-03-08")


def test_fields_that_do_not_reach_the_appointments_are_left_out(tmp_path: Path) -> None:
    deeper = TABLES | {
        "ACTIVITY202.csv": "ActivityId,ContactId,TherapistId\nA1,C1,t7\nA3,C3,t7\n",
        "SCORE607.csv": f"ActivityId,{ITEMS}\nA1,{ANSWERS}\nA3,{ANSWERS}\n",
    }
    join = mapping().source[0].model_dump(exclude_unset=True)["join"]
    join[0]["to"] = [["ACTIVITY202*", "ActivityId"], *join[0]["to"]]
    join[0]["fields"]["therapist"] = {"column": "TherapistId"}
    by = mapping(join=join, appointment=APPOINTMENT, fields={"ignore": ["*Id", "Attended"]})
    result = read(tmp_path, deeper, by)
    assert {r[2] for r in result.rows} == {"t7"}
    assert not result.rules("reject")
    assert len(appointments(packed(tmp_path, deeper), by)[0]) == 3


def test_appointments_alone_need_no_join(tmp_path: Path) -> None:
    own = {
        "table": "CONTACT201*",
        "patient": {"column": "ReferralId"},
        "planned_at": {"column": "Day", "formats": ["iso"]},
        "status": APPOINTMENT["status"],
    }
    by = mapping(appointment=own, join=[], form=[], fields={})
    found, _ = appointments(packed(tmp_path, TABLES), by)
    assert [row[0] for row in found] == ["R1", "R2", "R1"]


@pytest.mark.parametrize(
    ("tables", "rule"),
    [
        ({k: v for k, v in TABLES.items() if k != "REF101.csv"}, "table-not-found"),
        (TABLES | {"REF101b.csv": "x,y\n1,2\n"}, "table-ambiguous"),
        (TABLES | {"REF101.csv": "Referral,PatientId\nR1,p1\n"}, "column-missing"),
        (TABLES | {"REF101.csv": "ReferralId,PatientId,ReferralId\nR1,p1,R1\n"}, "column-doubled"),
        (TABLES | {"REF101.csv": ""}, "file-empty"),
        (TABLES | {"REF101.csv": "ReferralId,PatientId\nR7,p1\n"}, "parents-missing"),
        (TABLES | {"REF101.csv": 'ReferralId,PatientId\n"R7,p1\n'}, "quote-unclosed"),
    ],
)
def test_a_set_of_tables_that_does_not_hold_together_is_refused(
    tmp_path: Path, tables: dict[str, str], rule: str
) -> None:
    result = read(tmp_path, tables)
    assert result.rows == []
    assert rule in result.rules("reject")


def test_a_row_that_does_not_split_is_told_in_its_table(tmp_path: Path) -> None:
    broken = TABLES | {"CONTACT201.csv": TABLES["CONTACT201.csv"] + "stray\n"}
    result = read(tmp_path, broken)
    assert result.at("record-malformed") == [(5, None)]
    assert result.forms == 2
    told = result.reading.findings.filter(pl.col("rule") == "record-malformed")["message"][0]
    assert told.endswith("(table CONTACT201.csv)")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"read": {"format": "csv"}}, "join belongs to"),
        ({"join": [], "fields": mapping().source[0].shared_fields.model_dump()}, "need a join"),
        ({"join__to": 1}, "join"),
    ],
)
def test_words_for_tables_out_of_place_are_faults(changes: dict[str, Any], fault: str) -> None:
    if "join__to" in changes:
        changes = {"join": [{"table": "a", "to": [["b"]]}]}
    with pytest.raises(MappingFaults) as faults:
        mapping(**changes)
    assert fault in str(faults.value)


@pytest.mark.parametrize(("cut", "rule"), [(1, "no-final-line-break"), (4, "record-truncated")])
def test_a_table_that_was_cut_off_is_told(cut: int, rule: str, tmp_path: Path) -> None:
    tables = {**TABLES, "SCORE607.csv": TABLES["SCORE607.csv"][:-cut]}
    result = read(tmp_path, tables)
    assert result.at(rule) == [(3, None)]
    assert result.at("record-malformed") == []
    assert "(table SCORE607.csv)" in result.reading.findings["message"].to_list()[0]


def test_many_rows_are_joined_as_a_set(tmp_path: Path) -> None:
    n = 50_000
    many = {
        "REF101.csv": "ReferralId,PatientId\n" + "".join(f"R{i},p{i}\n" for i in range(n // 10)),
        "CONTACT201.csv": "ContactId,ReferralId,Day,Attended\n"
        + "".join(f"C{i},R{i % (n // 10)},2026-03-01,5\n" for i in range(n)),
        "SCORE607.csv": f"ContactId,{ITEMS}\n" + "".join(f"C{i},{ANSWERS}\n" for i in range(n)),
    }
    found, about = appointments(packed(tmp_path, many), mapping(appointment=APPOINTMENT))
    assert len(found) == n
    assert about["found"]["form"] == n


def test_tables_of_very_many_columns_are_refused_and_cost_nothing_else(tmp_path: Path) -> None:
    columns = "".join(f",c{n}" for n in range(1_500))
    above = f"ReferralId,PatientId{columns}\nR1,p1{',' * 1_500}\n"
    alone = TABLES | {
        "REF101.csv": above.replace("PatientId", f"PatientId{columns.replace('c', 'd')}")
    }
    assert read(tmp_path, alone).rules("reject") == {"columns-too-many"}
    child = TABLES["SCORE607.csv"].replace("ContactId", f"ContactId{columns.replace('c', 'e')}", 1)
    child = child.replace("C1,", f"C1{',' * 1_500},").replace("C3,", f"C3{',' * 1_500},")
    together = TABLES | {"REF101.csv": above, "SCORE607.csv": child}
    assert read(tmp_path, together).rules("reject") == {"columns-too-many"}


def test_a_row_that_may_have_moved_by_one_is_counted_as_refused(tmp_path: Path) -> None:
    scores = TABLES["SCORE607.csv"].replace(f"C1,{ANSWERS}", "C1,,1,2,0,1,2,0,1,2,")
    path, by = packed(tmp_path, TABLES | {"SCORE607.csv": scores}), mapping()
    with duckdb.connect() as con:
        Pseudonyms(None, "test").install(con)
        rules = DeliveryRules(by, REGISTRY, date(1990, 1, 1), date(2026, 12, 31))
        reading = read_delivery(con, path, rules, tmp_path, "d0").reading
    assert (reading.records, reading.used, reading.rejected_records) == (2, 1, 1)
    assert "delimiter-hidden" in set(reading.findings.frame()["rule"])
    assert not reading.retracts
