"""What goes with the alliance in this service: where it varies, what follows it, how much outcome it shares.

Service level only, descriptive, each with an interval: sessions are clustered in patients and patients
in therapists. Shares of the variance come from the likelihood of groups within groups, associations
from resampling therapists; these are computed from sums per therapist, so that a resample is a
weighted sum.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import duckdb
import numpy as np
import polars as pl

from flows.modelling.fit import FloatArray
from flows.modelling.nested import Share, nested, shares

SEED = 20_261
DECIMALS = 6
# The likelihood tells a share to the fifth decimal.
SHARE_DECIMALS = 4
# Places of first, last and alliance score in the matrix of products, after the constant.
FIRST, LAST, ALLIANCE = 1, 2, 3
PAIR = ("alliance_instrument_id", "outcome_instrument_id")
COMPONENTS = ("therapist", "patient", "session")
MOMENTS = ("early", "overall", "final")
STILL = "ratings or scores never move"


@dataclass(frozen=True)
class Association:
    """One quantity of the service; without estimate there is a reason."""

    model_id: str
    quantity: str
    alliance_instrument_id: str
    outcome_instrument_id: str | None
    n: int
    n_courses: int
    n_therapists: int
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    why_not: str | None = None


@dataclass(frozen=True)
class Needs:
    """How much data an association asks for."""

    therapists: int
    courses: int
    resamples: int


def associations(con: duckdb.DuckDBPyConnection, held: Collection[str]) -> Iterator[Association]:
    """Compute every association that does not stand already.

    Args:
        con: the warehouse, with model.lagged_session and model.alliance_outcome built.
        held: model ids that stand for this quarter.
    """
    yield from _components(con, held)
    yield from _lagged(con, held)
    yield from _shares(con, held)


def _components(con: duckdb.DuckDBPyConnection, held: Collection[str]) -> Iterator[Association]:
    rows = (
        "select rating.instrument_id, rating.session_id, rating.value, end_state.clinic_id,"
        " end_state.therapist_id, rating.episode_id from score.alliance_rating as rating"
        " join score.end_state as end_state using (episode_id)"
    )
    for model_id, wanted, key, frame in _parts(
        con, rows, ["instrument_id"], "alliance_components", held, [*COMPONENTS, "clinic"]
    ):
        listed = {*wanted} & {*COMPONENTS}
        if listed:
            found = component_shares(model_id, key[0], frame, _needs(con, "components"))
            yield from (found[part] for part in COMPONENTS if part in listed)
        if "clinic" in wanted:
            yield clinic_share(model_id, key[0], frame, _needs(con, "clinics"))


def component_shares(
    model_id: str, instrument_id: str, frame: pl.DataFrame, needs: Needs
) -> dict[str, Association]:
    """Shares of the variance of ratings between therapists, their patients, and sessions.

    Args:
        model_id: of the rows, without the part.
        instrument_id: questionnaire.
        frame: ratings with therapist_id and episode_id.
        needs: least numbers.
    """
    levels = ["therapist_id", "episode_id"]
    n_therapists, n_courses = (frame[level].n_unique() for level in levels)
    why_not, found = _too_few(n_courses, n_therapists, needs), None
    if why_not is None:
        found = shares(nested(frame, levels))
        why_not = None if found else STILL
    return {
        part: Association(
            f"{model_id}/{part}", f"share_{part}", instrument_id, None,
            frame.height, n_courses, n_therapists, *_told(found, place), why_not,
        )
        for place, part in enumerate(COMPONENTS)
    }  # fmt: skip


def clinic_share(
    model_id: str, instrument_id: str, frame: pl.DataFrame, needs: Needs
) -> Association:
    """Share of the variance of ratings that lies between clinics, beside therapists and patients.

    Args:
        model_id: of the row, without the part.
        instrument_id: questionnaire.
        frame: ratings with clinic_id, therapist_id and episode_id.
        needs: least numbers, of clinics in the place of therapists.
    """
    levels = ["clinic_id", "therapist_id", "episode_id"]
    clinics, therapists, courses = (frame[level].n_unique() for level in levels)
    found = why_not = None
    if clinics < needs.therapists or courses < needs.courses:
        why_not = (
            "clinics cannot be told apart from their therapists: it takes"
            f" {needs.therapists} clinics and {needs.courses} courses, and there are"
            f" {clinics} and {courses}"
        )
    else:
        found = shares(nested(frame, levels))
        why_not = None if found else STILL
    return Association(
        f"{model_id}/clinic", "share_clinic", instrument_id, None,
        frame.height, courses, therapists, *_told(found, 0), why_not,
    )  # fmt: skip


def _told(found: list[Share] | None, place: int) -> tuple[float | None, float | None, float | None]:
    if found is None:
        return None, None, None
    share, low, high = (round(value, SHARE_DECIMALS) for value in found[place])
    return share, low, high


def _lagged(con: duckdb.DuckDBPyConnection, held: Collection[str]) -> Iterator[Association]:
    names = ["alliance_before", "symptom_before", "log_session", "symptom"]
    rows = "select * from model.lagged_session"
    for model_id, _, key, frame in _parts(con, rows, PAIR, "alliance_lagged", held):
        stats, needs = product_sums(frame, names), _needs(con, "lagged")
        named = (model_id, key[0], key[1])
        yield estimated(named, "standardized", stats, standardized_slope, needs, frame.height)


def _shares(con: duckdb.DuckDBPyConnection, held: Collection[str]) -> Iterator[Association]:
    rows = "select *, episode_id as session_id, 1.0 as one from model.alliance_outcome"
    for model_id, wanted, key, frame in _parts(con, rows, PAIR, "alliance_outcome", held, MOMENTS):
        # the same courses for all three, so that their shares can be compared
        known, needs = frame.drop_nulls(MOMENTS), _needs(con, "share")
        for part in wanted:
            stats = product_sums(known, ["one", "first", "last", part])
            named = (f"{model_id}/{part}", key[0], key[1])
            yield estimated(named, f"share_{part}", stats, added_share, needs, known.height)


def estimated(
    named: tuple[str, str, str | None],
    quantity: str,
    stats: FloatArray,
    quantity_of: Callable[[FloatArray], FloatArray],
    needs: Needs,
    n: int,
) -> Association:
    """Estimate one quantity with its percentile interval, or say why not.

    Args:
        named: model id, alliance questionnaire, outcome questionnaire.
        quantity: name of what is estimated.
        stats: one row of sums per therapist; the last column counts courses.
        quantity_of: gives the quantity of each row of summed sums.
        needs: least numbers.
        n: rows behind it.
    """
    therapists, courses = len(stats), int(stats[:, -1].sum()) if len(stats) else 0
    row = partial(Association, named[0], quantity, named[1], named[2], n, courses, therapists)
    if why_not := _too_few(courses, therapists, needs):
        return row(why_not=why_not)
    whole = float(quantity_of(stats.sum(axis=0, keepdims=True))[0])
    if not np.isfinite(whole):
        return row(why_not=STILL)
    rng = np.random.default_rng(SEED)
    weights = rng.multinomial(therapists, np.full(therapists, 1 / therapists), needs.resamples)
    drawn = quantity_of(weights.astype(float) @ stats)
    low, high = np.quantile(drawn[np.isfinite(drawn)], [0.025, 0.975])
    return row(round(whole, DECIMALS), round(float(low), DECIMALS), round(float(high), DECIMALS))


def _too_few(courses: int, therapists: int, needs: Needs) -> str | None:
    if therapists >= needs.therapists and courses >= needs.courses:
        return None
    return (
        f"it takes {needs.therapists} therapists and {needs.courses} courses, and there are"
        f" {therapists} and {courses}"
    )


def product_sums(frame: pl.DataFrame, names: Sequence[str]) -> FloatArray:
    """Sums per therapist of all products of the columns, and the number of courses.

    Args:
        frame: with therapist_id, episode_id and the columns.
        names: of k columns.

    Returns:
        One row per therapist: k * k products row by row, then courses.
    """
    products = [
        (pl.col(a).cast(pl.Float64) * pl.col(b).cast(pl.Float64)).sum().alias(f"{a}*{b}")
        for a in names
        for b in names
    ]
    summed = frame.group_by("therapist_id", maintain_order=True).agg(
        *products, courses=pl.col("episode_id").n_unique()
    )
    return summed.sort("therapist_id").drop("therapist_id").to_numpy().astype(float)


def standardized_slope(sums: FloatArray) -> FloatArray:
    """Slope of symptoms on alliance before, in standard deviations within courses.

    Args:
        sums: rows of product sums of alliance before, symptoms before, log session, symptoms, all
            as distances from the course's own mean.
    """
    matrix = sums[:, :16].reshape(-1, 4, 4)
    slopes = _solve(matrix[:, :3, :3], matrix[:, :3, 3])
    with np.errstate(divide="ignore", invalid="ignore"):
        return slopes[:, 0] * np.sqrt(matrix[:, 0, 0] / matrix[:, 3, 3])


def added_share(sums: FloatArray) -> FloatArray:
    """Share of the variance of the last score that an alliance score adds to the first score's.

    Args:
        sums: rows of product sums of 1, first, last and alliance.
    """
    matrix = sums[:, :16].reshape(-1, 4, 4)
    with np.errstate(divide="ignore", invalid="ignore"):
        n = matrix[:, :1, :1]
        spread = matrix - matrix[:, :, :1] * matrix[:, :1, :] / n
        total = spread[:, LAST, LAST]
        alone = spread[:, FIRST, LAST] ** 2 / spread[:, FIRST, FIRST] / total
    both = np.array([FIRST, ALLIANCE])
    inner = spread[:, both[:, None], both[None, :]]
    cross = spread[:, both, LAST]
    with np.errstate(divide="ignore", invalid="ignore"):
        explained = (_solve(inner, cross) * cross).sum(axis=1) / total
    return explained - alone


def _solve(matrices: FloatArray, right: FloatArray) -> FloatArray:
    """Solve each system; a singular one gives not-a-number."""
    k = matrices.shape[1]
    size = np.trace(matrices, axis1=1, axis2=2) / k
    good = (
        np.isfinite(matrices).all(axis=(1, 2))
        & (np.linalg.matrix_rank(np.nan_to_num(matrices), hermitian=True) == k)
        & (size > 0)
    )
    found = np.full(right.shape, np.nan)
    if good.any():
        found[good] = np.linalg.solve(matrices[good], right[good][:, :, None])[:, :, 0]
    return found


def _parts(
    con: duckdb.DuckDBPyConnection,
    rows: str,
    keys: Sequence[str],
    prefix: str,
    held: Collection[str],
    quantities: Sequence[str] = (),
) -> Iterator[tuple[str, list[str], tuple[str, ...], pl.DataFrame]]:
    """The rows of each questionnaire or pair of them of which something does not stand already.

    Yields model id without its quantity, quantities wanted, key, rows. What stands is not read.
    """
    listed = ", ".join(keys)
    same = " and ".join(f"{key} = ?" for key in keys)
    known = f"from ({rows}) where therapist_id is not null"
    for key in con.execute(f"select distinct {listed} {known} order by all").fetchall():
        model_id = "/".join((prefix, *key))
        wanted = [name for name in quantities if f"{model_id}/{name}" not in held]
        if wanted or not quantities and model_id not in held:
            frame = con.execute(f"select * {known} and {same} order by session_id", key).pl()
            yield model_id, wanted, key, frame


def _needs(con: duckdb.DuckDBPyConnection, what: str) -> Needs:
    found: Mapping[str, int] = {
        name: int(value)
        for name, value in con.execute(
            "select name, value from ref.setting where name like 'association%'"
        ).fetchall()
    }
    return Needs(
        found[f"association_{what}_therapists"],
        found[f"association_{what}_courses"],
        found["association_resamples"],
    )
