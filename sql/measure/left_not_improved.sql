-- Courses that the patient ended without agreement, not reliably improved.
--
-- As for early endings; those who left without a last score, and endings without a reason, open the
-- bounds.
--
-- grain:   clinic_id, therapist_id?, period_id
-- inputs:  score.finished_course
-- columns: clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist the course is attributed to; NULL not known
--          period_id VARCHAR      period the course ended in
--          n INTEGER              courses ended without agreement or as planned
--          numerator INTEGER      of these, without agreement and not reliably improved
--          n_eligible INTEGER     these and the courses ended without a recorded reason
--          n_known INTEGER        ended as planned, or without agreement and with both scores
--          numerator_low INTEGER  the numerator, if no unknown course belongs to it
--          numerator_high INTEGER the numerator, if every unknown course does
-- version: 1
-- label:   Left early, not reliably improved
-- section: index
-- order:   450
-- kind:    rate
-- numerator: courses recorded as dropout or silent beyond the gap rule, whose last score is not
--          reliably improved against the first
-- denominator: courses ended without agreement or as planned; those who left without a last score
--          stay in and open the bounds; shown only where four of five endings carry a reason
-- minimum: 5
-- better:  lower
-- levels:  service, clinic
-- where:   used
-- why:     Leaving after getting better and leaving without are two things; the early-ending rate
--          holds both.
-- source:  International Center for Clinical Excellence, outcome indices of its reports for the ORS
--          (dropout with and without effect); the reliable change is each questionnaire's own
select
    clinic_id::varchar as clinic_id,
    therapist_id::varchar as therapist_id,
    period_id::varchar as period_id,
    count(*) filter (where state in ('dropout', 'completed'))::integer as n,
    count(*) filter (
        where state = 'dropout' and category in ('no_reliable_change', 'deteriorated')
    )::integer as numerator,
    count(*)::integer as n_eligible,
    count(*) filter (
        where state = 'completed' or (state = 'dropout' and category <> 'unpaired')
    )::integer as n_known,
    count(*) filter (
        where state = 'dropout' and category in ('no_reliable_change', 'deteriorated')
    )::integer as numerator_low,
    count(*) filter (
        where
        (state = 'dropout' and (category in ('no_reliable_change', 'deteriorated') or category = 'unpaired'))
        or state = 'ended_unknown'
    )::integer as numerator_high,
from score.finished_course
where state in ('dropout', 'completed', 'ended_unknown')
group by clinic_id, therapist_id, period_id
