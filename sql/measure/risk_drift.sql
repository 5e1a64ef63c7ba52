-- How far the chances that the model gives have moved since it was fitted: population stability index
-- of its newest sessions beside those of the year before.
--
-- A shift of who comes, or of what is filled in, shows here before any ending is known. Bins are the
-- tenths of the year before, half a session is added to each. Whether endings still agree with the
-- chances is what the monthly test says.
--
-- grain:   family
-- inputs:  model.person_session, model.risk, ref.setting
-- columns: family VARCHAR        last_session: the model in use
--          n_before INTEGER      sessions of the year before the newest ones
--          n_newest INTEGER      newest sessions
--          stability DOUBLE      index: 0 is no shift; NULL too few sessions on either side
--          is_shifted BOOLEAN    whether it lies above the limit
-- version: 1
-- source:  Siddiqi 2006, Credit Risk Scorecards: under 0.10 little change, above 0.25 a major shift
with setting as (
    select
        max(value) filter (where name = 'profile_recent_days')::integer as recent_days,
        max(value) filter (where name = 'profile_before_days')::integer as before_days,
        max(value) filter (where name = 'profile_rows_needed') as rows_needed,
        max(value) filter (where name = 'drift_bins')::integer as bins,
        max(value) filter (where name = 'drift_added')::double as added,
        max(value) filter (where name = 'drift_most')::double as most,
    from ref.setting
),

chance as (
    select
        risk.family,
        risk.session_id,
        risk.dropout,
        session.session_on > getvariable('as_of')::date - setting.recent_days as is_newest,
        setting.bins,
        setting.added,
    from model.risk as risk
    join model.person_session as session on risk.session_id = session.session_id
    cross join setting
    where
        risk.family = 'last_session'
        and session.session_on
        > getvariable('as_of')::date - setting.recent_days - setting.before_days
),

ranked as (
    select
        *,
        count(*) filter (where not is_newest) over (
            order by dropout
            range between unbounded preceding and current row
        ) as n_up_to,
        count(*) filter (where not is_newest) over () as n_before,
        count(*) filter (where is_newest) over () as n_newest,
    from chance
),

binned as (
    -- place among the sessions before: tenths of these, whatever the newest are like
    select
        *,
        case
            when n_up_to = 0 then 1
            else ceil(n_up_to * bins / n_before)
        end as bin,
    from ranked
    where n_before > 0
),

counted as (
    select
        family,
        bin,
        max(n_before) as n_before,
        max(n_newest) as n_newest,
        (count(*) filter (where not is_newest) + max(added)) / (max(n_before) + max(bins * added))
            as share_before,
        (count(*) filter (where is_newest) + max(added)) / (max(n_newest) + max(bins * added))
            as share_newest,
    from binned
    group by family, bin
),

summed as (
    select
        family,
        max(n_before) as n_before,
        max(n_newest) as n_newest,
        sum(((share_newest - share_before) * ln(share_newest / share_before))::decimal(38, 15))
            as stability,
    from counted
    group by family
)

select
    summed.family::varchar as family,
    summed.n_before::integer as n_before,
    summed.n_newest::integer as n_newest,
    case
        when least(summed.n_before, summed.n_newest) >= setting.rows_needed then summed.stability
    end::double as stability,
    case
        when least(summed.n_before, summed.n_newest) >= setting.rows_needed
            then summed.stability > setting.most
    end::boolean as is_shifted,
from summed
cross join setting
