"""Made-up rows of every report table: 15 therapists, hostile names, withheld figures.

Withheld figures keep a tell-tale value (LEAK) in cells that real tables leave empty: it must never
reach a page.
"""

import hashlib
from datetime import date
from decimal import Decimal
from typing import Any

from tests.reports.alliance_tables import alliance_tables
from tests.reports.changed_tables import changed_tables, mend_tables
from tests.reports.ending_tables import ending_tables
from tests.reports.fixture_course import expected_courses, track_rules, track_tests
from tests.reports.fixture_process import process_tables
from tests.reports.fixture_therapists import therapist_tables
from tests.reports.worklist_tables import worklist_tables

HOSTILE = """<script>alert("x")</script> & 'O"Brien' =HYPERLINK("http://evil.example")"""
LEAK = "73.9127"
BOUNDS = "2 to 57 %"
TOO_FEW = "too few to show (n < 5)"
AS_OF = date(2026, 11, 20)
MONTHS = ("January to March", "April to June", "July to September", "October to December")
QUARTERS = [(year, number) for year in (2024, 2025, 2026) for number in (1, 2, 3, 4)][3:11]
# measure, instrument, label, section, kind, better, typical value
MEASURES = [
    (
        "questionnaire_completeness",
        "phq9",
        "Questionnaires filled in, PHQ-9",
        "completeness",
        "rate",
        "higher",
        0.78,
    ),
    (
        "questionnaire_completeness",
        "wai_sr",
        "Questionnaires filled in, WAI-SR",
        "completeness",
        "rate",
        "higher",
        0.64,
    ),
    (
        "paired_outcome",
        None,
        "Episodes with a first and a last questionnaire",
        "completeness",
        "rate",
        "higher",
        0.71,
    ),
    (
        "reliable_improvement",
        "phq9",
        "Reliable improvement, PHQ-9",
        "outcome",
        "rate",
        "higher",
        0.49,
    ),
    (
        "reliable_improvement",
        "oq45_2",
        "Reliable improvement, OQ-45.2",
        "outcome",
        "rate",
        "higher",
        0.41,
    ),
    (
        "reliable_deterioration",
        "phq9",
        "Reliable deterioration, PHQ-9",
        "outcome",
        "rate",
        "lower",
        0.05,
    ),
    (
        "early_alliance_mean",
        "wai_sr",
        "Early alliance, WAI-SR",
        "alliance",
        "mean",
        "neither",
        3.92,
    ),
    ("early_alliance_mean", "srs", "Early alliance, SRS", "alliance", "mean", "neither", 35.4),
    (
        "early_alliance_slope",
        "wai_sr",
        "Course of the alliance, WAI-SR",
        "alliance",
        "mean",
        "neither",
        0.06,
    ),
    ("early_ending", None, "Ended early, not agreed", "endings", "rate", "lower", 0.23),
]
CLINICS = [("alder", "Alder practice"), ("birch", HOSTILE), ("cedar", "Cedar outpatient unit")]


def _target() -> dict[str, Any]:
    return {
        "level": "service", "unit_id": "service", "period_id": "year", "measure": "early_ending",
        "instrument_id": None, "value": Decimal("0.25"), "direction": "at most",
        "target_text": "at most 25 %", "source": HOSTILE, "state": "open",
        "state_text": "cannot be said: the interval lies on both sides",
    }  # fmt: skip


def _workbook_lines(figures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The figures of the service and its clinics with their definitions; the clinic's name is hostile."""
    names = dict(CLINICS)
    added = {
        "period_state": "settled", "target": None, "target_direction": None, "target_source": None,
        "numerator_words": "=1+1", "denominator_words": "courses", "version": "1", "as_of": AS_OF,
    }  # fmt: skip
    rows = [row for row in figures if row["level"] != "therapist"]
    return [
        row | added | {"unit_name": names.get(row["unit_id"]), "line_order": number}
        for number, row in enumerate(rows)
    ]


def make_tables() -> dict[str, list[dict[str, Any]]]:
    """Builds all tables afresh, so that a test may change its own."""
    therapists = _therapists()
    figures = _unit_figures("service", "service", None, 0, 4800, "year")
    figures += _unit_figures("service", "service", None, 0, 600, "quarter")
    for number, (clinic_id, _) in enumerate(CLINICS, start=1):
        figures += _unit_figures("clinic", clinic_id, clinic_id, number, 420 * number, "year")
        figures += _unit_figures("clinic", clinic_id, clinic_id, number, 50 * number, "quarter")
    for number, row in enumerate(therapists, start=1):
        figures += _unit_figures(
            "therapist",
            row["therapist_id"],
            row["clinic_id"],
            number,
            row["n_episodes_year"],
            "year",
        )
    first = next(row for row in therapists if row["has_page"])
    first |= {"label": "Therapist AB12CD", "page": "therapist-ab12cd"}
    with_page = first["therapist_id"]
    return {
        "night": [_night()],
        **_edge_tables(),
        "supervision": _supervision(with_page),
        "clinic": _clinics(),
        "therapist": therapists,
        "figure": _beside_the_service(figures),
        "fix_list": _fixes(),
        "delivery": _deliveries(),
        "table_check": _checks(),
        "agreement": _agreement(),
        **changed_tables(HOSTILE),
        **mend_tables(HOSTILE),
        "target": [_target()],
        "workbook_line": _workbook_lines(_beside_the_service(figures)),
        "definition": _definitions(),
        "instrument": _instruments(),
        "expected_course": expected_courses(),
        "track_rule": track_rules(),
        "track_test": track_tests(),
        "scored_form": _scored_forms(),
        **therapist_tables(therapists),
        **_for_review(),
        **process_tables(LEAK),
        "completeness_month": _completeness_months(),
        **alliance_tables(HOSTILE, with_page),
        **worklist_tables(HOSTILE, with_page),
        **ending_tables(HOSTILE),
    }


def _supervision(with_page: str) -> list[dict[str, Any]]:
    """One supervisor of both therapists with pages and of one whom nobody delivered, one of a single therapist."""
    listed = (("lead", "t2"), ("lead", with_page), ("lead", "nobody"), ("second", with_page))
    return [
        {"supervisor": code, "therapist_id": therapist_id, "list_order": number}
        for number, (code, therapist_id) in enumerate(listed)
    ]


def _edge_tables() -> dict[str, list[dict[str, Any]]]:
    """What no database holds, and the figures for the public."""
    public = (
        ("reliable_improvement", "outcome", "Reliably improved", "52 %"),
        ("reliable_deterioration", "outcome", "Reliably deteriorated", None),
        ("early_ending", "endings", "Ended early, not agreed", "21 %"),
    )
    return {
        "therapist_name": [{"therapist_id": "t2", "name": f"Dr Ann Ärmel {HOSTILE}"}],
        "patient_number": [{"patient_id": "p-e3", "number": f"A-117 {HOSTILE}"}],
        "notice": [
            {
                "controller": f"Riverside Trust {HOSTILE}",
                "contact": "privacy@riverside.example",
                "legal_basis": None,
                "kept": "10 years after the end of treatment",
                "agreement": None,
            }
        ],
        "public_figure": [
            {
                "measure": measure,
                "instrument_id": None,
                "period_label": "12 months to 31 October 2026",
                "section": section,
                "figure_order": order,
                "label": label,
                "value_text": value,
                "n_text": None if value is None else "about 340",
                "note": "not shown: fewer than 8 people" if value is None else None,
            }
            for order, (measure, section, label, value) in enumerate(public)
        ],
    }


def _night() -> dict[str, Any]:
    return {
        "service_name": "Riverside psychotherapy service",
        "as_of": AS_OF,
        "revision": 1,
        "state": "partly green",
        "state_text": "Published. Cedar outpatient unit failed; its figures are those of 14 Nov 2026.",
        "n_clinics": 3,
        "n_clinics_failed": 1,
        "n_clinics_late": 1,
        "n_deliveries_tonight": 5,
        "n_forms_tonight": 1862,
        "n_rejects_tonight": 17,
        "therapist_figures": "shown",
        "therapist_figures_text": "Therapists have pages of their own, with estimates drawn towards "
        "the service. With 15 therapists, no funnel is drawn from fewer than 15 episodes.",
        "program_version": "0.1.0",
    }


def _clinics() -> list[dict[str, Any]]:
    states = [
        ("ok", "Delivered tonight.", date(2026, 11, 19), 1, 0, 2),
        ("ok", "Delivered tonight.", date(2026, 11, 18), 2, 17, 4),
        (
            "failed",
            "The mapping names a column that the file does not have.",
            date(2026, 11, 14),
            6,
            0,
            1,
        ),
    ]
    return [
        {
            "clinic_id": clinic_id,
            "clinic_name": name,
            "page": f"clinic-{clinic_id}",
            "state": state,
            "state_text": text,
            "data_through": through,
            "days_behind": behind,
            "is_late": behind > 3,
            "n_therapists": 12,
            "n_open": 96 + number,
            "n_closed_year": 410 * number,
            "n_rejects": rejects,
            "n_warnings": warnings,
        }
        for number, (
            (clinic_id, name),
            (state, text, through, behind, rejects, warnings),
        ) in enumerate(zip(CLINICS, states, strict=True), start=1)
    ]


def _therapists() -> list[dict[str, Any]]:
    rows = []
    for number in range(15):
        stem = f"{(number * 2654435761 + 97) % 2**24:06x}"
        episodes = 3 if number % 12 == 5 else 12 + number * 7 % 50
        rows.append(
            {
                "therapist_id": f"{stem}{number:026x}",
                "clinic_id": CLINICS[number % 3][0],
                "label": f"Therapist {stem.upper()}",
                "page": f"therapist-{stem}",
                "n_episodes_year": episodes,
                "has_page": episodes >= 5,
                "note": None if episodes >= 5 else "no page: too few episodes (n < 5)",
            }
        )
    return rows


def _unit_figures(
    level: str, unit: str, clinic: str | None, seed: int, size: int, period_kind: str
) -> list[dict[str, Any]]:
    periods = [("y2026", "12 months to 20 Nov 2026", date(2025, 11, 21), AS_OF)]
    if period_kind == "quarter":
        ends = {1: (3, 31), 2: (6, 30), 3: (9, 30), 4: (12, 31)}
        periods = [
            (
                f"{year}q{q}",
                f"{MONTHS[q - 1]} {year}",
                date(year, 3 * q - 2, 1),
                date(year, *ends[q]),
            )
            for year, q in QUARTERS
        ]
    return [
        _figure(
            order,
            measure,
            (level, unit, clinic),
            (seed + 3 * order + step, size),
            (period_kind, *period),
        )
        for order, measure in enumerate(MEASURES, start=1)
        for step, period in enumerate(periods)
    ]


def _figure(
    order: int,
    measure: tuple[Any, ...],
    unit: tuple[Any, ...],
    made_of: tuple[int, int],
    period: tuple[Any, ...],
) -> dict[str, Any]:
    name, instrument, label, section, kind, better, typical = measure
    seed, size = made_of
    n = max(2, size * (20 - order) // 20 - seed % 3)
    wiggle = 1 + 0.07 * ((seed * 37 % 11) - 5) / 5
    half = 1.96 * ((typical * (1 - typical)) if kind == "rate" else 0.15 * typical) ** 0.5 / n**0.5
    value = typical * wiggle
    is_shown = n >= 5 and not (period[0] == "quarter" and seed % 13 == 4)
    eligible = n + n // 3
    row = {
        "level": unit[0],
        "unit_id": unit[1],
        "clinic_id": unit[2],
        "period_kind": period[0],
        "period_id": period[1],
        "period_label": period[2],
        "period_start": period[3],
        "period_end": period[4],
        "section": section,
        "figure_order": order,
        "measure": name,
        "instrument_id": instrument,
        "label": label,
        "kind": kind,
        "better": better,
    }
    low, high = value - half, value + half
    if kind == "rate":
        low, high = max(0.0, low), min(1.0, high)
    row |= _values(kind, value, low, high, n, eligible)
    if unit[0] == "therapist" and section != "completeness":
        own = 0.4 * value + 0.6 * typical
        row |= {
            "shrunken": _decimal(own),
            "shrunken_low": _decimal(own - 0.6 * (value - low)),
            "shrunken_high": _decimal(own + 0.6 * (high - value)),
            "shrunken_text": f"{_text(kind, own)} ({_range(kind, own - 0.6 * half, own + 0.6 * half)})",
        }
    if section == "outcome":
        row["bounds_text"] = (
            f"{_range(kind, value * 0.75, value * 0.75 + 0.25)} if all others went badly or well"
        )
        row["worst"], row["best"] = _decimal(value * 0.75), _decimal(value * 0.75 + 0.25)
    return row if is_shown else _withheld(row)


def _values(
    kind: str, value: float, low: float, high: float, n: int, eligible: int
) -> dict[str, Any]:
    counted = f"{round(value * n)} of {n}" if kind == "rate" else f"{n} patients"
    return {
        "value": _decimal(value),
        "low": _decimal(low),
        "high": _decimal(high),
        "n": n,
        "numerator": round(value * n) if kind == "rate" else None,
        "n_eligible": eligible,
        "completeness": _decimal(n / eligible),
        "worst": None,
        "best": None,
        "shrunken": None,
        "shrunken_low": None,
        "shrunken_high": None,
        "service_value": None,
        "service_low": None,
        "service_high": None,
        "is_shown": True,
        "value_text": _text(kind, value),
        "interval_text": _range(kind, low, high),
        "n_text": counted,
        "completeness_text": f"{n} of {eligible} eligible ({round(100 * n / eligible)} %)",
        "bounds_text": None,
        "shrunken_text": None,
        "note": None,
    }


def _withheld(row: dict[str, Any]) -> dict[str, Any]:
    texts = dict.fromkeys(
        (
            "value_text",
            "interval_text",
            "n_text",
            "shrunken_text",
        ),
        LEAK,
    )
    numbers = dict.fromkeys(
        ("value", "low", "high", "shrunken", "shrunken_low", "shrunken_high"), Decimal(LEAK)
    )
    silent = {"completeness_text": None, "bounds_text": None}
    return row | texts | numbers | silent | {"is_shown": False, "note": TOO_FEW}


def _beside_the_service(figures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Adds the service's value where the two may be compared: alder's deteriorations may not."""
    names = ("period_id", "measure", "instrument_id")
    service = {tuple(r[n] for n in names): r for r in figures if r["level"] == "service"}
    for row in figures:
        beside = service[tuple(row[name] for name in names)]
        is_alone = (row["unit_id"], row["measure"]) == ("alder", "reliable_deterioration")
        if row["level"] != "service" and beside["is_shown"] and not is_alone:
            row |= {f"service_{name}": beside[name] for name in ("value", "low", "high")}
        if (row["unit_id"], row["measure"]) == ("cedar", "reliable_deterioration"):
            row |= _withheld(row) | {"note": "withheld: outcome known for fewer than 50 %"}
            row |= {"completeness_text": "180 of 400 eligible (45 %)", "bounds_text": BOUNDS}
    return figures


def _decimal(value: float) -> Decimal:
    return Decimal(f"{value:.4f}")


def _text(kind: str, value: float) -> str:
    return f"{100 * value:.0f} %" if kind == "rate" else f"{value:.2f}"


def _range(kind: str, low: float, high: float) -> str:
    return (
        f"{100 * low:.0f} to {100 * high:.0f} %" if kind == "rate" else f"{low:.2f} to {high:.2f}"
    )


def _fixes() -> list[dict[str, Any]]:
    rows = [
        (
            "birch",
            "birch_2026-11-19.csv",
            "warn",
            "answer_late",
            None,
            61,
            900,
            "8, 11, 12 … (20 of 61 shown)",
            "The form was entered more than 14 days after the session.",
            "Enter forms in the week they are filled in.",
        ),
        (
            "birch",
            "birch_2026-11-19.csv",
            "reject",
            "answer_not_declared",
            HOSTILE,
            17,
            900,
            "5, 9, 12 … (17 of 17 shown)",
            "The answer is not one the mapping knows.",
            "Correct the cell in the export, or add the code to clinics/birch.toml.",
        ),
        (
            "cedar",
            "cedar_export_with_a_very_long_name_that_does_not_break_2026_11_20_final_final.csv",
            "reject",
            "column_missing",
            "PHQ9_3",
            1,
            None,
            None,
            "The file has no such column.",
            "Ask the vendor for the export of before, or mend the mapping.",
        ),
        (
            "alder",
            "alder_termine_2026-11.csv",
            "warn",
            "column_not_mapped",
            "Bemerkung",
            1,
            None,
            None,
            "The column is neither used nor ignored.",
            "Name it in the mapping, or list it under ignore.",
        ),
    ]
    names = (
        "clinic_id",
        "file_name",
        "severity",
        "rule",
        "column_name",
        "n",
        "n_checked",
        "lines_text",
        "message",
        "what_to_do",
    )
    return [
        {**dict(zip(names, row, strict=True)), "delivery_id": f"d{order}", "fix_order": order}
        for order, row in enumerate(rows, start=1)
    ]


def _deliveries() -> list[dict[str, Any]]:
    names = (
        "n_records",
        "n_used",
        "n_dropped",
        "n_rejected",
        "forms_found",
        "forms_new",
        "forms_superseding",
        "forms_unchanged",
        "forms_rejected",
        "forms_held",
    )
    rows = [
        (
            AS_OF,
            "alder",
            "alder_termine_2026-11.csv",
            "new",
            "read",
            (941, 940, 1, 0, 1210, 830, 12, 368, 0, 0),
        ),
        (
            AS_OF,
            "birch",
            "birch_2026-11-19.csv",
            "new",
            "read",
            (900, 880, 3, 17, 1049, 1020, 0, 12, 17, 0),
        ),
        (
            AS_OF,
            "cedar",
            "cedar_export_with_a_very_long_name_that_does_not_break_2026_11_20_final_final.csv",
            "refused",
            "refused: column PHQ9_3 is missing",
            (None,) * 10,
        ),
        (
            date(2026, 11, 19),
            "alder",
            "alder_termine_2026-10.csv",
            "unchanged",
            "read before",
            (870, 870, 0, 0, 1100, 0, 0, 1100, 0, 0),
        ),
    ]
    return [
        {
            "as_of": day,
            "clinic_id": clinic,
            "file_name": name,
            "sha256": hashlib.sha256(name.encode()).hexdigest(),
            "outcome": outcome,
            "state_text": text,
            **dict(zip(names, counts, strict=True)),
        }
        for day, clinic, name, outcome, text, counts in rows
    ]


def _agreement() -> list[dict[str, Any]]:
    """All together and by topic: one disagrees, one could not be checked."""
    names = ("topic", "table_name", "state", "agree_text", "scope_text")
    rows = [
        ("all figures", None, "disagree", "4,120 of 4,121 figures agree", "100 of 640 patients"),
        ("endings", "score.end_state", "disagree", "99 of 100 figures agree", "a sample"),
        ("outcomes", "score.outcome", "not checked", "an unforeseen fault", "a sample"),
        ("scores of forms", "score.scale_score", "agree", "4,021 of 4,021 figures agree", "all"),
    ]
    return [
        dict(zip(names, row, strict=True)) | {"agreement_order": order}
        for order, row in enumerate(rows, start=1)
    ]


def _checks() -> list[dict[str, Any]]:
    """A file and a questionnaire that failed, what could not be judged, and what passed."""
    names = ("status", "check_id", "severity", "clinic_id", "table_name", "instrument_id")
    texts = ("where_text", "message", "counted_text", "what_to_do", "n", "n_passed")
    rows = [
        (
            *("failed", "delivery-rejected", "fatal", "birch", None, None),
            f"Birch clinic, {HOSTILE}, read 20 November 2026 (and 2 earlier files)",
            "12.5 % of the records are refused; up to 5 % are tolerated",
            "17 of 136",
            "Take the most frequent rule in the fix-list.",
            *(3, 41),
        ),
        (
            *("failed", "table-drift", "warn", "alder", "form", "phq9"),
            "Alder practice, PHQ-9",
            "Answers are distributed otherwise than the year before: stability index 0.41, up to 0.25 is usual",
            None,
            "Check for answers coded or reversed in another way since some day.",
            *(1, 5),
        ),
        (
            *("not applicable", "table-drift", "warn", None, None, None),
            *(None, "Too few to judge by: under 50", None, None, 4, 5),
        ),
        (
            *("passed", "table-drift", "warn", None, None, None),
            *(None, "Answers are distributed as before", None, None, 5, 5),
        ),
    ]
    return [
        {**dict(zip(names + texts, row, strict=True)), "check_order": order}
        for order, row in enumerate(rows, start=1)
    ]


def _definitions() -> list[dict[str, Any]]:
    labels = {measure[0]: measure for measure in MEASURES}
    return [
        {
            "measure": name,
            "label": measure[2].split(",")[0],
            "version": "1",
            "numerator": "closed episodes whose last score is better than the first by more than the "
            "published reliable change",
            "denominator": "closed episodes with a first and a last score",
            "minimum": 5,
            "better": measure[5],
            "why": "Change larger than the error of measurement.",
            "source": "Jacobson & Truax 1991, J Consult Clin Psychol 59:12-19, https://doi.org/10.1037/0022-006X.59.1.12",
            "sql_path": f"sql/measure/{name}.sql",
            "sql_text": "-- Share of closed episodes.\nselect\n    a < b as is_less,\n"
            + "    x as y,\n" * 40
            + "from t\n",
        }
        for name, measure in labels.items()
    ]


def _instruments() -> list[dict[str, Any]]:
    return [
        {
            "instrument_id": instrument,
            "name": name,
            "version": "1",
            "respondent": "patient",
            "scoring_text": "Sum of nine answers from 0 to 3; higher is worse.",
            "cutoff_text": "10 or more (Kroenke et al. 2001)",
            "change_text": "6 or more (NHS England)",
            "missing_text": "One missing answer is replaced by the mean of the others.",
            "licence": "free to use",
            "source": "Kroenke et al. 2001",
            "note": None,
        }
        for instrument, name in (
            ("phq9", "PHQ-9"),
            ("oq45_2", "OQ-45.2"),
            ("wai_sr", "WAI-SR"),
            ("srs", "SRS"),
        )
    ]


def _scored_forms() -> list[dict[str, Any]]:
    """One scored form, one that could not be scored, with a hostile file name."""
    shared = {
        "clinic_id": "alder",
        "clinic_name": "Alder practice",
        "patient": "0a1b2c3d",
        "instrument": "PHQ-9",
        "scale": "total",
        "respondent": "patient",
        "answered_on": AS_OF,
        "session_label": "3",
        "answered_text": "9 of 9 items",
        "line": 12,
    }
    scored = {"form_id": "f1", "score_text": "17", "band": "moderately_severe", "why_not": None}
    unscored = {
        "form_id": "f2",
        "score_text": None,
        "band": None,
        "why_not": "2 of 9 items missing",
    }
    return [
        {**shared, **scored, "file_name": "phq.csv", "form_order": 1},
        {**shared, **unscored, "file_name": "<script>alert(1)</script>.csv", "form_order": 2},
    ]


def _for_review() -> dict[str, list[dict[str, Any]]]:
    """What the care team looks at: a risk answer without a score, a refused row, a case got worse."""
    clinic = {"clinic_id": "alder", "clinic_name": "Alder practice"}
    case = {**clinic, "patient": "0a1b2c3d", "instrument": "PHQ-9", "age_days": 3}
    return {
        "risk_flag": [
            {
                **case,
                "form_id": "f2",
                "item_text": "self-harm thoughts (9)",
                "answered_on": AS_OF,
                "score_text": "no score: 2 of 9 items missing",
                "file_name": "<script>alert(1)</script>.csv",
                "line": 14,
                "flag_order": 1,
            }
        ],
        "refused_risk": [
            {
                **clinic,
                "delivery_id": "d1",
                "message": "A row that is refused or held answers a risk item of PHQ-9",
                "file_name": "phq.csv",
                "n": 2,
                "lines_text": "7, 31",
                "read_on": AS_OF,
                "age_days": 0,
            }
        ],
        "unread_risk": [
            {
                **clinic,
                "delivery_id": "d2",
                "file_name": "held.csv",
                "read_on": AS_OF,
                "n": None,
                "why": "the file is held as a whole",
            }
        ],
        "deterioration": [
            {
                **case,
                "episode_id": "e1",
                "instrument_id": "phq9",
                "first_text": "8",
                "last_text": "15",
                "first_on": date(2026, 9, 1),
                "last_on": date(2026, 11, 17),
                "state_text": "open",
                "first_place": "phq.csv:3",
                "last_place": "phq.csv:88",
                "review_order": 1,
            }
        ],
    }


def _completeness_months() -> list[dict[str, Any]]:
    return [
        {
            "clinic_id": clinic_id, "clinic_name": clinic_name, "instrument_id": instrument,
            "instrument": instrument.upper(), "month_no": month + 1,
            "month_start": date(2025 + (month + 10) // 12, (month + 10) % 12 + 1, 1),
            "shade": None if month == 4 else month % 5,
            "value_text": None if month == 4 else f"{20 * (month % 5) + 10} %",
            "note": TOO_FEW if month == 4 else "8 of 20",
        }
        for clinic_id, clinic_name in CLINICS
        for instrument in ("phq9", "wai_sr")
        for month in range(12)
    ]  # fmt: skip
