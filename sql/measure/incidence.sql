-- Cumulative incidence of each way of ending, by the number of attended sessions.
--
-- Aalen and Johansen's estimator in discrete time: the share of the group whose last session so far
-- ended in this way, others ends competing with it and open courses counting as long as they are
-- followed. Variance by the delta method (Dinse & Larson 1986); interval on the scale of
-- log(-log), which stays between 0 and 1.
--
-- grain:   group_kind, group_id, cause, session_no
-- inputs:  measure.ending_count, ref.setting
-- columns: group_kind VARCHAR        service, clinic or early_alliance
--          group_id VARCHAR          service, the clinic's id, or the third of the first ratings
--          cause VARCHAR             dropout, planned, other, unknown; stopped: dropout or unknown
--          session_no INTEGER        attended sessions
--          landmark_session INTEGER  session from which on the group is followed
--          n_followed INTEGER        courses at risk at that first session
--          n_at_risk INTEGER         courses whose session of this number counts
--          n_events INTEGER          of these, the last one, ended in this way
--          staying DECIMAL(18,9)     share that goes on after this session
--          incidence DECIMAL(18,9)   share that ended in this way by this session
--          standard_error DECIMAL(18,9)  of that share
--          low DECIMAL(18,9)         lower end of the 95 % interval; NULL where nobody, or everybody,
--                                    ended in this way
--          high DECIMAL(18,9)        upper end of it
-- version: 1
with setting as (
    select max(value) filter (where name = 'z_95')::double as z,
    from ref.setting
),

staying as (
    select
        group_kind,
        group_id,
        cause,
        session_no,
        landmark_session,
        n_at_risk::double as n,
        n_ended::double as n_ended,
        n_events::double as d,
        product((n_at_risk - n_ended)::double / n_at_risk) over (
            partition by group_kind, group_id, cause
            order by session_no
            rows between unbounded preceding and current row
        ) as staying,
        max(n_at_risk) over (partition by group_kind, group_id, cause) as n_followed,
    from measure.ending_count
),

step as (
    select
        *,
        coalesce(
            lag(staying) over (partition by group_kind, group_id, cause order by session_no), 1
        ) as staying_before,
    from staying
),

curve as (
    select
        *,
        sum((staying_before * d / n)::decimal(38, 18)) over (
            partition by group_kind, group_id, cause
            order by session_no
            rows between unbounded preceding and current row
        )::double as incidence,
    from step
),

variance as (
    -- after a session that nobody survives there is nothing left to vary
    select
        later.group_kind,
        later.group_id,
        later.cause,
        later.session_no,
        sum((
            coalesce(
                (later.incidence - earlier.incidence) * (later.incidence - earlier.incidence)
                * earlier.n_ended / nullif(earlier.n * (earlier.n - earlier.n_ended), 0), 0
            )
            + earlier.staying_before * earlier.staying_before
            * earlier.d * (earlier.n - earlier.d) / (earlier.n * earlier.n * earlier.n)
            - 2 * (later.incidence - earlier.incidence) * earlier.staying_before
            * earlier.d / (earlier.n * earlier.n)
        )::decimal(38, 18)) as variance,
    from curve as later
    join curve as earlier
        on
            later.group_kind = earlier.group_kind
            and later.group_id = earlier.group_id
            and later.cause = earlier.cause
            and later.session_no >= earlier.session_no
    group by later.group_kind, later.group_id, later.cause, later.session_no
),

estimate as (
    select
        curve.*,
        sqrt(case when variance.variance > 0 then variance.variance::double else 0 end)
            as standard_error,
        case
            when curve.incidence > 0 and curve.incidence < 1
                then curve.incidence::double
        end as share,
        setting.z,
    from curve
    join variance
        on
            curve.group_kind = variance.group_kind
            and curve.group_id = variance.group_id
            and curve.cause = variance.cause
            and curve.session_no = variance.session_no
    cross join setting
)

select
    group_kind::varchar as group_kind,
    group_id::varchar as group_id,
    cause::varchar as cause,
    session_no::integer as session_no,
    landmark_session::integer as landmark_session,
    n_followed::integer as n_followed,
    n::integer as n_at_risk,
    d::integer as n_events,
    round(staying, 9)::decimal(18, 9) as staying,
    round(incidence, 9)::decimal(18, 9) as incidence,
    round(standard_error, 9)::decimal(18, 9) as standard_error,
    round(pow(share, exp(-z * standard_error / (share * ln(share)))), 9)::decimal(18, 9) as low,
    round(pow(share, exp(z * standard_error / (share * ln(share)))), 9)::decimal(18, 9) as high,
from estimate
