-- Sessions at which a rupture of the alliance begins, of those at which one could be seen.
--
-- grain:   clinic_id, therapist_id?, period_id, instrument_id
-- inputs:  ref.period, score.alliance_rating, score.course_appointment, score.end_state
-- columns: clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist of the session; NULL not known
--          period_id VARCHAR      period the session lies in
--          instrument_id VARCHAR  alliance questionnaire rated by the patient
--          n INTEGER              rated sessions at which a rupture could be seen
--          numerator INTEGER      of these, at which one begins
--          n_eligible INTEGER     the same as n
-- version: 1
-- label:   Ruptures begun
-- section: alliance
-- order:   230
-- kind:    rate
-- numerator: sessions whose rating lies more than two usual spreads (widened for the few ratings it
--          is compared with) below the mean of the patient's own earlier ratings
-- denominator: rated sessions with at least two earlier ratings and no rupture open
-- minimum: 50
-- better:  neither
-- why:     A drop that is seen can be spoken about. More ruptures seen is not worse work: whoever
--          asks at every session sees more of them. About two in a hundred are chance.
-- source:  after the control charts of Eubanks-Carter, Gorman & Muran 2012, Psychother Res
--          22:541-554; the rule's numbers are Rapport's own
select
    end_state.clinic_id::varchar as clinic_id,
    coalesce(session.therapist_id, end_state.therapist_id)::varchar as therapist_id,
    period.period_id::varchar as period_id,
    rating.instrument_id::varchar as instrument_id,
    count(*)::integer as n,
    count(*) filter (where rating.is_onset)::integer as numerator,
    count(*)::integer as n_eligible,
from score.alliance_rating as rating
join score.course_appointment as session on rating.session_id = session.session_id
join score.end_state as end_state on rating.episode_id = end_state.episode_id
join ref.period as period on rating.session_on between period.period_start and period.period_end
where rating.is_eligible
group by all
