-- A therapist's courses one after another: events fewer or more than expected, added up, and the two
-- cumulative sums that look for a change.
--
-- The first is for looking at. The sums are tests: one looks for events twice as likely as expected,
-- the other for half as likely. After an alarm the sum begins anew, as it would after a review.
-- Courses come in the order of their end, once any ending of that day would be known; where an
-- ending is looked for session by session, sessions come in the order in which they count.
--
-- A sum that never falls below nought is the sum of all weights less the lowest that this sum has
-- been since it began: so only alarms are looked for one after another.
--
-- grain:   model_id, therapist_id, step_no
-- inputs:  model.cusum_limit, model.expected
-- columns: model_id VARCHAR               model of an event
--          therapist_id VARCHAR           therapist
--          step_no INTEGER                place of the course, or session, in the order
--          episode_id VARCHAR             course
--          session_id VARCHAR             session; NULL where the course counts as a whole
--          counted_on DATE                day by which it counts
--          y INTEGER                      1 the event happened, 0 it did not
--          expected DECIMAL(18,12)        its chance
--          fewer_than_expected DECIMAL(38,12) expected less observed so far: rises with fewer events
--          more DECIMAL(18,9)             sum that looks for events twice as likely
--          fewer DECIMAL(18,9)            sum that looks for events half as likely
--          is_more_alarm BOOLEAN          whether the first passes its threshold here
--          is_fewer_alarm BOOLEAN         whether the second does
-- version: 2
-- source:  Lovegrove et al. 1997, Lancet 350:1128-1130; Steiner et al. 2000, Biostatistics 1:441-452
with recursive step as (
    select
        expected.model_id,
        expected.therapist_id,
        expected.episode_id,
        expected.session_id,
        expected.counted_on,
        expected.y::integer as y,
        expected.expected,
        row_number() over in_order as step_no,
        sum(expected.expected - expected.y) over in_order as fewer_than_expected,
    from model.expected as expected
    where
        expected.therapist_id is not null
        and expected.model_id in (select cusum_limit.model_id, from model.cusum_limit as cusum_limit)
    window
        in_order as (
            partition by expected.model_id, expected.therapist_id
            order by expected.counted_on, expected.episode_id, expected.session_id
            rows between unbounded preceding and current row
        )
),

weighed as (
    select
        step.model_id,
        step.therapist_id,
        step.step_no,
        threshold.odds_ratio,
        threshold.h::decimal(38, 15) as h,
        (
            step.y * ln(threshold.odds_ratio)
            - ln(1 + (threshold.odds_ratio - 1) * step.expected::double)
        )::decimal(38, 15) as weight,
    from step
    join model.cusum_limit as threshold on step.model_id = threshold.model_id
),

added as (
    select
        *,
        sum(weight) over (
            partition by model_id, therapist_id, odds_ratio
            order by step_no
            rows between unbounded preceding and current row
        ) as total,
    from weighed
),

run as (
    -- where a sum begins: before the first step, and after each alarm
    select distinct
        model_id,
        therapist_id,
        odds_ratio,
        0::bigint as begins_after,
        0::decimal(38, 15) as begins_at,
    from added
    union all
    select
        level.model_id,
        level.therapist_id,
        level.odds_ratio,
        min(level.step_no) as begins_after,
        arg_min(level.total, level.step_no) as begins_at,
    from (
        select
            added.*,
            added.total - least(run.begins_at, min(added.total) over (
                partition by added.model_id, added.therapist_id, added.odds_ratio
                order by added.step_no
                rows between unbounded preceding and current row
            )) as reached,
        from run
        join added
            on
                run.model_id = added.model_id
                and run.therapist_id = added.therapist_id
                and run.odds_ratio = added.odds_ratio
                and run.begins_after < added.step_no
    ) as level
    where level.reached > level.h
    group by level.model_id, level.therapist_id, level.odds_ratio
),

placed as (
    select
        added.*,
        run.begins_after,
        run.begins_at,
    from added
    asof join run
        on
            added.model_id = run.model_id
            and added.therapist_id = run.therapist_id
            and added.odds_ratio = run.odds_ratio
            and added.step_no > run.begins_after
),

summed as (
    select
        *,
        total - least(begins_at, min(total) over (
            partition by model_id, therapist_id, odds_ratio, begins_after
            order by step_no
            rows between unbounded preceding and current row
        )) as level,
    from placed
),

paired as (
    select
        model_id,
        therapist_id,
        step_no,
        max(level) filter (where odds_ratio > 1) as more,
        max(level) filter (where odds_ratio < 1) as fewer,
        bool_or(level > h) filter (where odds_ratio > 1) as is_more_alarm,
        bool_or(level > h) filter (where odds_ratio < 1) as is_fewer_alarm,
    from summed
    group by model_id, therapist_id, step_no
)

select
    step.model_id::varchar as model_id,
    step.therapist_id::varchar as therapist_id,
    step.step_no::integer as step_no,
    step.episode_id::varchar as episode_id,
    step.session_id::varchar as session_id,
    step.counted_on::date as counted_on,
    step.y::integer as y,
    step.expected::decimal(18, 12) as expected,
    step.fewer_than_expected::decimal(38, 12) as fewer_than_expected,
    round(paired.more, 9)::decimal(18, 9) as more,
    round(paired.fewer, 9)::decimal(18, 9) as fewer,
    paired.is_more_alarm::boolean as is_more_alarm,
    paired.is_fewer_alarm::boolean as is_fewer_alarm,
from step
join paired
    on
        step.model_id = paired.model_id
        and step.therapist_id = paired.therapist_id
        and step.step_no = paired.step_no
