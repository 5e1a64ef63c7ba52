-- Whether the model's chances may be shown at all, month by month, and if not why.
--
-- Calibration must lie inside its limits with its whole 95 % interval, on enough dropouts that the
-- model had not seen. What passed stays as long as its estimates, if not their intervals, do: a model
-- on the edge would otherwise come and go. What fell out comes back when it has passed in two months
-- that follow each other. A month without a test is one outside.
--
-- grain:   month
-- inputs:  model.calibration, model.fit, ref.setting
-- columns: month VARCHAR            month of the test
--          n INTEGER                sessions tested
--          n_dropouts INTEGER       of these, dropouts
--          intercept DOUBLE         calibration in the large; NULL not tested
--          intercept_error DOUBLE   its standard error
--          slope DOUBLE             calibration slope
--          slope_error DOUBLE       its standard error
--          is_passed BOOLEAN        inside all limits, intervals included
--          is_shown BOOLEAN         passed, or passed before and still inside with its estimates; once
--                                   outside, passed twice in a row
--          why_not VARCHAR          why it is not shown; NULL shown
-- version: 2
with setting as (
    select
        max(value) filter (where name = 'z_95')::double as z,
        max(value) filter (where name = 'gate_dropouts')::integer as dropouts,
        max(value) filter (where name = 'gate_slope_least')::double as slope_least,
        max(value) filter (where name = 'gate_slope_most')::double as slope_most,
        max(value) filter (where name = 'gate_intercept_most')::double as intercept_most,
    from ref.setting
),

in_use as (
    select max(why_not) as why_not,
    from model.fit
    where model_id = 'last_session/dropout'
),

judged as (
    select
        calibration.*,
        in_use.why_not as why_not_in_use,
        setting.dropouts,
        coalesce(calibration.n_dropouts >= setting.dropouts, false) as is_enough,
        coalesce(
            calibration.slope between setting.slope_least and setting.slope_most
            and abs(calibration.intercept) < setting.intercept_most, false
        ) as is_inside,
        coalesce(
            calibration.slope - setting.z * calibration.slope_error >= setting.slope_least
            and calibration.slope + setting.z * calibration.slope_error <= setting.slope_most
            and abs(calibration.intercept) + setting.z * calibration.intercept_error
            < setting.intercept_most, false
        ) as is_surely_inside,
    from model.calibration as calibration
    cross join setting
    cross join in_use
),

passed as (
    select
        *,
        why_not_in_use is null and is_enough and is_surely_inside as is_passed,
        strptime(month, '%Y-%m')::date
        = strptime(lag(month) over (order by month), '%Y-%m')::date + interval 1 month as follows,
    from judged
),

entered as (
    select
        *,
        -- at the first pass of all, and later at the second in a row
        is_passed
        and (
            count(*) filter (where is_passed) over up_to_now = 1
            or (follows and lag(is_passed) over (order by month))
        ) as is_entry,
        count(*) filter (where not (is_enough and is_inside) or not follows) over up_to_now
            as n_outside,
    from passed
    window up_to_now as (order by month rows between unbounded preceding and current row)
),

standing as (
    select
        *,
        -- everything since the month it came in must have stayed inside
        coalesce(
            n_outside = max(n_outside) filter (where is_entry) over up_to_now
            and is_enough and is_inside and why_not_in_use is null, false
        ) as is_shown,
    from entered
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
    is_shown::boolean as is_shown,
    case
        when is_shown then null
        when why_not_in_use is not null then why_not_in_use
        when why_not is not null then why_not
        when not is_enough
            then
                'tested on ' || n_dropouts || ' dropouts only; ' || dropouts || ' are needed to judge it'
        when is_passed then 'its chances were right again; the next month''s test must say so too'
        when not is_inside then 'its chances were too high or too low on new sessions'
        else 'its chances may be too high or too low on new sessions: the test leaves both open'
    end::varchar as why_not,
from standing
