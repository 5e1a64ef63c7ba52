-- A therapist's courses in the order of their end: events fewer or more than expected from intake,
-- added up, as a line to draw and in words.
--
-- For the therapist's own page. The line is 240 wide and 72 high, nought in the middle. An alarm
-- starts a conversation; it proves nothing.
--
-- grain:   therapist_id, model_id
-- inputs:  measure.disclosure, model.cusum, model.fit, ref.definition, ref.setting
-- columns: therapist_id VARCHAR  therapist
--          model_id VARCHAR      model of the event
--          label VARCHAR         what is counted, in plain words
--          better VARCHAR        higher or lower
--          line VARCHAR          expected less observed as points of a line, turned so that up is
--                                better
--          state_text VARCHAR    where it stands, in words
--          alarm_text VARCHAR    alarms of both sums, in words
--          sum_order INTEGER     order on the page
-- version: 3
with setting as (
    select max(value) filter (where name = 'running_sum_courses') as courses,
    from ref.setting
),

summed as (
    select
        cusum.therapist_id,
        cusum.model_id,
        count(distinct cusum.episode_id) as n,
        count(*) as n_steps,
        sum(cusum.y) as n_events,
        arg_max(cusum.fewer_than_expected, cusum.step_no) as stands_at,
        greatest(3, max(abs(cusum.fewer_than_expected))) as reach,
        count(*) filter (where cusum.is_more_alarm) as n_more,
        count(*) filter (where cusum.is_fewer_alarm) as n_fewer,
        max(cusum.counted_on) filter (where cusum.is_more_alarm) as more_on,
        max(cusum.counted_on) filter (where cusum.is_fewer_alarm) as fewer_on,
        max(definition.label) as label,
        max(definition.better) as better,
        max(definition.figure_order) as figure_order,
        max(fit.outcome) as outcome,
        -- more of a good event is drawn upwards, as fewer of a bad one is
        case max(definition.better) when 'higher' then -1 else 1 end as upwards,
    from model.cusum as cusum
    join model.fit as fit on cusum.model_id = fit.model_id
    join ref.definition as definition
        on fit.outcome = definition.measure and list_contains(definition.levels, 'therapist')
    group by cusum.therapist_id, cusum.model_id
),

point as (
    -- every course is a point; of sessions the last one of each month
    select *,
    from model.cusum
    qualify
        session_id is null
        or row_number() over (
            partition by model_id, therapist_id, date_trunc('month', counted_on)
            order by step_no desc
        ) = 1
),

drawn as (
    select
        cusum.therapist_id,
        cusum.model_id,
        string_agg(
            round(4 + (cusum.step_no - 1) * 232.0 / (summed.n_steps - 1), 1)::varchar
            || ','
            || round(36 - summed.upwards * cusum.fewer_than_expected * 32.0 / summed.reach, 1)::varchar,
            ' ' order by cusum.step_no
        ) as line,
    from point as cusum
    join summed using (therapist_id, model_id)
    where summed.n_steps > 1
    group by cusum.therapist_id, cusum.model_id
)

select
    summed.therapist_id::varchar as therapist_id,
    summed.model_id::varchar as model_id,
    summed.label::varchar as label,
    summed.better::varchar as better,
    drawn.line::varchar as line,
    (
        summed.n_events::varchar
        || ' of '
        || summed.n::varchar
        || ' courses, '
        || abs(round(summed.stands_at, 1))::decimal(9, 1)::varchar
        || case when summed.stands_at < 0 then ' more' else ' fewer' end
        || ' than expected from who they were at intake.'
    )::varchar as state_text,
    case
        when summed.n_more + summed.n_fewer = 0
            then 'Neither sum has passed its threshold.'
        else
            concat_ws(
                ' ',
                case
                    when summed.n_more > 0
                        then
                            'The sum that looks for twice as many passed its threshold, last in '
                            || strftime(summed.more_on, '%B %Y')
                            || '.'
                end,
                case
                    when summed.n_fewer > 0
                        then
                            'The sum that looks for half as many passed its threshold, last in '
                            || strftime(summed.fewer_on, '%B %Y')
                            || '.'
                end
            )
    end::varchar as alarm_text,
    row_number() over (
        partition by summed.therapist_id
        order by summed.figure_order, summed.model_id
    )::integer as sum_order,
from summed
join drawn using (therapist_id, model_id)
join measure.disclosure as disclosure
    on
        disclosure.level = 'therapist'
        and summed.therapist_id = disclosure.unit_id
        and disclosure.period_id = 'year'
        and summed.outcome = disclosure.measure
cross join setting
where
    summed.n >= setting.courses
    and disclosure.is_compared
