-- One questionnaire of a course that goes on, as a line to draw and in words.
--
-- Row level: for the care team. Lines are 240 wide and 48 high, drawn over the whole range of the
-- form, so that a small wobble looks small.
--
-- grain:   episode_id, instrument_id
-- inputs:  ref.instrument, ref.outcome_preference, ref.scale, ref.setting, score.alliance_session,
--          score.end_state, score.expected_course, score.intake_score, score.session_score
-- columns: episode_id VARCHAR      course
--          instrument_id VARCHAR   questionnaire
--          kind VARCHAR            alliance or symptom
--          title VARCHAR           what it asks about, in a word
--          name VARCHAR            its name
--          range_text VARCHAR      lowest and highest possible score, and which way is better
--          line VARCHAR            scores as points of a line; NULL none
--          words VARCHAR           scores in words, by session
--          last_x DOUBLE           where the line ends, from the left; NULL none
--          last_y DOUBLE           and from the top
--          onset_x DOUBLE[]        points at which a rupture began, from the left
--          onset_y DOUBLE[]        and from the top
--          missing DOUBLE[]        places along the line where a form should have come and did not
--          band VARCHAR            usual range of earlier patients who began alike, as points of an
--                                  outline; NULL none known
--          line_order INTEGER      order within the course and kind: 1 is drawn
-- version: 3
with setting as (
    select max(value) filter (where name = 'expected_sessions')::integer as sessions,
    from ref.setting
),

score as (
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
        instrument.direction,
        scale.range_min,
        scale.range_max,
        case instrument.kind
            when 'alliance' then 'Alliance' when 'wellbeing' then 'Well-being' else 'Symptoms'
        end as title,
        preference.rank,
        end_state.n_attended,
        232.0 / greatest(end_state.n_attended - 1, 4) as step,
        round(4 + (score.session_no - 1) * step, 1)::double as x,
        round(
            44 - (score.value - scale.range_min) * 40.0 / (scale.range_max - scale.range_min), 1
        )::double as y,
        -- a short scale is a mean of items, and always has its decimal
        case
            when scale.range_max - scale.range_min > 10 and score.value = trunc(score.value)
                then score.value::integer::varchar
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
        title,
        name,
        direction,
        range_min,
        range_max,
        rank,
        n_attended,
        step,
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
    group by
        episode_id, instrument_id, title, name, direction, range_min, range_max, rank, n_attended, step
),

usual as (
    -- the session of the first score has nothing to be compared with
    select
        line.episode_id,
        line.instrument_id,
        spread.session_no,
        round(4 + (spread.session_no - 1) * line.step, 1)::double as x,
        round(
            44 - (cell.outer_high - line.range_min) * 40.0 / (line.range_max - line.range_min), 1
        )::double as y_high,
        round(
            44 - (cell.outer_low - line.range_min) * 40.0 / (line.range_max - line.range_min), 1
        )::double as y_low,
    from line
    cross join setting
    cross join unnest(range(2, line.n_attended + 1)) as spread (session_no)
    join score.intake_score as intake
        on line.episode_id = intake.episode_id and line.instrument_id = intake.instrument_id
    join score.expected_course as cell
        on
            cell.made_of = 'all courses'
            and line.instrument_id = cell.instrument_id
            and cell.session_no = least(spread.session_no, setting.sessions + 1)
            and intake.value > coalesce(cell.intake_above, intake.value - 1)
            and intake.value <= coalesce(cell.intake_to, intake.value)
),

band as (
    select
        episode_id,
        instrument_id,
        string_agg(x::varchar || ',' || y_high::varchar, ' ' order by session_no)
        || ' '
        || string_agg(x::varchar || ',' || y_low::varchar, ' ' order by session_no desc) as outline,
    from usual
    group by episode_id, instrument_id
)

select
    line.episode_id::varchar as episode_id,
    line.instrument_id::varchar as instrument_id,
    case line.title when 'Alliance' then 'alliance' else 'symptom' end::varchar as kind,
    line.title::varchar as title,
    line.name::varchar as name,
    (
        regexp_replace(line.range_min::varchar, '\.0+$', '')
        || ' to '
        || regexp_replace(line.range_max::varchar, '\.0+$', '')
        || case line.direction when 1 then ', higher is better' else ', lower is better' end
    )::varchar as range_text,
    line.line::varchar as line,
    line.words::varchar as words,
    line.last_x::double as last_x,
    line.last_y::double as last_y,
    coalesce(line.onset_x, [])::double[] as onset_x,
    coalesce(line.onset_y, [])::double[] as onset_y,
    coalesce(line.missing, [])::double[] as missing,
    band.outline::varchar as band,
    row_number() over (
        partition by line.episode_id, line.title = 'Alliance'
        order by (line.n > 0) desc, line.rank asc nulls last, line.n desc, line.instrument_id asc
    )::integer as line_order,
from line
left join band on line.episode_id = band.episode_id and line.instrument_id = band.instrument_id
where line.words is not null
