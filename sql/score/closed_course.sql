-- Closed course on one questionnaire that the expected course of treatment may be made of.
--
-- It began in the reference window, which ends some months before the quarter so that most courses
-- have had time to end, and it has a score after the one it started from. The newest part of the
-- window is held out when the rule is judged.
--
-- grain:   episode_id, instrument_id
-- inputs:  ref.setting, score.end_state, score.intake_score, score.session_score
-- columns: episode_id VARCHAR         course
--          instrument_id VARCHAR      instrument
--          is_held_out BOOLEAN        whether it began in the newest part of the window
--          first_attended_on DATE     first attended session
--          intake_form_id VARCHAR     form with the score it started from
--          intake_value DECIMAL(12,6) that score
-- version: 1
-- patient: episode_id
with setting as (
    select
        max(value) filter (where name = 'expected_from_months')::integer as from_months,
        max(value) filter (where name = 'expected_to_months')::integer as to_months,
        max(value) filter (where name = 'expected_test_months')::integer as test_months,
    from ref.setting
),

quarter as (
    select date_trunc('quarter', getvariable('as_of')::date)::date as begins_on,
),

span as (
    select
        quarter.begins_on - to_months(setting.from_months) as from_on,
        quarter.begins_on - to_months(setting.to_months) as to_on,
        quarter.begins_on - to_months(setting.to_months + setting.test_months) as test_on,
    from quarter
    cross join setting
)

select
    intake.episode_id::varchar as episode_id,
    intake.instrument_id::varchar as instrument_id,
    (end_state.first_attended_on >= span.test_on)::boolean as is_held_out,
    end_state.first_attended_on::date as first_attended_on,
    intake.form_id::varchar as intake_form_id,
    intake.value::decimal(12, 6) as intake_value,
from score.intake_score as intake
join score.end_state as end_state on intake.episode_id = end_state.episode_id
cross join span
where
    end_state.is_ended
    and end_state.first_attended_on >= span.from_on
    and end_state.first_attended_on < span.to_on
    and exists (
        select 1,
        from score.session_score as later
        where
            later.episode_id = intake.episode_id
            and later.instrument_id = intake.instrument_id
            and later.form_id <> intake.form_id
    )
