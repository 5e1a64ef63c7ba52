-- A therapist's courses one after another: events fewer or more than expected, added up, and the two
-- cumulative sums that look for a change.
--
-- The first is for looking at. The sums are tests: one looks for events twice as likely as expected,
-- the other for half as likely. After an alarm the sum begins anew, as it would after a review.
-- Courses come in the order of their end, once any ending of that day would be known.
--
-- grain:   model_id, therapist_id, course_no
-- inputs:  model.cusum_limit, model.expected
-- columns: model_id VARCHAR               model of an event
--          therapist_id VARCHAR           therapist
--          course_no INTEGER              place of the course in the order of ends
--          counted_on DATE                day of its end
--          y INTEGER                      1 the event happened, 0 it did not
--          expected DECIMAL(18,12)        its chance
--          fewer_than_expected DECIMAL(38,12) expected less observed so far: rises with fewer events
--          more DECIMAL(18,9)             sum that looks for events twice as likely
--          fewer DECIMAL(18,9)            sum that looks for events half as likely
--          is_more_alarm BOOLEAN          whether the first passes its threshold here
--          is_fewer_alarm BOOLEAN         whether the second does
-- version: 1
-- source:  Lovegrove et al. 1997, Lancet 350:1128-1130; Steiner et al. 2000, Biostatistics 1:441-452
with recursive ordered as (
    select
        expected.model_id,
        expected.therapist_id,
        expected.counted_on,
        expected.y::integer as y,
        expected.expected,
        row_number() over in_order as course_no,
        sum(expected.expected - expected.y) over in_order as fewer_than_expected,
    from model.expected as expected
    where
        expected.therapist_id is not null
        and expected.model_id in (select cusum_limit.model_id, from model.cusum_limit as cusum_limit)
    window
        in_order as (
            partition by expected.model_id, expected.therapist_id
            order by expected.counted_on, expected.episode_id
            rows between unbounded preceding and current row
        )
),

threshold as (
    select
        model_id,
        max(h) filter (where odds_ratio > 1) as more_h,
        max(h) filter (where odds_ratio < 1) as fewer_h,
        max(odds_ratio) as more_odds,
        min(odds_ratio) as fewer_odds,
    from model.cusum_limit
    group by model_id
),

step as (
    select
        ordered.*,
        threshold.more_h,
        threshold.fewer_h,
        ordered.y * ln(threshold.more_odds)
        - ln(1 + (threshold.more_odds - 1) * ordered.expected::double) as more_weight,
        ordered.y * ln(threshold.fewer_odds)
        - ln(1 + (threshold.fewer_odds - 1) * ordered.expected::double) as fewer_weight,
    from ordered
    join threshold on ordered.model_id = threshold.model_id
),

run as (
    select
        step.*,
        case when step.more_weight > 0 then step.more_weight else 0 end as more,
        case when step.fewer_weight > 0 then step.fewer_weight else 0 end as fewer,
    from step
    where step.course_no = 1
    union all
    select
        step.*,
        greatest(0, case when run.more > run.more_h then 0 else run.more end + step.more_weight)
            as more,
        greatest(0, case when run.fewer > run.fewer_h then 0 else run.fewer end + step.fewer_weight)
            as fewer,
    from run
    join step
        on
            run.model_id = step.model_id
            and run.therapist_id = step.therapist_id
            and step.course_no = run.course_no + 1
)

select
    model_id::varchar as model_id,
    therapist_id::varchar as therapist_id,
    course_no::integer as course_no,
    counted_on::date as counted_on,
    y::integer as y,
    expected::decimal(18, 12) as expected,
    fewer_than_expected::decimal(38, 12) as fewer_than_expected,
    round(more, 9)::decimal(18, 9) as more,
    round(fewer, 9)::decimal(18, 9) as fewer,
    (more > more_h)::boolean as is_more_alarm,
    (fewer > fewer_h)::boolean as is_fewer_alarm,
from run
