-- Attended session with the alliance rated at the session before it: what the within-patient
-- association of alliance and the next session's symptoms is fitted on.
--
-- Each part is told as its distance from the course's own mean over these sessions, so that what
-- makes patients differ from each other is out of it.
--
-- grain:   session_id, alliance_instrument_id, outcome_instrument_id
-- inputs:  ref.instrument, score.alliance_rating, score.end_state, score.session_score
-- columns: session_id VARCHAR            session the symptoms are of
--          alliance_instrument_id VARCHAR alliance questionnaire rated by the patient
--          outcome_instrument_id VARCHAR symptom or well-being questionnaire
--          episode_id VARCHAR            course
--          therapist_id VARCHAR          therapist the course is attributed to; NULL not known
--          symptom DECIMAL(18,6)         symptoms at the session, worse above zero
--          symptom_before DECIMAL(18,6)  symptoms at the session before
--          alliance_before DECIMAL(18,6) alliance at the session before
--          log_session DECIMAL(18,6)     logarithm of the session's ordinal
-- version: 1
with pair as (
    select
        now.session_id,
        now.episode_id,
        alliance.instrument_id as alliance_instrument_id,
        now.instrument_id as outcome_instrument_id,
        -instrument.direction * now.value as symptom,
        -instrument.direction * before.value as symptom_before,
        alliance_instrument.direction * alliance.value as alliance_before,
        round(ln(now.session_no), 6)::decimal(12, 6) as log_session,
    from score.session_score as now
    join score.session_score as before
        on
            now.episode_id = before.episode_id
            and now.instrument_id = before.instrument_id
            and now.session_no = before.session_no + 1
    join score.alliance_rating as alliance on before.session_id = alliance.session_id
    join ref.instrument as instrument on now.instrument_id = instrument.instrument_id
    join
        ref.instrument as alliance_instrument
        on alliance.instrument_id = alliance_instrument.instrument_id
    where instrument.kind <> 'alliance'
),

centred as (
    select
        *,
        sum(symptom) over course as symptom_sum,
        sum(symptom_before) over course as symptom_before_sum,
        sum(alliance_before) over course as alliance_before_sum,
        sum(log_session) over course as log_session_sum,
        count(*) over course as n,
    from pair
    window course as (partition by episode_id, alliance_instrument_id, outcome_instrument_id)
)

select
    centred.session_id::varchar as session_id,
    centred.alliance_instrument_id::varchar as alliance_instrument_id,
    centred.outcome_instrument_id::varchar as outcome_instrument_id,
    centred.episode_id::varchar as episode_id,
    end_state.therapist_id::varchar as therapist_id,
    round(centred.symptom - centred.symptom_sum::double / centred.n, 6)::decimal(18, 6) as symptom,
    round(
        centred.symptom_before - centred.symptom_before_sum::double / centred.n, 6
    )::decimal(18, 6) as symptom_before,
    round(
        centred.alliance_before - centred.alliance_before_sum::double / centred.n, 6
    )::decimal(18, 6) as alliance_before,
    round(centred.log_session - centred.log_session_sum::double / centred.n, 6)::decimal(18, 6)
        as log_session,
from centred
join score.end_state as end_state on centred.episode_id = end_state.episode_id
-- one session alone has no distance from its own mean
where centred.n >= 2
