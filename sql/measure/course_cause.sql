-- Why a course may count otherwise than the night before: what came of its rows since.
--
-- A course without a changed row has no line: time alone moves it. One that exists on one night only
-- and none of whose rows changed was cut otherwise because of another course of the same patient.
--
-- grain:   episode_id
-- inputs:  measure.changed_row, measure.course_before, score.course, score.outcome
-- columns: episode_id VARCHAR  course, tonight or the night before
--          cause VARCHAR       new; corrected; late pair: new forms that complete the pair of a course
--                              that had ended; rule: read again under other rules; together
-- version: 2
with course as (
    select
        coalesce(course.episode_id, before.episode_id) as episode_id,
        coalesce(course.patient_id, before.patient_id) as patient_id,
        course.episode_id is null or before.episode_id is null as is_one_sided,
        coalesce(before.is_ended and not before.is_paired and outcome.category <> 'unpaired', false)
            as is_completed,
    from score.course as course
    full join measure.course_before as before on course.episode_id = before.episode_id
    left join score.outcome as outcome on course.episode_id = outcome.episode_id
),

changed as (
    select
        row.episode_id,
        min(row.change) as change,
        count(distinct row.change) as n_changes,
    from measure.changed_row as row
    group by row.episode_id
),

by_patient as (
    select
        course.patient_id,
        -- of these alone the patient is asked; a column of both sides can be looked up by
        true as is_one_sided,
        min(changed.change) as change,
        max(changed.n_changes) + count(distinct changed.change) - 1 as n_changes,
    from changed
    join course on changed.episode_id = course.episode_id
    group by course.patient_id
)

select
    course.episode_id::varchar as episode_id,
    case
        when coalesce(changed.n_changes, by_patient.n_changes) > 1 then 'together'
        when changed.change = 'new' and course.is_completed then 'late pair'
        else coalesce(changed.change, by_patient.change)
    end::varchar as cause,
from course
left join changed on course.episode_id = changed.episode_id
left join by_patient
    on course.patient_id = by_patient.patient_id and course.is_one_sided = by_patient.is_one_sided
where changed.change is not null or by_patient.change is not null
