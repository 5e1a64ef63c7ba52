-- How much higher patients rate the alliance than their therapists, where both answer the same items.
--
-- grain:   clinic_id, therapist_id?, period_id, instrument_id
-- inputs:  ref.period, score.dyad
-- columns: clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist the course is attributed to; NULL not known
--          period_id VARCHAR      period of the last session rated by both
--          instrument_id VARCHAR  the patient's form
--          n INTEGER              courses with at least five sessions rated by both
--          sum_x DECIMAL(38,6)    sum over courses
--          sum_xx DECIMAL(38,6)   sum of squares over courses
--          n_eligible INTEGER     courses with at least one session rated by both
-- version: 1
-- label:   Patient's rating less the therapist's, in points of 100
-- section: alliance
-- order:   260
-- kind:    mean
-- numerator: sum over courses of the mean of patient minus therapist, both from 0 to 100
-- denominator: courses with at least {dyad_min_pairs} sessions rated by both on forms that ask the same items
-- minimum: 8
-- better:  neither
-- why:     Patients usually rate higher. The distance is something to talk about, not a target: closer
--          is not better, and pairs that see eye to eye on the course of things may differ in level.
-- source:  Tryon, Collins Blackwell & Felleman Hammel 2007, Psychother Res 17:629-642 (patients higher
--          by .63 standard deviations); Atzil-Slonim et al. 2015, J Consult Clin Psychol
select
    dyad.clinic_id::varchar as clinic_id,
    dyad.therapist_id::varchar as therapist_id,
    period.period_id::varchar as period_id,
    dyad.patient_instrument_id::varchar as instrument_id,
    count(dyad.discrepancy)::integer as n,
    sum(round(dyad.discrepancy, 6)::decimal(12, 6))::decimal(38, 6) as sum_x,
    sum(
        round(dyad.discrepancy, 6)::decimal(12, 6) * round(dyad.discrepancy, 6)::decimal(12, 6)
    )::decimal(38, 6) as sum_xx,
    count(*)::integer as n_eligible,
from score.dyad as dyad
join ref.period as period on dyad.last_on between period.period_start and period.period_end
where dyad.is_parallel
group by all
