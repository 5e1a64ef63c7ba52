-- Ruptures of the alliance that were repaired within three later ratings, of those whose end is
-- known.
--
-- Ruptures still open, cut short by a planned end or by an ending that says nothing of the alliance
-- are not counted; they open the bounds.
--
-- grain:   clinic_id, therapist_id?, period_id, instrument_id
-- inputs:  ref.period, score.rupture
-- columns: clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist of the session it began in; NULL not known
--          period_id VARCHAR      period it began in
--          instrument_id VARCHAR  alliance questionnaire rated by the patient
--          n INTEGER              ruptures repaired, unrepaired, or ended by the patient's leaving
--          numerator INTEGER      of these, repaired
--          n_eligible INTEGER     all ruptures that began
--          numerator_low INTEGER  repaired, if none of the undecided was
--          numerator_high INTEGER repaired, if all of the undecided were
-- version: 1
-- label:   Ruptures repaired
-- section: alliance
-- order:   240
-- kind:    rate
-- numerator: ruptures after which one of the next {repair_window} ratings came back to within {repair_sd} usual spreads
--          of the mean before
-- denominator: ruptures that were repaired, had {repair_window} later ratings without repair, or ended with the
--          patient leaving
-- minimum: 8
-- better:  higher
-- why:     Ruptures that are repaired go with better outcomes than ruptures that are not.
-- source:  Safran, Muran & Eubanks-Carter 2011, doi 10.1037/a0022140 (three studies, 148 patients);
--          the window is Rapport's own
select
    rupture.clinic_id::varchar as clinic_id,
    rupture.therapist_id::varchar as therapist_id,
    period.period_id::varchar as period_id,
    rupture.instrument_id::varchar as instrument_id,
    count(*) filter (
        where rupture.state in ('repaired', 'unrepaired', 'ended_in_rupture')
    )::integer as n,
    count(*) filter (where rupture.state = 'repaired')::integer as numerator,
    count(*)::integer as n_eligible,
    count(*) filter (where rupture.state = 'repaired')::integer as numerator_low,
    count(*) filter (
        where rupture.state not in ('unrepaired', 'ended_in_rupture')
    )::integer as numerator_high,
from score.rupture as rupture
join ref.period as period on rupture.onset_on between period.period_start and period.period_end
group by all
