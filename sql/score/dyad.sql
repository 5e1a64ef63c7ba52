-- How patient and therapist rate the same sessions of one course: whether their ratings move
-- together, who rates higher, and whether they come closer. Descriptive: no value is the right one.
--
-- Ratings are brought to 0-100 of each form's range. Levels are compared only where both forms ask
-- the same items; else only how the ratings move. With too few sessions rated by both, or ratings
-- that never move, there is no value and a reason.
--
-- grain:   episode_id, patient_instrument_id, therapist_instrument_id
-- inputs:  ref.counterpart, ref.instrument, ref.scale, ref.setting, score.end_state,
--          score.session_score
-- columns: episode_id VARCHAR              course
--          patient_instrument_id VARCHAR   the patient's form
--          therapist_instrument_id VARCHAR the therapist's form
--          clinic_id VARCHAR               clinic
--          therapist_id VARCHAR            therapist the course is attributed to; NULL not known
--          n_pairs INTEGER                 sessions rated by both
--          last_on DATE                    day of the last of them
--          is_parallel BOOLEAN             whether both forms ask the same items
--          discrepancy DOUBLE              mean of patient minus therapist, in points of 100; NULL
--                                          unless parallel
--          convergence DOUBLE              change of the distance between them per session, below
--                                          zero closer; NULL unless parallel
--          congruence DOUBLE               correlation over sessions, each around its own mean
--          fisher_z DOUBLE                 its Fisher z; NULL where all points lie on a line
--          tracking DOUBLE                 points the therapist moves for one of the patient's, at
--                                          the same session number
--          why_not VARCHAR                 why there is no congruence; NULL where there is
-- version: 1
-- patient: episode_id
with setting as (
    select max(value) filter (where name = 'dyad_min_pairs') as min_pairs,
    from ref.setting
),

hundred as (
    -- four decimals, so that the sums below are exact
    select
        score.session_id,
        score.episode_id,
        score.instrument_id,
        score.session_no,
        score.session_on,
        round(
            case instrument.direction
                when 1 then score.value - scale.range_min
                else scale.range_max - score.value
            end * 100 / (scale.range_max - scale.range_min),
            4
        )::decimal(9, 4) as rating,
    from score.session_score as score
    join ref.instrument as instrument on score.instrument_id = instrument.instrument_id
    join ref.scale as scale on score.instrument_id = scale.instrument_id and scale.is_primary
    where instrument.kind = 'alliance'
),

pair as (
    select
        patient.episode_id,
        counterpart.patient_instrument_id,
        counterpart.therapist_instrument_id,
        counterpart.is_parallel,
        patient.session_no as s,
        patient.session_on,
        patient.rating as p,
        therapist.rating as t,
        abs(patient.rating - therapist.rating) as d,
    from ref.counterpart as counterpart
    join hundred as patient on counterpart.patient_instrument_id = patient.instrument_id
    join hundred as therapist
        on
            counterpart.therapist_instrument_id = therapist.instrument_id
            and patient.session_id = therapist.session_id
),

summed as (
    select
        episode_id,
        patient_instrument_id,
        therapist_instrument_id,
        is_parallel,
        count(*) as n,
        max(session_on) as last_on,
        sum(p - t) as p_less_t,
        -- n times the sums of squares and products about the means
        (count(*) * sum(s * s) - sum(s) * sum(s))::double as ss,
        (count(*) * sum(p * p) - sum(p) * sum(p))::double as pp,
        (count(*) * sum(t * t) - sum(t) * sum(t))::double as tt,
        (count(*) * sum(p * t) - sum(p) * sum(t))::double as pt,
        (count(*) * sum(s * p) - sum(s) * sum(p))::double as sp,
        (count(*) * sum(s * t) - sum(s) * sum(t))::double as st,
        (count(*) * sum(s * d) - sum(s) * sum(d))::double as sd,
    from pair
    group by episode_id, patient_instrument_id, therapist_instrument_id, is_parallel
),

judged as (
    select
        summed.*,
        case
            when summed.n < setting.min_pairs then 'too few sessions rated by both'
            when summed.pp = 0 then 'the patient''s ratings never move'
            when summed.tt = 0 then 'the therapist''s ratings never move'
        end as why_not,
        summed.n >= setting.min_pairs and summed.is_parallel as is_comparable,
        -- what the session number leaves of the patient's movement
        summed.pp * summed.ss - summed.sp * summed.sp as pp_given_s,
    from summed
    cross join setting
)

select
    judged.episode_id::varchar as episode_id,
    judged.patient_instrument_id::varchar as patient_instrument_id,
    judged.therapist_instrument_id::varchar as therapist_instrument_id,
    end_state.clinic_id::varchar as clinic_id,
    end_state.therapist_id::varchar as therapist_id,
    judged.n::integer as n_pairs,
    judged.last_on::date as last_on,
    judged.is_parallel::boolean as is_parallel,
    case when judged.is_comparable then judged.p_less_t::double / judged.n end::double
        as discrepancy,
    case when judged.is_comparable then judged.sd / judged.ss end::double as convergence,
    case when judged.why_not is null then judged.pt / sqrt(judged.pp * judged.tt) end::double
        as congruence,
    case
        when judged.why_not is null and judged.pt * judged.pt < judged.pp * judged.tt
            then atanh(judged.pt / sqrt(judged.pp * judged.tt))
    end::double as fisher_z,
    case
        when judged.why_not is null and judged.pp_given_s > 0
            then (judged.pt * judged.ss - judged.sp * judged.st) / judged.pp_given_s
    end::double as tracking,
    judged.why_not::varchar as why_not,
from judged
join score.end_state as end_state on judged.episode_id = end_state.episode_id
