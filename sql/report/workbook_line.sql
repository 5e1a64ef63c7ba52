-- Line of the workbook of figures: one figure of the service or a clinic with what it is made of.
--
-- Without periods in which there is nothing to count, and months that are not shown.
--
-- grain:   level, unit_id, period_id, measure, instrument_id?
-- inputs:  ref.definition, report.clinic, report.figure, report.target
-- columns: level VARCHAR             service or clinic
--          unit_id VARCHAR           service, or the clinic's id
--          unit_name VARCHAR         clinic; NULL the whole service
--          period_id VARCHAR         period
--          period_label VARCHAR      period in words
--          period_start DATE         first day
--          period_end DATE           last day
--          period_state VARCHAR      unfinished, settling or settled
--          section VARCHAR           section, a sheet each
--          measure VARCHAR           measure
--          instrument_id VARCHAR     instrument; NULL where the measure is not per one
--          label VARCHAR             what the figure is, in plain words
--          kind VARCHAR              rate, mean or count
--          is_shown BOOLEAN          whether the value is shown
--          value DECIMAL(9,4)        rate from 0 to 1, mean in scale units, or count; NULL withheld
--          low DECIMAL(9,4)          lower end of the 95 % interval
--          high DECIMAL(9,4)         upper end of the 95 % interval
--          numerator INTEGER         numerator of a rate
--          n INTEGER                 denominator, or number of values
--          n_eligible INTEGER        how many should have had a value; NULL a count
--          worst DECIMAL(9,4)        rate if every unknown one went badly
--          best DECIMAL(9,4)         rate if every unknown one went well
--          note VARCHAR              why withheld, or the caution that goes with it
--          target DECIMAL(18,6)      target; NULL none
--          target_direction VARCHAR  at least or at most
--          target_source VARCHAR     who set it
--          numerator_words VARCHAR   what is counted
--          denominator_words VARCHAR of what
--          version VARCHAR           version of the definition
--          as_of DATE                night
--          line_order INTEGER        order in the workbook: sections, figures, units, periods
-- version: 1
with section as (
    select
        section,
        min(figure_order) as section_order,
    from ref.definition
    group by section
)

select
    figure.level::varchar as level,
    figure.unit_id::varchar as unit_id,
    clinic.clinic_name::varchar as unit_name,
    figure.period_id::varchar as period_id,
    figure.period_label::varchar as period_label,
    figure.period_start::date as period_start,
    figure.period_end::date as period_end,
    figure.period_state::varchar as period_state,
    figure.section::varchar as section,
    figure.measure::varchar as measure,
    figure.instrument_id::varchar as instrument_id,
    figure.label::varchar as label,
    figure.kind::varchar as kind,
    figure.is_shown::boolean as is_shown,
    figure.value::decimal(9, 4) as value,
    figure.low::decimal(9, 4) as low,
    figure.high::decimal(9, 4) as high,
    figure.numerator::integer as numerator,
    figure.n::integer as n,
    case when figure.kind <> 'count' then figure.n_eligible end::integer as n_eligible,
    figure.worst::decimal(9, 4) as worst,
    figure.best::decimal(9, 4) as best,
    figure.note::varchar as note,
    target.value::decimal(18, 6) as target,
    target.direction::varchar as target_direction,
    target.source::varchar as target_source,
    definition.numerator::varchar as numerator_words,
    definition.denominator::varchar as denominator_words,
    definition.version::varchar as version,
    getvariable('as_of')::date as as_of,
    row_number() over (
        order by
            section.section_order asc, figure.section asc, figure.figure_order asc,
            figure.measure asc, figure.instrument_id asc, figure.level desc,
            clinic.clinic_name asc, figure.unit_id asc, figure.period_kind <> 'year' asc,
            figure.period_end desc, figure.period_start asc
    )::integer as line_order,
from report.figure as figure
join ref.definition as definition on figure.measure = definition.measure
join section on figure.section = section.section
left join report.clinic as clinic on figure.level = 'clinic' and figure.unit_id = clinic.clinic_id
left join report.target as target
    on
        figure.level = target.level
        and figure.unit_id = target.unit_id
        and figure.period_id = target.period_id
        and figure.measure = target.measure
        and figure.instrument_id is not distinct from target.instrument_id
where
    figure.level in ('service', 'clinic')
    and (figure.is_shown or (figure.period_kind <> 'month' and coalesce(figure.note, '') not like 'nothing to count%'))
