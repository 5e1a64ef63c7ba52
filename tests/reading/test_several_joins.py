"""Several child tables of one archive: each form says which one it is read from."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.reading.delivery import DeliveryRules, merge_file, open_state, read_delivery
from flows.reading.incoming import Pseudonyms
from schemas.export_format import Mapping, check_mapping
from schemas.mapping_faults import MappingFaults
from tests.reading.conftest import REGISTRY, Read, read_paths
from tests.reading.test_tables import packed

K = ",".join(f"k{n}" for n in range(1, 10))
G = ",".join(f"g{n}" for n in range(1, 8))
TABLES = {
    "clients.csv": "client_key,gender\nc1,1\nc2,2\n",
    "episodes.csv": "episode_key,client_key,start,secret_note\ne1,c1,01032026,x\ne2,c2,02032026,y\n",
    "occasions.csv": "occasion_key,episode_key,day\no1,e1,05032026\no2,e2,06032026\n",
    "contacts.csv": "contact_key,episode_key,day,no_show\ns1,e1,05032026,2\ns2,e2,06032026,1\n",
    "phq.csv": f"measure_key,occasion_key,{K}\nm1,o1,1,1,1,1,1,1,1,1,1\nm2,o2,2,2,2,2,2,2,2,2,2\n"
    "m3,o9,2,2,2,2,2,2,2,2,2\n",
    "gad.csv": f"measure_key,occasion_key,{G}\nm1,o1,3,3,3,3,3,3,3\n",
}
ABOVE = [["occasions*", "occasion_key"], ["episodes*", "episode_key"], ["clients*", "client_key"]]
FIELDS = {
    "patient": {"column": "client_key"},
    "episode": {"column": "episode_key"},
    "answered_at": {"column": "day", "formats": ["%d%m%Y"]},
}


def source(**changes: Any) -> dict[str, Any]:
    return {
        "name": "pmhc",
        "delivery": "snapshot",
        "key": ["measure_key"],
        "read": {"format": "tables"},
        "fields": FIELDS,
        "missing": {"": "blank"},
        "join": [
            {"table": "contacts*", "to": ABOVE[1:]},
            {"table": "phq*", "to": ABOVE},
            {"table": "gad*", "to": ABOVE},
            {
                "table": "episodes*",
                "to": ABOVE[2:],
                "fields": {"answered_at": {"column": "start", "formats": ["%d%m%Y"]}},
            },
        ],
        "form": [
            {
                "table": "phq*",
                "instrument": "PHQ-9",
                "respondent": "patient",
                "items": {"columns": "k{}", "count": 9},
            },
            {
                "table": "gad*",
                "instrument": "GAD-7",
                "respondent": "patient",
                "items": {"columns": "g{}", "count": 7},
            },
        ],
        "episode": {"table": "episodes*", "start": {"column": "start", "formats": ["%d%m%Y"]}},
        "appointment": {
            "table": "contacts*",
            "id": {"column": "contact_key"},
            "status": {"column": "no_show", "map": {"1": "no_show", "2": "attended"}},
        },
        **changes,
    }


def mapping(**changes: Any) -> Mapping:
    clinic = {"id": "test", "timezone": "Australia/Sydney"}
    return check_mapping({"mapping": 1, "clinic": clinic, "source": [source(**changes)]})


EPISODE_KEY = {"key": ["measure_key", "episode_key"]}


def test_each_form_is_read_from_its_table(tmp_path: Path) -> None:
    result = Read(read_paths([packed(tmp_path, TABLES)], mapping(**EPISODE_KEY)))
    found = {(row[1], row[3], row[5], row[8], row[10]) for row in result.rows}
    assert found == {
        ("c1", "e1", "PHQ-9", "1", "2026-03-05"),
        ("c2", "e2", "PHQ-9", "2", "2026-03-06"),
        ("c1", "e1", "GAD-7", "3", "2026-03-05"),
    }
    assert len(result.rows) == 9 + 9 + 7
    assert result.at("parent-missing") == [(4, "occasion_key")]
    # Columns that another part of the source reads, or told already, are no surprise.
    assert {name for _, name in result.at("column-unexpected")} == {"gender", "secret_note"}


def merged(folder: Path, tables: list[dict[str, str]]) -> dict[str, list[tuple[Any, ...]]]:
    """Open rows of every kind after these archives, one a night."""
    con = duckdb.connect()
    Pseudonyms(None, "test").install(con)
    rules = DeliveryRules(mapping(**EPISODE_KEY), REGISTRY, date(1990, 1, 1), date(2026, 12, 31))
    state = open_state(with_text=False)
    for night, one in enumerate(tables, start=1):
        path = packed(folder, one)
        task = read_delivery(con, path, rules, folder, f"d{night}")
        counts = merge_file(con, task, state, f"d{night}", date(2026, 12, night), rules)
        reading = task.reading
        assert reading.records == reading.used + reading.dropped + reading.rejected_records
        assert all(reading.found[kind] == sum(n.values()) for kind, n in counts.items())
    return {
        kind: con.execute(
            f"select patient_id, {columns} from {kind}_version where known_to = '9999-12-31'"
            " order by all"
        ).fetchall()
        for kind, columns in [
            ("form", "instrument_id"),
            ("appointment", "status"),
            ("episode", "started_on::varchar"),
        ]
    }


def test_nights_of_several_tables_keep_what_is_there_and_close_what_is_gone(tmp_path: Path) -> None:
    whole = TABLES | {"phq.csv": TABLES["phq.csv"].replace("m3,o9", "m3,o1")}
    gone = whole | {"gad.csv": TABLES["gad.csv"].replace("m1,", "m7,")}
    rows = merged(tmp_path, [whole, whole, gone])
    assert [row[1] for row in rows["form"]] == ["gad7", "phq9", "phq9", "phq9"]
    assert rows["appointment"] == [("c1", "attended"), ("c2", "no_show")]
    assert rows["episode"] == [("c1", "2026-03-01"), ("c2", "2026-03-02")]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"form": [{**source()["form"][0], "table": None}, source()["form"][1]]}, "form.1 needs"),
        ({"form": [{**source()["form"][0], "table": "phQ*"}, source()["form"][1]]}, "no join of"),
        ({"form": source()["form"][:1]}, "join.3: nothing is read"),
        ({"appointment": {**source()["appointment"], "table": None}}, "appointment needs table"),
        ({"join": [*source()["join"], source()["join"][0]]}, "another join has this table"),
        ({"read": {"format": "csv"}}, "form.1.table belongs to"),
    ],
)
def test_with_several_joins_nothing_is_guessed(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(MappingFaults, match=fault):
        mapping(**changes)


def test_a_table_with_a_column_for_each_session_stands_beside_others(tmp_path: Path) -> None:
    course = "episode_key,phq_s1,phq_s2,at_s1,at_s2\ne1,9,7,05032026,12032026\ne2,4,,06032026,\n"
    wide = {
        "table": "course*",
        "columns": "{form}_{time}",
        "forms": {"phq": ["PHQ-9", "total", 0, 27]},
        "times": {r"s(\d)": r"\1"},
        "carry": ["at"],
    }
    own = {"answered_at": {"column": "at", "formats": ["%d%m%Y"]}}
    join = [*source()["join"], {"table": "course*", "to": ABOVE[1:], "fields": own}]
    by = mapping(join=join, wide=wide, key=["measure_key", "episode_key"])
    rows = Read(read_paths([packed(tmp_path, TABLES | {"course.csv": course})], by)).rows
    assert [(r[1], r[4], r[8], r[10]) for r in rows if r[7] == "total"] == [
        ("c1", "1", "9", "2026-03-05"),
        ("c1", "2", "7", "2026-03-12"),
        ("c2", "1", "4", "2026-03-06"),
    ]
    assert len(rows) == 9 + 9 + 7 + 3
    with pytest.raises(MappingFaults, match="wide needs table"):
        mapping(join=join, wide={**wide, "table": None}, key=["episode_key"])
    session = {**own, "session": {"column": "at"}}
    with pytest.raises(MappingFaults, match=r"no fields\.session"):
        mapping(join=[*join[:-1], {**join[-1], "fields": session}], wide=wide, key=["episode_key"])
