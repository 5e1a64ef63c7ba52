-- Patient's rating of the alliance in one session, held against the patient's own earlier ratings of
-- the same therapist.
--
-- An alliance is with a person: where another therapist takes over, the baseline begins anew, and a
-- rupture with the one before stays as it was left. The baseline is the mean of the course's earlier
-- ratings with this therapist that are no part of a rupture. A rating
-- far enough below it opens a rupture; a later rating near the baseline repairs it and joins the
-- baseline. After as many later ratings without repair the baseline begins anew with the rupture's
-- own ratings. While a rupture is open no other begins.
--
-- grain:   session_id, instrument_id
-- inputs:  ref.instrument, ref.setting, score.course_appointment, score.session_score,
--          score.within_sd
-- columns: session_id VARCHAR        attended session
--          instrument_id VARCHAR     alliance questionnaire rated by the patient
--          episode_id VARCHAR        course
--          session_no INTEGER        ordinal of the session in the course
--          session_on DATE           day of the session
--          rating_no INTEGER         ordinal among the course's ratings
--          value DECIMAL(12,6)       rating on the instrument's primary scale
--          n_baseline INTEGER        ratings in the baseline before this one
--          baseline DOUBLE           their mean; NULL where there is none
--          within_sd DOUBLE          usual spread within courses; NULL not known
--          z DOUBLE                  distance from the baseline in standard errors of a single new
--                                    rating, better above zero; NULL without spread or baseline
--          is_eligible BOOLEAN       whether a rupture could be seen: spread known, baseline long
--                                    enough, none open
--          is_onset BOOLEAN          whether a rupture begins here
--          onset_rating_no INTEGER   rating_no where the rupture began that is open before this
--                                    rating, or begins with it; NULL none
--          closes VARCHAR            repaired or unrepaired, where a rupture closes here; else NULL
--          is_open BOOLEAN           whether a rupture is open after this rating
-- version: 2
-- patient: episode_id
with recursive setting as (
    select
        max(value) filter (where name = 'rupture_sd') as rupture_sd,
        max(value) filter (where name = 'rupture_min_prior') as min_prior,
        max(value) filter (where name = 'repair_sd') as repair_sd,
        max(value) filter (where name = 'repair_window') as repair_window,
    from ref.setting
),

rating as materialized (
    select
        score.*,
        instrument.direction,
        instrument.direction * score.value as rating,
        spread.within_sd,
        -- sessions that name nobody stand together
        coalesce(session.therapist_id, '') as therapist,
        row_number() over (
            partition by score.episode_id, score.instrument_id
            order by score.session_no, score.session_id
        ) as rating_no,
        row_number() over (
            partition by score.episode_id, score.instrument_id, therapist
            order by score.session_no, score.session_id
        ) as place,
    from score.session_score as score
    join score.course_appointment as session on score.session_id = session.session_id
    join ref.instrument as instrument on score.instrument_id = instrument.instrument_id
    left join score.within_sd as spread on score.instrument_id = spread.instrument_id
    where instrument.kind = 'alliance' and instrument.respondent = 'patient'
),

walk as (
    select
        session_id,
        instrument_id,
        episode_id,
        therapist,
        rating_no,
        place,
        0::bigint as n_before,
        null::double as mean_before,
        null::double as z,
        false as is_eligible,
        false as is_onset,
        null::bigint as onset_before,
        null::varchar as closes,
        -- what is carried on: the baseline, and the rupture that is open with its own ratings
        1::bigint as base_n,
        rating::decimal(38, 6) as base_sum,
        null::bigint as open_no,
        null::double as open_mean,
        0::bigint as open_n,
        0::decimal(38, 6) as open_sum,
    from rating
    where place = 1
    union all
    select
        session_id,
        instrument_id,
        episode_id,
        therapist,
        rating_no,
        place,
        base_n as n_before,
        mean_before,
        z,
        is_eligible,
        is_onset,
        open_no as onset_before,
        closes,
        case
            when is_onset or open_no is not null and closes is null then base_n
            when closes = 'unrepaired' then open_n + 1
            else base_n + 1
        end as base_n,
        case
            when is_onset or open_no is not null and closes is null then base_sum
            when closes = 'unrepaired' then open_sum + rating
            else base_sum + rating
        end as base_sum,
        case when is_onset then rating_no when closes is null then open_no end as open_no,
        case when is_onset then mean_before when closes is null then open_mean end as open_mean,
        case
            when is_onset then 1
            when open_no is not null and closes is null then open_n + 1
            else 0
        end as open_n,
        case
            when is_onset then rating
            when open_no is not null and closes is null then open_sum + rating
            else 0
        end as open_sum,
    from (
        select
            *,
            is_eligible and z < -rupture_sd as is_onset,
        from (
            select
                rating.session_id,
                rating.instrument_id,
                rating.episode_id,
                rating.therapist,
                rating.rating_no,
                rating.place,
                rating.rating,
                before.base_n,
                before.base_sum,
                before.open_no,
                before.open_mean,
                before.open_n,
                before.open_sum,
                setting.rupture_sd,
                before.base_sum::double / before.base_n as mean_before,
                (rating.rating - before.base_sum::double / before.base_n)
                / (rating.within_sd * sqrt(1 + 1 / before.base_n)) as z,
                rating.within_sd is not null
                and before.open_no is null
                and before.base_n >= setting.min_prior as is_eligible,
                case
                    when before.open_no is null then null
                    when
                        rating.rating >= before.open_mean - setting.repair_sd * rating.within_sd
                        then 'repaired'
                    when before.open_n >= setting.repair_window then 'unrepaired'
                end as closes,
            from walk as before
            join rating
                on
                    before.episode_id = rating.episode_id
                    and before.instrument_id = rating.instrument_id
                    and before.therapist = rating.therapist
                    and before.place + 1 = rating.place
            cross join setting
        ) as compared
    ) as judged
)

select
    rating.session_id::varchar as session_id,
    rating.instrument_id::varchar as instrument_id,
    rating.episode_id::varchar as episode_id,
    rating.session_no::integer as session_no,
    rating.session_on::date as session_on,
    rating.rating_no::integer as rating_no,
    rating.value::decimal(12, 6) as value,
    walk.n_before::integer as n_baseline,
    (rating.direction * walk.mean_before)::double as baseline,
    rating.within_sd::double as within_sd,
    walk.z::double as z,
    walk.is_eligible::boolean as is_eligible,
    walk.is_onset::boolean as is_onset,
    coalesce(walk.onset_before, walk.open_no)::integer as onset_rating_no,
    walk.closes::varchar as closes,
    (walk.open_no is not null)::boolean as is_open,
from rating
join walk on rating.session_id = walk.session_id and rating.instrument_id = walk.instrument_id
