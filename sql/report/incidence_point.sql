-- Share of courses that had ended in one way by a number of sessions, as one point of a curve.
--
-- The service, and thirds of early alliance; clinics stand in the table of endings. Where reasons
-- are missing, nobody can tell leaving from finishing: there is one curve, of all who stopped
-- coming. A curve ends where too few are still followed.
--
-- grain:   group_kind, group_id, cause, session_no
-- inputs:  measure.incidence, model.reason_share, ref.setting
-- columns: group_kind VARCHAR   service or early_alliance
--          group_id VARCHAR     service, or the third of the first ratings
--          group_order INTEGER  order on the page
--          label VARCHAR        group in words
--          cause VARCHAR        dropout, planned or stopped
--          cause_text VARCHAR   way of ending in words
--          session_no INTEGER   attended sessions
--          share DECIMAL(9,4)   share that had ended in this way
--          low DECIMAL(9,4)     lower end of the 95 % interval; the share where there is none
--          high DECIMAL(9,4)    upper end of it
--          value_text VARCHAR   share with its interval as printed
--          n_text VARCHAR       courses still followed, as printed
-- version: 2
with setting as (
    select
        max(value) filter (where name = 'minimum_shown')::integer as minimum,
        max(value) filter (where name = 'reason_share') as reason_share,
        max(value) filter (where name = 'expected_sessions')::integer as last_session,
    from ref.setting
),

reason as (
    select
        sum(model_share.n_reason) >= max(setting.reason_share) * sum(model_share.n_ended)
            as is_enough,
    from model.reason_share as model_share
    cross join setting
),

curve as (
    select
        incidence.*,
        case incidence.group_id
            when 'service' then 0
            when 'low' then 1
            when 'middle' then 2
            when 'high' then 3
        end as group_order,
        not coalesce(reason.is_enough, true) as is_without_reasons,
    from measure.incidence as incidence
    cross join reason
    cross join setting
    where
        incidence.group_id in ('service', 'low', 'middle', 'high')
        and incidence.group_kind in ('service', 'early_alliance')
        and incidence.session_no <= setting.last_session
        and incidence.n_followed >= setting.minimum
        and incidence.n_at_risk >= setting.minimum
)

select
    group_kind::varchar as group_kind,
    group_id::varchar as group_id,
    group_order::integer as group_order,
    case group_id
        when 'low' then 'Lowest third of first ratings'
        when 'middle' then 'Middle third of first ratings'
        when 'high' then 'Highest third of first ratings'
        else 'Whole service'
    end::varchar as label,
    cause::varchar as cause,
    case cause
        when 'dropout' then 'ended early, not agreed'
        when 'planned' then 'ended as planned'
        else 'stopped coming, reason not recorded'
    end::varchar as cause_text,
    session_no::integer as session_no,
    round(incidence, 4)::decimal(9, 4) as share,
    round(coalesce(low, incidence), 4)::decimal(9, 4) as low,
    round(coalesce(high, incidence), 4)::decimal(9, 4) as high,
    (
        round(100 * incidence)::integer::varchar
        || ' %'
        || coalesce(
            ' ('
            || round(100 * low)::integer::varchar
            || ' to '
            || round(100 * high)::integer::varchar
            || ' %)',
            ''
        )
    )::varchar as value_text,
    (n_at_risk::varchar || ' of ' || n_followed::varchar)::varchar as n_text,
from curve
where cause = any(case when is_without_reasons then ['stopped'] else ['dropout', 'planned'] end)
