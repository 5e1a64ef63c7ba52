-- Clinic that exports appointments: its sessions are not derived from forms.
--
-- grain:   clinic_id
-- inputs:  valid.session
-- columns: clinic_id VARCHAR  clinic
-- version: 1
select distinct clinic_id::varchar as clinic_id,
from valid.session
