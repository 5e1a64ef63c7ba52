"""What nobody in a clinic can know: true effects, hidden courses, chances of dropping out."""

from datetime import date

import numpy as np
import polars as pl

from flows.synthetic.course import DROPOUT, END_REASONS, Course, TherapistEffects
from flows.synthetic.diary import Diary, day_number


def truth_frames(
    therapists: pl.DataFrame,
    effects: TherapistEffects,
    episodes: pl.DataFrame,
    course: Course,
    diary: Diary,
    as_of: date,
) -> dict[str, pl.DataFrame]:
    """Return therapist effects, true endings (future ones too) and the course up to as_of.

    Ids are those of the exports. Dropout effects and hazards are logits and probabilities; symptoms
    are PHQ-9 points, alliance WAI-SR item means.
    """
    return {
        "therapist": therapists.drop("name").with_columns(
            alliance=pl.Series(effects.alliance),
            symptoms=pl.Series(effects.symptoms),
            dropout=pl.Series(effects.dropout),
        ),
        "episode": episodes.drop("ended_on", "end_reason").with_columns(
            last_session=pl.Series(course.last_session),
            end_reason=pl.Series(END_REASONS)[course.end_kind],
        ),
        "session": _sessions(episodes, course, diary, as_of),
    }


def _sessions(episodes: pl.DataFrame, course: Course, diary: Diary, as_of: date) -> pl.DataFrame:
    seen = np.flatnonzero((diary.session_no > 0) & (diary.day <= day_number(as_of)))
    episode, session = diary.episode[seen], diary.session_no[seen]
    at = (session - 1, episode)
    is_last = (session == course.last_session[episode]) & (course.end_kind[episode] == DROPOUT)
    ids = episodes.select("clinic_id", "patient_id", "episode_id", "episode_no")
    return ids[episode].with_columns(
        session_no=pl.Series(session),
        alliance=pl.Series(course.alliance[at]),
        within=pl.Series(course.within[at]),
        rupture_depth=pl.Series(course.rupture_depth[at]),
        is_rupture_onset=pl.Series(course.rupture_onset[at]),
        therapist_view=pl.Series(course.therapist_view[at]),
        symptoms=pl.Series(course.symptoms[at]),
        hazard=pl.Series(course.hazard[at]),
        is_before_dropout=pl.Series(is_last),
    )
