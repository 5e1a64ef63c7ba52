-- Where the scores of earlier patients lay, by score at intake and by session: percentiles of the
-- score and of its change since intake. Longer than usual, because all of it is frozen together.
--
-- Made once a quarter of the service's own closed courses. A cell with too few courses takes in its
-- neighbours, by a fixed ladder: tenths of the intake scores become fifths, then halves; then two
-- sessions are taken together, then five. Nothing is interpolated; a cell that is still too small
-- has no row. Sessions beyond the last one told apart are one cell. Percentiles are observed scores:
-- the smallest that at least the given share of scores does not exceed. Where all courses together
-- are enough, bands are also made of the earlier part alone, for judging the rule.
--
-- grain:   instrument_id, made_of, intake_band, session_no
-- inputs:  ref.setting, score.reference_course, score.session_score
-- columns: instrument_id VARCHAR         instrument with enough closed courses
--          made_of VARCHAR               all courses, or earlier part: without those held out
--          intake_band INTEGER           tenth of the intake scores, 1 lowest
--          session_no INTEGER            session; the last number stands for all that follow
--          intake_above DECIMAL(12,6)    intake scores of the tenth lie above this; NULL no limit
--          intake_to DECIMAL(12,6)       and reach up to this; NULL no limit
--          ladder_step INTEGER           step that made the cell large enough; 1 nothing merged
--          band_from INTEGER             first tenth taken together
--          band_to INTEGER               last tenth taken together
--          session_from INTEGER          first session taken together
--          session_to INTEGER            last session taken together
--          n_courses INTEGER             courses in the cell
--          outer_low DECIMAL(12,6)       score: lower end of the outer band
--          inner_low DECIMAL(12,6)       lower end of the inner band
--          middle DECIMAL(12,6)          median
--          inner_high DECIMAL(12,6)      upper end of the inner band
--          outer_high DECIMAL(12,6)      upper end of the outer band
--          change_outer_low DECIMAL(12,6) change since intake, in the same way
--          change_inner_low DECIMAL(12,6) lower end of its inner band
--          change_middle DECIMAL(12,6)   median
--          change_inner_high DECIMAL(12,6) upper end of its inner band
--          change_outer_high DECIMAL(12,6) upper end of its outer band
--          n_reference INTEGER           courses it was made of, all cells together
--          first_from DATE               day the first of these courses began
--          first_to DATE                 day the last of them began
--          frozen_on DATE                night it was computed on
-- version: 1
-- frozen:  instrument_id
-- keys:    score.reference_course
with setting as (
    select
        max(value) filter (where name = 'expected_courses_needed') as courses_needed,
        max(value) filter (where name = 'expected_cell_needed') as cell_needed,
        max(value) filter (where name = 'expected_sessions')::integer as sessions,
        max(value) filter (where name = 'expected_inner') as inner_level,
        max(value) filter (where name = 'expected_outer') as outer_level,
    from ref.setting
),

ladder as (
    -- how many tenths, and how many sessions, are taken together at each step
    select
        listed.step,
        listed.bands,
        listed.sessions,
    from (values (1, 1, 1), (2, 2, 1), (3, 5, 1), (4, 5, 2), (5, 5, 5)) as listed (
        step, bands, sessions
    )
),

session as (
    select unnest(range(1, sessions + 2)) as session_no,
    from setting
),

band as (
    select
        made_of,
        instrument_id,
        intake_band,
        intake_above,
        intake_to,
        sum(count(*)) over reference as n_reference,
        sum(case when made_of = 'all courses' then count(*) else 0 end) over (
            partition by instrument_id
        ) as n_closed,
        min(min(first_attended_on)) over reference as first_from,
        max(max(first_attended_on)) over reference as first_to,
    from score.reference_course
    group by made_of, instrument_id, intake_band, intake_above, intake_to
    window reference as (partition by made_of, instrument_id)
),

rung as (
    select
        band.*,
        ladder.*,
        setting.cell_needed,
        session.session_no,
        (band.intake_band - 1) // ladder.bands * ladder.bands + 1 as band_from,
        case
            when session.session_no > setting.sessions then session.session_no
            else (session.session_no - 1) // ladder.sessions * ladder.sessions + 1
        end as session_from,
        case
            when session.session_no > setting.sessions then session.session_no
            else setting.sessions
        end as session_most,
    from band
    cross join setting
    cross join ladder
    cross join session
    where band.n_closed >= setting.courses_needed
),

cell as (
    select
        *,
        {
            'made_of': made_of,
            'instrument_id': instrument_id,
            'step': step,
            'band_from': band_from,
            'session_from': session_from
        } as merged,
    from rung
),

scored as (
    select
        course.made_of,
        course.instrument_id,
        course.intake_band,
        least(score.session_no, setting.sessions + 1) as session_no,
        lag(least(score.session_no, setting.sessions + 1)) over (
            partition by course.made_of, course.instrument_id, course.episode_id
            order by score.session_no, score.session_id
        ) as session_before,
        score.value,
        score.value - course.intake_value as change,
    from score.reference_course as course
    join score.session_score as score
        on
            course.episode_id = score.episode_id
            and course.instrument_id = score.instrument_id
            and course.intake_form_id <> score.form_id
    cross join setting
),

sized as (
    -- a course with several scores in one cell counts once
    select
        cell.merged,
        count(*) as n_courses,
    from scored
    join cell using (made_of, instrument_id, intake_band, session_no)
    where scored.session_before is null or scored.session_before < cell.session_from
    group by cell.merged
),

chosen as (
    select
        cell.*,
        sized.n_courses,
    from cell
    join sized using (merged)
    where sized.n_courses >= cell.cell_needed
    qualify cell.step = min(cell.step) over (
        partition by cell.made_of, cell.instrument_id, cell.intake_band, cell.session_no
    )
),

observed as (
    select
        made_of,
        instrument_id,
        intake_band,
        session_no,
        false as is_change,
        value,
        count(*) as n,
    from scored
    group by made_of, instrument_id, intake_band, session_no, value
    union all
    select
        made_of,
        instrument_id,
        intake_band,
        session_no,
        true as is_change,
        change as value,
        count(*) as n,
    from scored
    group by made_of, instrument_id, intake_band, session_no, change
),

ranked as (
    -- how many scores of a cell are no higher than each of them
    select
        cell.merged,
        observed.is_change,
        observed.value,
        sum(sum(observed.n)) over (
            partition by cell.merged, observed.is_change
            order by observed.value
        ) as n_up_to,
        sum(sum(observed.n)) over (partition by cell.merged, observed.is_change) as n,
    from observed
    join cell using (made_of, instrument_id, intake_band, session_no)
    group by cell.merged, observed.is_change, observed.value
),

percentile as (
    select
        ranked.merged,
        ranked.is_change,
        min(ranked.value) filter (where ranked.n_up_to >= (1 - setting.outer_level) * ranked.n) as outer_low,
        min(ranked.value) filter (where ranked.n_up_to >= (1 - setting.inner_level) * ranked.n) as inner_low,
        min(ranked.value) filter (where ranked.n_up_to * 2 >= ranked.n) as middle,
        min(ranked.value) filter (where ranked.n_up_to >= setting.inner_level * ranked.n) as inner_high,
        min(ranked.value) filter (where ranked.n_up_to >= setting.outer_level * ranked.n) as outer_high,
    from ranked
    cross join setting
    group by ranked.merged, ranked.is_change
)

select
    chosen.instrument_id::varchar as instrument_id,
    chosen.made_of::varchar as made_of,
    chosen.intake_band::integer as intake_band,
    chosen.session_no::integer as session_no,
    chosen.intake_above::decimal(12, 6) as intake_above,
    chosen.intake_to::decimal(12, 6) as intake_to,
    chosen.step::integer as ladder_step,
    chosen.band_from::integer as band_from,
    (chosen.band_from + chosen.bands - 1)::integer as band_to,
    chosen.session_from::integer as session_from,
    least(chosen.session_from + chosen.sessions - 1, chosen.session_most)::integer as session_to,
    chosen.n_courses::integer as n_courses,
    score.outer_low::decimal(12, 6) as outer_low,
    score.inner_low::decimal(12, 6) as inner_low,
    score.middle::decimal(12, 6) as middle,
    score.inner_high::decimal(12, 6) as inner_high,
    score.outer_high::decimal(12, 6) as outer_high,
    change.outer_low::decimal(12, 6) as change_outer_low,
    change.inner_low::decimal(12, 6) as change_inner_low,
    change.middle::decimal(12, 6) as change_middle,
    change.inner_high::decimal(12, 6) as change_inner_high,
    change.outer_high::decimal(12, 6) as change_outer_high,
    chosen.n_reference::integer as n_reference,
    chosen.first_from::date as first_from,
    chosen.first_to::date as first_to,
    getvariable('as_of')::date as frozen_on,
from chosen
join percentile as score on chosen.merged = score.merged and not score.is_change
join percentile as change on chosen.merged = change.merged and change.is_change
