-- Day up to which one clinic's exports speak, no later than the night: nothing decided by elapsed
-- time looks past it.
--
-- grain:   clinic_id
-- inputs:  valid.clinic
-- columns: clinic_id VARCHAR  clinic whose exports name a day
--          horizon DATE       latest day they speak about
-- version: 1
select
    clinic_id::varchar as clinic_id,
    least(getvariable('as_of')::date, data_through)::date as horizon,
from valid.clinic
where data_through is not null
