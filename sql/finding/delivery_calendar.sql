-- Clinic against its delivery calendar: which deliveries were due and did not come.
--
-- A file that came after the night of the delivery before counts for a delivery, early or late. Files
-- that were refused or held do not count, a file that came again unchanged does. Days whose deliveries
-- are due by the same night are one.
--
-- grain:   clinic_id
-- inputs:  landed.arrival, ref.clinic, ref.delivery_due
-- columns: clinic_id VARCHAR      clinic
--          last_due_on DATE       newest day due by the night; NULL it has no calendar, or none is due yet
--          n_due INTEGER          deliveries due; NULL likewise
--          n_missed INTEGER       of these, since the last that came; NULL likewise
--          missed_since DATE      day of the oldest of these; NULL none
-- version: 1
with due as (
    select
        clinic_id,
        night,
        min(due_on) as due_on,
        lag(night, 1, date '0001-01-01') over (partition by clinic_id order by night) as night_before,
    from ref.delivery_due
    where night <= getvariable('as_of')::date
    group by clinic_id, night
),

came as (
    select
        clinic_id,
        max(as_of) as last_night,
    from landed.arrival
    where outcome in ('new', 'unchanged', 'released')
    group by clinic_id
),

judged as (
    select
        due.clinic_id,
        due.due_on,
        coalesce(due.night_before >= came.last_night, true) as is_missed,
    from due
    left join came on due.clinic_id = came.clinic_id
)

select
    clinic.clinic_id::varchar as clinic_id,
    max(judged.due_on)::date as last_due_on,
    nullif(count(judged.due_on), 0)::integer as n_due,
    case when count(judged.due_on) > 0 then count(*) filter (where judged.is_missed) end::integer as n_missed,
    min(judged.due_on) filter (where judged.is_missed)::date as missed_since,
from ref.clinic as clinic
left join judged on clinic.clinic_id = judged.clinic_id
group by clinic.clinic_id
