-- The patient's view of the alliance at one attended session: the rating, or that it is missing,
-- and what was known by the end of the session.
--
-- A form that should have come and did not is a sign of its own: those about to leave hand in fewer.
--
-- grain:   session_id, instrument_id
-- inputs:  ref.instrument, ref.reliable_change, ref.scale, ref.setting, score.alliance_rating,
--          score.clinic_horizon, score.course_appointment, score.expected_form, score.protocol,
--          valid.session
-- columns: session_id VARCHAR           attended session
--          instrument_id VARCHAR        alliance questionnaire rated by the patient
--          clinic_id VARCHAR            clinic
--          episode_id VARCHAR           course
--          session_no INTEGER           ordinal of the session in the course
--          session_on DATE              day of the session
--          is_interpreted BOOLEAN       whether an interpreter took part; NULL not recorded
--          value DECIMAL(12,6)          rating; NULL none
--          is_expected BOOLEAN          whether the protocol asks for the form at this session
--          is_missing BOOLEAN           whether it was expected, could have come by now, and did not
--          is_at_ceiling BOOLEAN        whether the rating is the best one possible; NULL no rating
--          n_before INTEGER             ratings before this session
--          own_mean DOUBLE              baseline before this rating; NULL no rating or no baseline
--          within_sd DOUBLE             usual spread within courses; NULL no rating or not known
--          deviation DOUBLE             rating minus baseline, as on paper
--          z DOUBLE                     in standard errors of a single new rating
--          is_eligible BOOLEAN          whether a rupture could be seen at this session
--          is_onset BOOLEAN             whether a rupture begins here
--          is_open BOOLEAN              whether a rupture is open at the end of the session
--          expanding_mean DOUBLE        mean of all ratings up to and with this session
--          drop_since_last DECIMAL(12,6) fall since the rating before, worse above zero; NULL none
--          is_any_drop BOOLEAN          whether it fell by a point of the item sum or more
--          is_reliable_drop BOOLEAN     whether it fell by the reliable change of the instrument
-- version: 1
-- patient: episode_id
-- ages:    is_expected and value is null and not is_missing
with setting as (
    select max(value) filter (where name = 'attach_after_days') as days_allowed,
    from ref.setting
),

change as (
    select
        scale.instrument_id,
        scale.range_min,
        scale.range_max,
        scale.factor / case scale.method when 'mean' then scale.n_items else 1 end as one_point,
        change.op,
        change.value,
    from ref.scale as scale
    left join ref.reliable_change as change
        on
            scale.instrument_id = change.instrument_id
            and scale.scale = change.scale
            and change.is_default
    where scale.is_primary
),

seen as (
    select
        session.session_id,
        session.clinic_id,
        session.episode_id,
        session.session_no,
        session.session_on,
        protocol.instrument_id,
        instrument.direction,
        expected.session_id is not null as is_expected,
        coalesce(clinic.horizon, getvariable('as_of')::date) as horizon,
    from score.course_appointment as session
    join score.protocol as protocol on session.clinic_id = protocol.clinic_id
    join ref.instrument as instrument on protocol.instrument_id = instrument.instrument_id
    left join score.expected_form as expected
        on
            session.session_id = expected.session_id
            and protocol.instrument_id = expected.instrument_id
    left join score.clinic_horizon as clinic on session.clinic_id = clinic.clinic_id
    where
        session.status = 'attended'
        and instrument.kind = 'alliance'
        and instrument.respondent = 'patient'
),

placed as (
    select
        seen.*,
        rating.rating_no,
        rating.value,
        rating.baseline,
        rating.within_sd,
        rating.z,
        rating.is_eligible,
        rating.is_onset,
        rating.is_open,
        count(rating.value) over before_it as n_before,
        sum(rating.value) over up_to_it as total,
        count(rating.value) over up_to_it as n,
        -- a session without rating ends as the last rating left it
        arg_max(rating.is_open, rating.rating_no) over up_to_it as carried_open,
        arg_max(rating.value, rating.rating_no) over before_it as last_value,
    from seen
    left join score.alliance_rating as rating
        on seen.session_id = rating.session_id and seen.instrument_id = rating.instrument_id
    window
        before_it as (
            partition by seen.episode_id, seen.instrument_id
            order by seen.session_no, seen.session_id
            rows between unbounded preceding and 1 preceding
        ),
        up_to_it as (
            partition by seen.episode_id, seen.instrument_id
            order by seen.session_no, seen.session_id
            rows between unbounded preceding and current row
        )
),

compared as (
    select
        placed.*,
        interpreted.interpreter,
        change.range_max,
        change.range_min,
        change.one_point,
        change.op,
        change.value as reliable,
        placed.direction * (placed.last_value - placed.value) as fall,
    from placed
    join change on placed.instrument_id = change.instrument_id
    left join valid.session as interpreted on placed.session_id = interpreted.session_id
)

select
    compared.session_id::varchar as session_id,
    compared.instrument_id::varchar as instrument_id,
    compared.clinic_id::varchar as clinic_id,
    compared.episode_id::varchar as episode_id,
    compared.session_no::integer as session_no,
    compared.session_on::date as session_on,
    (compared.interpreter = 'yes')::boolean as is_interpreted,
    compared.value::decimal(12, 6) as value,
    compared.is_expected::boolean as is_expected,
    (
        compared.is_expected
        and compared.value is null
        and compared.horizon - compared.session_on > setting.days_allowed
    )::boolean as is_missing,
    (
        compared.value
        = case compared.direction when 1 then compared.range_max else compared.range_min end
    )::boolean as is_at_ceiling,
    compared.n_before::integer as n_before,
    compared.baseline::double as own_mean,
    compared.within_sd::double as within_sd,
    (compared.value::double - compared.baseline)::double as deviation,
    compared.z::double as z,
    coalesce(compared.is_eligible, false)::boolean as is_eligible,
    coalesce(compared.is_onset, false)::boolean as is_onset,
    coalesce(compared.carried_open, false)::boolean as is_open,
    case when compared.n > 0 then compared.total::double / compared.n end::double as expanding_mean,
    compared.fall::decimal(12, 6) as drop_since_last,
    -- a twelfth of a point is stored as .083333
    (round(compared.fall / compared.one_point, 3) >= 1)::boolean as is_any_drop,
    case compared.op
        when '>=' then compared.fall >= compared.reliable
        when '>' then compared.fall > compared.reliable
    end::boolean as is_reliable_drop,
from compared
cross join setting
