-- Rupture of the alliance: where it began, how deep it was, and what became of it.
--
-- Repaired and unrepaired are what later ratings say. Where too few came: the patient left (ended in
-- rupture), treatment ended as planned (unresolved at planned end), it ended otherwise or nobody
-- knows (censored), or it goes on (open).
--
-- grain:   episode_id, instrument_id, onset_no
-- inputs:  score.alliance_rating, score.course_appointment, score.end_state
-- columns: episode_id VARCHAR      course
--          instrument_id VARCHAR   alliance questionnaire rated by the patient
--          onset_no INTEGER        ordinal of the session it began at
--          clinic_id VARCHAR       clinic
--          therapist_id VARCHAR    therapist of that session; NULL not recorded
--          onset_on DATE           day of that session
--          baseline DOUBLE         baseline it is measured from
--          value DECIMAL(12,6)     rating it began with
--          depth DOUBLE            distance from the baseline, in usual spreads within courses
--          n_later INTEGER         ratings after the onset, up to the one that closed it
--          closed_on DATE          day of the rating that closed it; NULL none did
--          state VARCHAR           repaired, unrepaired, ended_in_rupture,
--                                  unresolved_at_planned_end, censored, open
-- version: 2
-- patient: episode_id
with later as (
    -- ratings of a rupture carry its onset
    select
        episode_id,
        instrument_id,
        onset_rating_no,
        count(*) - 1 as n_later,
        max(closes) as closes,
        max(session_on) filter (where closes is not null) as closed_on,
    from score.alliance_rating
    where onset_rating_no is not null
    group by episode_id, instrument_id, onset_rating_no
),

newest as (
    select
        episode_id,
        instrument_id,
        arg_max(coalesce(onset_rating_no, 0), rating_no) as newest_onset_no,
    from score.alliance_rating
    group by episode_id, instrument_id
)

select
    onset.episode_id::varchar as episode_id,
    onset.instrument_id::varchar as instrument_id,
    onset.session_no::integer as onset_no,
    end_state.clinic_id::varchar as clinic_id,
    coalesce(session.therapist_id, end_state.therapist_id)::varchar as therapist_id,
    onset.session_on::date as onset_on,
    onset.baseline::double as baseline,
    onset.value::decimal(12, 6) as value,
    (abs(onset.value::double - onset.baseline) / onset.within_sd)::double as depth,
    later.n_later::integer as n_later,
    later.closed_on::date as closed_on,
    case
        when later.closes is not null then later.closes
        -- the newest rating is of another therapist: nobody knows what became of it
        when newest.newest_onset_no <> onset.rating_no then 'censored'
        when end_state.state in ('ongoing', 'ongoing_unknown_since') then 'open'
        when end_state.state = 'dropout' then 'ended_in_rupture'
        when end_state.state = 'completed' then 'unresolved_at_planned_end'
        else 'censored'
    end::varchar as state,
from score.alliance_rating as onset
join later
    on
        onset.episode_id = later.episode_id
        and onset.instrument_id = later.instrument_id
        and onset.rating_no = later.onset_rating_no
join newest on onset.episode_id = newest.episode_id and onset.instrument_id = newest.instrument_id
join score.course_appointment as session on onset.session_id = session.session_id
join score.end_state as end_state on onset.episode_id = end_state.episode_id
where onset.is_onset
