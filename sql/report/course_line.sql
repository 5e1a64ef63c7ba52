-- One questionnaire of a course that goes on, as a line to draw and in words.
--
-- Row level: for the care team. Lines are 240 wide and 48 high, drawn over the whole range of the
-- form, so that a small wobble looks small.
--
-- grain:   episode_id, instrument_id
-- inputs:  ref.instrument, ref.outcome_preference, ref.scale, score.alliance_session,
--          score.end_state, score.session_score
-- columns: episode_id VARCHAR      course
--          instrument_id VARCHAR   questionnaire
--          kind VARCHAR            alliance or symptom
--          name VARCHAR            its name
--          line VARCHAR            scores as points of a line; NULL none
--          words VARCHAR           scores in words, by session
--          last_x DOUBLE           where the line ends, from the left; NULL none
--          last_y DOUBLE           and from the top
--          onset_x DOUBLE[]        points at which a rupture began, from the left
--          onset_y DOUBLE[]        and from the top
--          missing DOUBLE[]        places along the line where a form should have come and did not
--          line_order INTEGER      order within the course and kind: 1 is drawn
-- version: 1
with score as (
    select
        session.episode_id,
        session.instrument_id,
        session.session_no,
        session.value,
        session.is_onset,
        session.is_missing,
    from score.alliance_session as session
    union all
    select
        score.episode_id,
        score.instrument_id,
        score.session_no,
        score.value,
        false as is_onset,
        false as is_missing,
    from score.session_score as score
    join ref.instrument as instrument on score.instrument_id = instrument.instrument_id
    where instrument.kind <> 'alliance'
),

point as (
    select
        score.*,
        instrument.name,
        case instrument.kind when 'alliance' then 'alliance' else 'symptom' end as kind,
        preference.rank,
        round(
            4 + (score.session_no - 1) * 232.0 / greatest(end_state.n_attended - 1, 4), 1
        )::double as x,
        round(
            44 - (score.value - scale.range_min) * 40.0 / (scale.range_max - scale.range_min), 1
        )::double as y,
        case
            when score.value = trunc(score.value) then score.value::integer::varchar
            when scale.range_max - scale.range_min <= 10
                then round(score.value, 2)::decimal(9, 2)::varchar
            else round(score.value, 1)::decimal(9, 1)::varchar
        end as printed,
    from score
    join score.end_state as end_state on score.episode_id = end_state.episode_id
    join ref.instrument as instrument on score.instrument_id = instrument.instrument_id
    join ref.scale as scale on score.instrument_id = scale.instrument_id and scale.is_primary
    left join ref.outcome_preference as preference
        on score.instrument_id = preference.instrument_id
    where end_state.state = 'ongoing' and end_state.n_attended > 0
),

line as (
    select
        episode_id,
        instrument_id,
        kind,
        name,
        rank,
        count(value) as n,
        string_agg(x::varchar || ',' || y::varchar, ' ' order by session_no) filter (
            where value is not null
        ) as line,
        string_agg(
            session_no::varchar || ': ' || coalesce(printed, 'missing'), ', ' order by session_no
        ) filter (where value is not null or is_missing) as words,
        arg_max(x, session_no) filter (where value is not null) as last_x,
        arg_max(y, session_no) filter (where value is not null) as last_y,
        array_agg(x order by session_no) filter (where is_onset) as onset_x,
        array_agg(y order by session_no) filter (where is_onset) as onset_y,
        array_agg(x order by session_no) filter (where is_missing) as missing,
    from point
    group by episode_id, instrument_id, kind, name, rank
)

select
    episode_id::varchar as episode_id,
    instrument_id::varchar as instrument_id,
    kind::varchar as kind,
    name::varchar as name,
    line::varchar as line,
    words::varchar as words,
    last_x::double as last_x,
    last_y::double as last_y,
    coalesce(onset_x, [])::double[] as onset_x,
    coalesce(onset_y, [])::double[] as onset_y,
    coalesce(missing, [])::double[] as missing,
    row_number() over (
        partition by episode_id, kind
        order by (n > 0) desc, rank asc nulls last, n desc, instrument_id asc
    )::integer as line_order,
from line
where words is not null
