-- Whether a therapist's figures give a signal: beyond the outer limits, on the same side, in two
-- windows that follow each other and share no day.
--
-- A signal starts a conversation: first about the data, then about the patients, then about the
-- caseload, and only then about practice.
--
-- grain:   unit_id, measure, instrument_id?
-- inputs:  measure.funnel, ref.setting
-- columns: unit_id VARCHAR        therapist with a point in the newest window
--          clinic_id VARCHAR      clinic
--          measure VARCHAR        measure
--          instrument_id VARCHAR  questionnaire; NULL where the measure is not per one
--          zone VARCHAR           zone in the newest window
--          zone_before VARCHAR    zone in the window before; NULL no point in it
--          is_enough BOOLEAN      whether both windows have the courses and expected events it takes
--          is_signal BOOLEAN      whether the rule fires
-- version: 1
with setting as (
    select
        max(value) filter (where name = 'signal_min_courses') as min_courses,
        max(value) filter (where name = 'signal_min_expected') as min_expected,
    from ref.setting
),

judged as (
    select
        funnel.*,
        funnel.n >= setting.min_courses
        and (
            funnel.kind = 'mean'
            or least(funnel.expected, funnel.n - funnel.expected) >= setting.min_expected
        ) as is_enough,
    from measure.funnel as funnel
    cross join setting
    where funnel.method = 'corrected'
)

select
    newest.unit_id::varchar as unit_id,
    newest.clinic_id::varchar as clinic_id,
    newest.measure::varchar as measure,
    newest.instrument_id::varchar as instrument_id,
    newest.zone::varchar as zone,
    before.zone::varchar as zone_before,
    (newest.is_enough and coalesce(before.is_enough, false))::boolean as is_enough,
    (
        newest.is_enough
        and coalesce(before.is_enough, false)
        and newest.zone in ('above 99.8', 'below 99.8')
        and newest.zone = before.zone
    )::boolean as is_signal,
from judged as newest
left join judged as before
    on
        before.period_id = 'window_before'
        and newest.unit_id = before.unit_id
        and newest.measure = before.measure
        and newest.instrument_id is not distinct from before.instrument_id
where newest.period_id = 'window'
