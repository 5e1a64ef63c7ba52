"""Cumulative incidence of each way of ending, counted a second time course by course."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from fractions import Fraction

import duckdb

from flows.second.incidence import cumulative_incidence, interval, thirds_of
from flows.second.rules import Rules
from flows.verify.facts import Figures, rows

KEY = ["group_kind", "group_id", "cause", "session_no"]
SHARES = ["n_at_risk", "n_events", "incidence", "standard_error", "low", "high"]
CAUSES = ("dropout", "planned", "other", "unknown")
# Where reasons are missing, whoever stopped coming counts as one.
STOPPED = {"dropout": "stopped", "unknown": "stopped"}
# Last session that counts, and how the course ended there; None while it is open.
Course = tuple[int, str | None]


def stated_incidence(con: duckdb.DuckDBPyConnection) -> Figures:
    """What the SQL says: group, cause and session to shares."""
    return {
        tuple(row[name] for name in KEY): tuple(row[name] for name in SHARES)
        for row in rows(con, "from measure.incidence")
    }


def told_incidence(con: duckdb.DuckDBPyConnection, rules: Rules) -> Figures:
    """The same, from what became of each course after each session."""
    told: Figures = {}
    z = float(rules.z_95)
    followed = _followed(con)
    for (kind, group, first), members in _groups(con, rules).items():
        courses = [followed[one] for one in members if followed.get(one, (0, None))[0] >= first]
        merged = [(last, STOPPED.get(end, end) if end else None) for last, end in courses]
        for listed, causes in ((courses, CAUSES), (merged, ("stopped", "planned", "other"))):
            found = cumulative_incidence(listed, causes, first)
            ends = Counter(listed)
            at_risk = {
                number: sum(last >= number for last, _ in listed)
                for number in {n for _, n in found}
            }
            for (cause, number), (share, variance) in found.items():
                if cause in STOPPED.values() or listed is courses:
                    told[kind, group, cause, number] = (
                        *(at_risk[number], ends[number, cause], share),
                        float(max(variance, 0)) ** 0.5,
                        *(interval(float(share), float(variance), z) or (None, None)),
                    )
    return told


def _followed(con: duckdb.DuckDBPyConnection) -> dict[str, Course]:
    found: dict[str, Course] = {}
    for row in rows(con, "from score.session_end where is_at_risk order by session_no"):
        cause = row["outcome"]
        found[row["episode_id"]] = (row["session_no"], None if cause == "goes_on" else cause)
    return found


def _groups(con: duckdb.DuckDBPyConnection, rules: Rules) -> dict[tuple[str, str, int], list[str]]:
    """Courses by kind of group, group, and the session that they are followed from."""
    groups: dict[tuple[str, str, int], list[str]] = defaultdict(list)
    for row in rows(
        con,
        "select episode_id, clinic_id from score.end_state"
        " where first_attended_on >= (select min(period_start) from ref.period)",
    ):
        groups["service", "service", 1].append(row["episode_id"])
        groups["clinic", row["clinic_id"], 1].append(row["episode_id"])
    known = set(groups["service", "service", 1])
    landmark = int(rules.landmark_session)
    for episode_id, third in _thirds(con, known, landmark, int(rules.early_min_rated)):
        groups["early_alliance", third, landmark].append(episode_id)
    return groups


def _thirds(
    con: duckdb.DuckDBPyConnection, known: set[str], landmark: int, least: int
) -> Iterator[tuple[str, str]]:
    """Courses that came to the session by which groups are formed, and the third of the early ratings."""
    ratings: dict[str, dict[str, list[Fraction]]] = defaultdict(lambda: defaultdict(list))
    for row in rows(
        con,
        "select score.episode_id, score.instrument_id, score.value from score.session_score as score"
        " join ref.instrument as instrument using (instrument_id)"
        " where kind = 'alliance' and respondent = 'patient' and session_no <= ?",
        landmark,
    ):
        ratings[row["episode_id"]][row["instrument_id"]].append(Fraction(row["value"]))
    means: dict[str, tuple[str, Fraction] | None] = {}
    for row in rows(con, "select episode_id from score.session_end where session_no = ?", landmark):
        enough = sorted(
            (name, round(sum(given, Fraction(0)) / len(given), 6))
            for name, given in ratings[row["episode_id"]].items()
            if len(given) >= least
        )
        if row["episode_id"] in known:
            means[row["episode_id"]] = enough[0] if enough else None
    pooled: dict[str, list[Fraction]] = defaultdict(list)
    for name, mean in filter(None, means.values()):
        pooled[name].append(mean)
    ends = {name: thirds_of(values) for name, values in pooled.items()}
    for episode_id, rated in means.items():
        if rated is None:
            yield episode_id, "not rated"
        else:
            low, middle = ends[rated[0]]
            third = "low" if rated[1] <= low else "middle" if rated[1] <= middle else "high"
            yield episode_id, third
