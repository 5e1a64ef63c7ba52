-- What tonight is held against, and how much came and moved since.
--
-- grain:   as_of
-- inputs:  landed.arrival, measure.changed_row, measure.course_cause, measure.night_before,
--          ref.setting, report.changed
-- columns: as_of DATE            night
--          before DATE           night before; NULL none
--          why_not VARCHAR       why nothing is held against it; NULL it is
--          n_files INTEGER       files read since
--          n_new INTEGER         rows that came
--          n_corrected INTEGER   rows corrected, taken back, or of patients renumbered
--          n_again INTEGER       rows that other rules made otherwise
--          late_text VARCHAR     courses whose pair was completed late
--          n_moved INTEGER       figures of the service and its clinics that moved
--          n_visible INTEGER     of these, those whose printed value did
-- version: 1
with row as (
    select
        count(distinct row_id) filter (where change = 'new') as n_new,
        count(distinct row_id) filter (where change = 'corrected') as n_corrected,
        count(distinct row_id) filter (where change = 'rule') as n_again,
    from measure.changed_row
),

late as (
    select count(*) filter (where cause = 'late pair') as n,
    from measure.course_cause
),

moved as (
    select
        count(*) as n_moved,
        count(*) filter (where is_visible) as n_visible,
    from report.changed
),

arrived as (
    select count(distinct arrival.delivery_id) as n_files,
    from landed.arrival as arrival
    join measure.night_before as before on arrival.as_of > before.as_of
    where arrival.outcome in ('new', 're-read', 'released')
)

select
    getvariable('as_of')::date as as_of,
    before.as_of::date as before,
    before.why_not::varchar as why_not,
    arrived.n_files::integer as n_files,
    row.n_new::integer as n_new,
    row.n_corrected::integer as n_corrected,
    row.n_again::integer as n_again,
    case
        when late.n = 0 then '0'
        when late.n < setting.value then 'fewer than ' || setting.value::integer::varchar
        else late.n::varchar
    end::varchar as late_text,
    moved.n_moved::integer as n_moved,
    moved.n_visible::integer as n_visible,
from measure.night_before as before
cross join row
cross join late
cross join moved
cross join arrived
join ref.setting as setting on setting.name = 'minimum_shown'
