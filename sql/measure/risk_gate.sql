-- Whether the model's chances may be shown at all, month by month of the quarter, and if not why.
--
-- Calibration must lie inside its limits with its whole 95 % interval, on enough dropouts that the
-- model had not seen. What passed stays as long as its estimates, if not their intervals, do: a model
-- on the edge would otherwise come and go.
--
-- grain:   month
-- inputs:  model.coefficient, model.fit, ref.setting
-- columns: month VARCHAR            month of the test
--          n INTEGER                sessions tested
--          n_dropouts INTEGER       of these, dropouts
--          intercept DOUBLE         calibration in the large; NULL not tested
--          intercept_error DOUBLE   its standard error
--          slope DOUBLE             calibration slope
--          slope_error DOUBLE       its standard error
--          is_passed BOOLEAN        inside all limits, intervals included
--          is_shown BOOLEAN         passed, or passed before and still inside with its estimates
--          why_not VARCHAR          why it is not shown; NULL shown
-- version: 1
with setting as (
    select
        max(value) filter (where name = 'z_95')::double as z,
        max(value) filter (where name = 'gate_dropouts')::integer as dropouts,
        max(value) filter (where name = 'gate_slope_least')::double as slope_least,
        max(value) filter (where name = 'gate_slope_most')::double as slope_most,
        max(value) filter (where name = 'gate_intercept_most')::double as intercept_most,
    from ref.setting
),

tested as (
    select
        replace(split_part(fit.model_id, '/', 1), 'calibration_', '') as month,
        max(fit.n) as n,
        max(fit.n_events) as n_dropouts,
        max(fit.why_not) as why_not,
        max(coefficient.estimate) filter (where coefficient.term = 'intercept') as intercept,
        max(coefficient.standard_error) filter (where coefficient.term = 'intercept')
            as intercept_error,
        max(coefficient.estimate) filter (where coefficient.term = 'slope') as slope,
        max(coefficient.standard_error) filter (where coefficient.term = 'slope') as slope_error,
    from model.fit as fit
    left join model.coefficient as coefficient on fit.model_id = coefficient.model_id
    where starts_with(fit.model_id, 'calibration_')
    group by fit.model_id
),

in_use as (
    select max(why_not) as why_not,
    from model.fit
    where model_id = 'last_session/dropout'
),

judged as (
    select
        tested.*,
        in_use.why_not as why_not_in_use,
        setting.dropouts,
        coalesce(tested.n_dropouts >= setting.dropouts, false) as is_enough,
        coalesce(
            tested.slope between setting.slope_least and setting.slope_most
            and abs(tested.intercept) < setting.intercept_most, false
        ) as is_inside,
        coalesce(
            tested.slope - setting.z * tested.slope_error >= setting.slope_least
            and tested.slope + setting.z * tested.slope_error <= setting.slope_most
            and abs(tested.intercept) + setting.z * tested.intercept_error
            < setting.intercept_most, false
        ) as is_surely_inside,
    from tested
    cross join setting
    cross join in_use
),

passed as (
    select
        *,
        why_not_in_use is null and is_enough and is_surely_inside as is_passed,
        -- everything since the newest month that passed must have stayed inside
        count(*) filter (where not (is_enough and is_inside)) over up_to_now as n_outside,
    from judged
    window up_to_now as (order by month rows between unbounded preceding and current row)
),

standing as (
    select
        *,
        coalesce(
            n_outside = max(n_outside) filter (where is_passed) over up_to_now
            and is_enough and is_inside and why_not_in_use is null, false
        ) as has_stayed,
    from passed
    window up_to_now as (order by month rows between unbounded preceding and current row)
)

select
    month::varchar as month,
    n::integer as n,
    n_dropouts::integer as n_dropouts,
    intercept::double as intercept,
    intercept_error::double as intercept_error,
    slope::double as slope,
    slope_error::double as slope_error,
    is_passed::boolean as is_passed,
    (is_passed or has_stayed)::boolean as is_shown,
    case
        when is_passed or has_stayed then null
        when why_not_in_use is not null then why_not_in_use
        when why_not is not null then why_not
        when not is_enough
            then
                'tested on ' || n_dropouts || ' dropouts only; ' || dropouts || ' are needed to judge it'
        when not is_inside then 'its chances were too high or too low on new sessions'
        else 'its chances may be too high or too low on new sessions: the test leaves both open'
    end::varchar as why_not,
from standing
