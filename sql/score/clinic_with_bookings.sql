-- Clinic that exports appointments to come: that none is booked can be known of it alone.
--
-- grain:   clinic_id
-- inputs:  valid.session
-- columns: clinic_id VARCHAR  clinic
-- version: 1
select distinct clinic_id::varchar as clinic_id,
from valid.session
where status = 'booked'
