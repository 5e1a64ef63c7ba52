-- What was to be expected of the courses that a measure counts, added up.
--
-- grain:   clinic_id, therapist_id?, period_id, measure, instrument_id?
-- inputs:  model.expected, ref.period
-- columns: clinic_id VARCHAR                 clinic
--          therapist_id VARCHAR              therapist; NULL not known
--          period_id VARCHAR                 period
--          measure VARCHAR                   measure
--          instrument_id VARCHAR             questionnaire; NULL where the measure is not per one
--          n INTEGER                         courses with an expectation
--          expected DECIMAL(38,12)           sum of what was expected
--          expected_variance DECIMAL(38,12)  sum of the variances of events; NULL for a mean
--          sum_rr DECIMAL(38,12)             sum over courses of squares of observed less expected
-- version: 2
with course as (
    -- a course may count with several sessions
    select
        expected.clinic_id,
        expected.therapist_id,
        period.period_id,
        expected.measure,
        expected.instrument_id,
        expected.episode_id,
        sum(expected.expected) as expected,
        sum(expected.variance) as variance,
        sum(expected.y - expected.expected)::decimal(19, 12) as rest,
    from model.expected as expected
    join ref.period as period
        on expected.counted_on between period.period_start and period.period_end
    group by
        expected.clinic_id, expected.therapist_id, period.period_id, expected.measure,
        expected.instrument_id, expected.episode_id
)

select
    clinic_id::varchar as clinic_id,
    therapist_id::varchar as therapist_id,
    period_id::varchar as period_id,
    measure::varchar as measure,
    instrument_id::varchar as instrument_id,
    count(*)::integer as n,
    sum(expected)::decimal(38, 12) as expected,
    sum(variance)::decimal(38, 12) as expected_variance,
    sum(rest * rest)::decimal(38, 12) as sum_rr,
from course
group by clinic_id, therapist_id, period_id, measure, instrument_id
