-- Expected course as drawn: percentiles of earlier patients' scores by score at intake and session.
--
-- grain:   instrument_id, intake_band, session_no
-- inputs:  ref.cutoff, ref.scale, ref.setting, score.expected_course
-- columns: instrument_id VARCHAR     instrument
--          intake_band INTEGER       tenth of the intake scores
--          session_no INTEGER        session
--          intake_text VARCHAR       scores at intake that the tenth holds, in words
--          session_text VARCHAR      session in words
--          made_of_text VARCHAR      what was taken together, and how many courses
--          outer_low DECIMAL(9,2)    lower end of the outer band; NULL too few courses
--          inner_low DECIMAL(9,2)    lower end of the inner band
--          middle DECIMAL(9,2)       median
--          inner_high DECIMAL(9,2)   upper end of the inner band
--          outer_high DECIMAL(9,2)   upper end of the outer band
--          outer_text VARCHAR        outer band as printed
--          inner_text VARCHAR        inner band as printed
--          middle_text VARCHAR       median as printed
--          change_text VARCHAR       median change since intake as printed
--          cutoff DECIMAL(9,2)       cut-off of the clinical range; NULL none published
--          axis_low DECIMAL(9,2)     lowest and highest end of all bands of the instrument, so that
--                                    its charts have one axis
--          axis_high DECIMAL(9,2)    highest
-- version: 3
with setting as (
    select max(value) filter (where name = 'expected_sessions')::integer as sessions,
    from ref.setting
),

session as (
    -- at the first session the score is the one that the course is told apart by
    select unnest(range(2, sessions + 2)) as session_no,
    from setting
),

cutoff as (
    select
        scale.instrument_id,
        max(cutoff.value) as value,
    from ref.scale as scale
    join ref.cutoff as cutoff
        on
            scale.instrument_id = cutoff.instrument_id
            and scale.scale = cutoff.scale
            and cutoff.is_default
    where scale.is_primary
    group by scale.instrument_id
),

cell as (
    select
        *,
        min(outer_low) over (partition by instrument_id) as axis_low,
        max(outer_high) over (partition by instrument_id) as axis_high,
    from score.expected_course
    where made_of = 'all courses'
),

band as (
    select distinct
        instrument_id,
        intake_band,
        intake_above,
        intake_to,
        axis_low,
        axis_high,
    from cell
),

joined as (
    select
        band.instrument_id,
        band.intake_band,
        band.intake_above,
        band.intake_to,
        band.axis_low,
        band.axis_high,
        session.session_no,
        setting.sessions,
        cell.band_from,
        cell.band_to,
        cell.session_from,
        cell.session_to,
        cell.n_courses,
        cell.outer_low,
        cell.inner_low,
        cell.middle,
        cell.inner_high,
        cell.outer_high,
        cell.change_middle,
    from band
    cross join session
    cross join setting
    left join cell
        on
            band.instrument_id = cell.instrument_id
            and band.intake_band = cell.intake_band
            and session.session_no = cell.session_no
),

printed as (
    select
        *,
        -- as people write scores: no trailing zeros
        [
            regexp_replace(round(x, 1)::decimal(9, 1)::varchar, '\.0$', '') for x in [
                intake_above, intake_to, outer_low, inner_low, middle,
                inner_high, outer_high, change_middle
            ]
        ] as number,
    from joined
)

select
    printed.instrument_id::varchar as instrument_id,
    printed.intake_band::integer as intake_band,
    printed.session_no::integer as session_no,
    case
        when printed.intake_above is null and printed.intake_to is null then 'any score at intake'
        when printed.intake_above is null then 'at intake up to ' || printed.number[2]
        when printed.intake_to is null then 'at intake above ' || printed.number[1]
        else 'at intake above ' || printed.number[1] || ' and up to ' || printed.number[2]
    end::varchar as intake_text,
    case
        when printed.session_no > printed.sessions then printed.session_no::varchar || ' and later'
        else printed.session_no::varchar
    end::varchar as session_text,
    case
        when printed.n_courses is null then 'too few courses'
        else
            printed.n_courses::varchar || ' courses' || case
                when printed.band_from = printed.band_to then ''
                else
                    ', tenths ' || printed.band_from::varchar || ' to ' || printed.band_to::varchar
                    || ' together'
            end || case
                when printed.session_from = printed.session_to then ''
                else
                    ', sessions '
                    || printed.session_from::varchar
                    || ' to '
                    || printed.session_to::varchar
                    || ' together'
            end
    end::varchar as made_of_text,
    printed.outer_low::decimal(9, 2) as outer_low,
    printed.inner_low::decimal(9, 2) as inner_low,
    printed.middle::decimal(9, 2) as middle,
    printed.inner_high::decimal(9, 2) as inner_high,
    printed.outer_high::decimal(9, 2) as outer_high,
    (printed.number[3] || ' to ' || printed.number[7])::varchar as outer_text,
    (printed.number[4] || ' to ' || printed.number[6])::varchar as inner_text,
    printed.number[5]::varchar as middle_text,
    printed.number[8]::varchar as change_text,
    cutoff.value::decimal(9, 2) as cutoff,
    printed.axis_low::decimal(9, 2) as axis_low,
    printed.axis_high::decimal(9, 2) as axis_high,
from printed
left join cutoff on printed.instrument_id = cutoff.instrument_id
