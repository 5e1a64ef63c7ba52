-- Course of a patient who objects to the risk of leaving being estimated.
--
-- Such courses are in no estimate, neither to learn from nor to be estimated, and on no worklist.
--
-- grain:   episode_id
-- inputs:  score.course, valid.objection
-- columns: episode_id VARCHAR  course
--          clinic_id VARCHAR   clinic
-- version: 1
select
    episode_id::varchar as episode_id,
    clinic_id::varchar as clinic_id,
from score.course
where patient_id in (select objection.patient_id, from valid.objection as objection)
