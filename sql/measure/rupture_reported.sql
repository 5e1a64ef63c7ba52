-- Forms on which a rupture of the alliance was reported, of those that ask about it.
--
-- grain:   clinic_id, therapist_id?, period_id, instrument_id
-- inputs:  ref.period, score.rupture_report
-- columns: clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist of the session; NULL not known
--          period_id VARCHAR      period the form was filled in
--          instrument_id VARCHAR  questionnaire that asks
--          n INTEGER              forms with an answer
--          numerator INTEGER      of these, with a rupture reported
--          n_eligible INTEGER     forms that ask, answered or not
-- version: 1
-- label:   Ruptures reported
-- section: alliance
-- order:   228
-- kind:    rate
-- where:   used
-- numerator: forms on which the item about a rupture reaches its threshold
-- denominator: forms on which that item was answered
-- minimum: 50
-- better:  neither
-- why:     Ruptures that are reported can be spoken about; more reports may be more openness.
-- source:  Rubel, Zilcha-Mano, Feils-Klaus & Lutz 2018, J Consult Clin Psychol 86:404-414: reported
--          ruptures went before a weaker alliance and more symptoms at the next session
select
    report.clinic_id::varchar as clinic_id,
    report.therapist_id::varchar as therapist_id,
    period.period_id::varchar as period_id,
    report.instrument_id::varchar as instrument_id,
    count(report.is_reported)::integer as n,
    count(*) filter (where report.is_reported)::integer as numerator,
    count(*)::integer as n_eligible,
from score.rupture_report as report
join ref.period as period on report.answered_on between period.period_start and period.period_end
group by all
