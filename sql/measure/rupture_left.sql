-- Ruptures of the alliance that ended with the patient leaving, of those whose end is known.
--
-- grain:   clinic_id, therapist_id?, period_id, instrument_id
-- inputs:  ref.period, score.rupture
-- columns: clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist of the session it began in; NULL not known
--          period_id VARCHAR      period it began in
--          instrument_id VARCHAR  alliance questionnaire rated by the patient
--          n INTEGER              ruptures repaired, unrepaired, or ended by the patient's leaving
--          numerator INTEGER      of these, ended by the patient's leaving
--          n_eligible INTEGER     all ruptures that began
--          numerator_low INTEGER  ended by leaving, if none of the undecided was
--          numerator_high INTEGER ended by leaving, if all of the undecided were
-- version: 2
-- label:   Ruptures that ended in leaving
-- section: alliance
-- order:   250
-- kind:    rate
-- numerator: ruptures after which the patient left, without agreement, before {repair_window} later ratings
-- denominator: ruptures that were repaired, had {repair_window} later ratings without repair, or ended with the
--          patient leaving
-- minimum: 8
-- better:  lower
-- levels:  service, clinic
-- why:     These are the patients who might have been kept by speaking about what went wrong.
-- source:  Muran et al. 2009, doi 10.1037/a0016085; the window is Rapport's own
select
    rupture.clinic_id::varchar as clinic_id,
    rupture.therapist_id::varchar as therapist_id,
    period.period_id::varchar as period_id,
    rupture.instrument_id::varchar as instrument_id,
    count(*) filter (
        where rupture.state in ('repaired', 'unrepaired', 'ended_in_rupture')
    )::integer as n,
    count(*) filter (where rupture.state = 'ended_in_rupture')::integer as numerator,
    count(*)::integer as n_eligible,
    count(*) filter (where rupture.state = 'ended_in_rupture')::integer as numerator_low,
    count(*) filter (
        where rupture.state not in ('repaired', 'unrepaired', 'unresolved_at_planned_end')
    )::integer as numerator_high,
from score.rupture as rupture
join ref.period as period on rupture.onset_on between period.period_start and period.period_end
group by all
