-- Figure that moved since the night before, as printed: from where to where, and by what.
--
-- Every number is rounded before it is taken from another, so that the printed parts add up.
--
-- grain:   level, unit_id, period_id, measure, instrument_id?
-- inputs:  measure.shown_movement, report.clinic, report.figure
-- columns: level VARCHAR          service or clinic
--          unit_id VARCHAR        service, or the clinic's id
--          unit_name VARCHAR      name on pages; NULL the whole service
--          page VARCHAR           file stem of the clinic's page; NULL the whole service
--          period_id VARCHAR      period
--          period_kind VARCHAR    year, quarter, month or financial_year
--          period_label VARCHAR   period in words
--          measure VARCHAR        measure
--          instrument_id VARCHAR  instrument; NULL where the measure is not per one
--          label VARCHAR          what the figure is, in plain words
--          is_visible BOOLEAN     whether the rounded figure moved
--          before_text VARCHAR    figure of the night before
--          now_text VARCHAR       tonight's figure
--          moved_text VARCHAR     by how much; points of a rate are percentage points
--          n_text VARCHAR         denominators of both nights
--          rule_text VARCHAR      by how much a changed definition moved it; NULL not
--          time_text VARCHAR      by how much the passing of time did
--          corrected_text VARCHAR by how much corrected rows did
--          late_text VARCHAR      by how much forms did that completed the pair of an ended course
--          new_text VARCHAR       by how much new data did
--          together_text VARCHAR  by how much several of them did together
--          together_of VARCHAR    which
--          change_order INTEGER   order on the page: the service, clinics; the year first, completeness last
-- version: 1
with rounded as (
    select
        *,
        case kind when 'rate' then 1 when 'mean' then 2 else 0 end as digits,
        [
            case kind
                when 'rate' then round(100 * x, 1)
                when 'mean' then round(x, 2)
                else round(x, 0)
            end::decimal(18, 2) for x in [value_before, value_now, value_from, value_to]
        ] as number,
    from measure.shown_movement
),

part as (
    select
        *,
        number[1] as before,
        number[2] as now,
        -- a step through an empty denominator has no value
        number[4] - number[3] as step,
    from rounded
),

figure as (
    select
        level,
        unit_id,
        period_id,
        measure,
        instrument_id,
        min(kind) as kind,
        min(digits) as digits,
        min(before) as before,
        min(now) as now,
        min(n_before) as n_before,
        min(n_now) as n_now,
        bool_and(step is not null) as is_told,
        max(step) filter (where part = 'rule') as rule,
        max(step) filter (where part = 'time') as time,
        max(step) filter (where part = 'corrected') as corrected,
        max(step) filter (where part = 'late pair') as late,
        max(step) filter (where part = 'new') as new,
        max(step) filter (where part = 'together') as together,
        flatten(list(parts order by part) filter (where part = 'together')) as together_of,
        flatten(list(parts order by part)) as all_parts,
    from part
    group by level, unit_id, period_id, measure, instrument_id
),

printed as (
    select
        * exclude (rule, time, corrected, late, new, together, together_of),
        case kind when 'rate' then ' %' else '' end as unit,
        [
            case
                when x is null then null
                when digits = 0 then format('{:+d}', x::bigint)
                when digits = 1 then format('{:+.1f}', x::double)
                else format('{:+.2f}', x::double)
            end for x in [
                now - before,
                case when is_told then rule end,
                case when is_told then time end,
                case when is_told then corrected end,
                case when is_told then late end,
                case when is_told then new end,
                case when is_told then together else now - before end
            ]
        ] as moved,
        [
            case
                when digits = 0 then format('{:d}', x::bigint)
                when digits = 1 then format('{:.1f}', x::double)
                else format('{:.2f}', x::double)
            end for x in [before, now]
        ] as number,
        array_to_string(
            [
                case part
                    when 'rule' then 'rule change'
                    when 'time' then 'passing of time'
                    when 'corrected' then 'corrected rows'
                    when 'late pair' then 'late pairs'
                    when 'new' then 'new data'
                    else 'several at once in one course'
                end for part in case when is_told then together_of else all_parts end
            ], '; '
        ) as together_of,
    from figure
)

select
    printed.level::varchar as level,
    printed.unit_id::varchar as unit_id,
    clinic.clinic_name::varchar as unit_name,
    clinic.page::varchar as page,
    printed.period_id::varchar as period_id,
    shown.period_kind::varchar as period_kind,
    shown.period_label::varchar as period_label,
    printed.measure::varchar as measure,
    printed.instrument_id::varchar as instrument_id,
    shown.label::varchar as label,
    (printed.before <> printed.now)::boolean as is_visible,
    (printed.number[1] || printed.unit)::varchar as before_text,
    (printed.number[2] || printed.unit)::varchar as now_text,
    printed.moved[1]::varchar as moved_text,
    case
        when printed.n_before = printed.n_now then printed.n_now::varchar
        else printed.n_before::varchar || ' → ' || printed.n_now::varchar
    end::varchar as n_text,
    printed.moved[2]::varchar as rule_text,
    printed.moved[3]::varchar as time_text,
    printed.moved[4]::varchar as corrected_text,
    printed.moved[5]::varchar as late_text,
    printed.moved[6]::varchar as new_text,
    printed.moved[7]::varchar as together_text,
    printed.together_of::varchar as together_of,
    row_number() over (
        order by
            printed.level desc, clinic.clinic_name asc, printed.unit_id asc,
            shown.period_kind <> 'year' asc, shown.period_end desc, shown.period_start asc,
            shown.section = 'completeness' asc, shown.figure_order asc, printed.measure asc, printed.instrument_id asc
    )::integer as change_order,
from printed
join report.figure as shown
    on
        printed.level = shown.level
        and printed.unit_id = shown.unit_id
        and printed.period_id = shown.period_id
        and printed.measure = shown.measure
        and printed.instrument_id is not distinct from shown.instrument_id
left join report.clinic as clinic on printed.level = 'clinic' and printed.unit_id = clinic.clinic_id
