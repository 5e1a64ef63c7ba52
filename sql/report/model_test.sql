-- Line of the model card on the test: how well the model foresaw the sessions it had not seen.
--
-- grain:   topic, line_order
-- inputs:  measure.risk_drift, measure.risk_gate, measure.risk_test, model.coefficient, ref.setting
-- columns: topic VARCHAR       test, month, tenth or group
--          line_order INTEGER  order in the topic
--          label VARCHAR       what the line is about
--          value_text VARCHAR  what is told of it, as printed
--          note VARCHAR        what to know besides; NULL nothing
-- version: 4
with setting as (
    select
        max(value) filter (where name = 'z_95')::double as z,
        max(value) filter (where name = 'minimum_shown')::integer as minimum,
        max(value) filter (where name = 'subgroup_dropouts')::integer as subgroup_dropouts,
        max(value) filter (where name = 'alert_share') as alert_share,
        max(value) filter (where name = 'drift_most') as drift_most,
    from ref.setting
),

gate as (
    select *,
    from measure.risk_gate
    qualify row_number() over (order by month desc) = 1
),

tested as (
    select
        test.*,
        setting.minimum,
        setting.subgroup_dropouts,
        setting.alert_share,
        case
            when test.n < setting.minimum then 'too few to show (n < ' || setting.minimum || ')'
            when test.n_dropouts between 1 and setting.minimum - 1
                then 'fewer than ' || setting.minimum || ' dropouts in ' || test.n || ' sessions'
            else
                test.n_dropouts || ' dropouts in ' || test.n || ' sessions, '
                || round(100 * test.rate, 1)::decimal(9, 1) || ' % ('
                || round(100 * test.low, 1)::decimal(9, 1) || ' to '
                || round(100 * test.high, 1)::decimal(9, 1) || ' %); expected '
                || round(100 * test.expected / test.n, 1)::decimal(9, 1) || ' %'
        end as counted_text,
    from measure.risk_test as test
    cross join setting
),

line as (
    select
        'test' as topic,
        '1' as sorted_by,
        'Tells who leaves from who stays (C statistic)' as label,
        coalesce(round(auc, 2)::decimal(9, 2)::varchar, 'not known') as value_text,
        '0.5 is chance, 1 is certainty' as note,
    from tested
    where part = 'all'
    union all
    select
        'test' as topic,
        '1a' as sorted_by,
        'The same of a flexible model (gradient boosting) that cannot say why' as label,
        round(max(coefficient.estimate) filter (where coefficient.term = 'auc'), 2)::decimal(9, 2)::varchar
            as value_text,
        'Brier score ' || round(max(coefficient.estimate) filter (where coefficient.term = 'brier'), 4)::decimal(9, 4)
        || '; a yardstick, used for nothing else' as note,
    from model.coefficient as coefficient
    join gate on coefficient.model_id = 'yardstick_' || gate.month || '/dropout'
    having count(*) > 0
    union all
    select
        'test' as topic,
        '1b' as sorted_by,
        'What it costs to be able to say why' as label,
        case
            when max(coefficient.estimate) > max(tested.auc)
                then (max(coefficient.estimate) - max(tested.auc))::decimal(9, 3)::varchar || ' of the C statistic'
            else 'nothing'
        end as value_text,
        'the flexible model less this one; only what it gains on new sessions counts' as note,
    from model.coefficient as coefficient
    join gate on coefficient.model_id = 'yardstick_' || gate.month || '/dropout'
    join tested on tested.part = 'all'
    where coefficient.term = 'auc'
    having count(tested.auc) > 0
    union all
    select
        'test' as topic,
        '2' as sorted_by,
        'Brier score' as label,
        round(brier, 4)::decimal(9, 4)::varchar as value_text,
        coalesce(round(100 * scaled_brier, 1)::decimal(9, 1) || ' % of it saved beside the mean rate', '') as note,
    from tested
    where part = 'all'
    union all
    select
        'test' as topic,
        '3' as sorted_by,
        'Calibration in the large' as label,
        round(gate.intercept, 2)::decimal(9, 2) || ' ('
        || round(gate.intercept - setting.z * gate.intercept_error, 2)::decimal(9, 2) || ' to '
        || round(gate.intercept + setting.z * gate.intercept_error, 2)::decimal(9, 2) || ')' as value_text,
        '0 is right; above it, more left than expected' as note,
    from gate
    cross join setting
    where gate.intercept is not null
    union all
    select
        'test' as topic,
        '4' as sorted_by,
        'Calibration slope' as label,
        round(gate.slope, 2)::decimal(9, 2) || ' ('
        || round(gate.slope - setting.z * gate.slope_error, 2)::decimal(9, 2) || ' to '
        || round(gate.slope + setting.z * gate.slope_error, 2)::decimal(9, 2) || ')' as value_text,
        '1 is right; below it, the chances are too extreme' as note,
    from gate
    cross join setting
    where gate.slope is not null
    union all
    select
        'test' as topic,
        case part when 'all' then '5' else '6' end as sorted_by,
        case part
            when 'all' then 'All sessions of the test'
            else 'Sessions with the highest chances, ' || round(100 * alert_share)::integer || ' in 100'
        end as label,
        counted_text as value_text,
        null as note,
    from tested
    where part in ('all', 'top')
    union all
    select
        'test' as topic,
        '7' as sorted_by,
        'Chances today beside those of the year before (stability index)' as label,
        coalesce(drift.stability::decimal(9, 2)::varchar, 'too few sessions') as value_text,
        case
            when drift.is_shifted
                then 'a major shift of who comes or of what is filled in: above ' || setting.drift_most::decimal(9, 2)
            when drift.stability is not null then 'no major shift: up to ' || setting.drift_most::decimal(9, 2)
        end as note,
    from measure.risk_drift as drift
    cross join setting
    union all
    select
        'month' as topic,
        part_id as sorted_by,
        strftime(strptime(part_id, '%Y-%m'), '%B %Y') || case part
            when 'month' then '' else ', highest chances'
        end as label,
        counted_text as value_text,
        null as note,
    from tested
    where part in ('month', 'top_of_month')
    union all
    select
        'tenth' as topic,
        lpad(part_id, 2, '0') as sorted_by,
        'tenth ' || part_id || ' of 10' as label,
        counted_text as value_text,
        null as note,
    from tested
    where part = 'tenth'
    union all
    select
        'group' as topic,
        part || part_id as sorted_by,
        case part
            when 'sex' then 'Sex: ' || part_id
            when 'language' then 'Language: ' || part_id
            else
                'Age at intake: '
                || replace(replace(replace(part_id, 'under_', 'under '), 'over_', 'over '), '_', '–')
        end as label,
        case when n_dropouts < subgroup_dropouts then 'cannot be assessed' else counted_text end as value_text,
        case when n_dropouts < subgroup_dropouts then 'fewer than ' || subgroup_dropouts || ' dropouts' end as note,
    from tested
    where part in ('sex', 'age_band', 'language')
)

select
    topic::varchar as topic,
    row_number() over (partition by topic order by sorted_by, label)::integer as line_order,
    label::varchar as label,
    value_text::varchar as value_text,
    nullif(note, '')::varchar as note,
from line
