-- Figure of the whole service that anyone may read: counts below the public minimum withheld, the
-- others rounded, shares worked out from the rounded counts. Computed once for each window, when it
-- closes, and kept: two nights that differ by one patient must not differ here.
--
-- grain:   period_end, measure, instrument_id?
-- inputs:  measure.disclosure, measure.total, measure.unit, ref.definition, ref.instrument,
--          ref.period, ref.setting
-- columns: period_end DATE         last day of the window
--          measure VARCHAR         measure
--          instrument_id VARCHAR   instrument; NULL where the measure is not per one
--          period_label VARCHAR    window in words
--          section VARCHAR         heading it stands under
--          figure_order INTEGER    order on the page
--          label VARCHAR           what the figure is, in plain words
--          is_shown BOOLEAN        whether it is shown
--          n INTEGER               denominator, rounded; NULL withheld
--          percent INTEGER         share in percent, from rounded counts; NULL withheld
--          note VARCHAR            why it is withheld; NULL shown
--          frozen_on DATE          night it was computed on
-- version: 2
-- closed:  period_end
-- source:  Rounding to five after withholding up to seven: OpenSAFELY, disclosure control of outputs
with setting as (
    select
        max(value) filter (where name = 'public_minimum') as least,
        max(value) filter (where name = 'public_rounding') as step,
        max(value) filter (where name = 'agreement_min_therapists') as min_therapists,
    from ref.setting
),

therapist as (
    select count(*) as n_therapists,
    from measure.unit
    where level = 'therapist' and n_courses_year > 0
),

counted as (
    select
        period.period_end,
        period.label as period_label,
        total.measure,
        total.instrument_id,
        definition.section,
        definition.figure_order,
        definition.label || coalesce(' (' || instrument.name || ')', '') as label,
        disclosure.withheld,
        total.numerator = 0 or total.numerator >= setting.least as is_enough,
        total.n = total.numerator or total.n - total.numerator >= setting.least as is_rest_enough,
        total.n >= setting.least as is_many,
        therapist.n_therapists >= setting.min_therapists as has_therapists,
        setting.step * round(total.n / setting.step) as n,
        setting.step * round(total.numerator / setting.step) as numerator,
        setting.least::integer as least,
        setting.min_therapists::integer as min_therapists,
    from measure.total as total
    join ref.period as period on total.period_id = period.period_id and period.period_id = 'window'
    join ref.definition as definition on total.measure = definition.measure
    join measure.disclosure as disclosure
        on
            total.level = disclosure.level
            and total.unit_id = disclosure.unit_id
            and total.period_id = disclosure.period_id
            and total.measure = disclosure.measure
            and total.instrument_id is not distinct from disclosure.instrument_id
    left join ref.instrument as instrument on total.instrument_id = instrument.instrument_id
    cross join therapist
    cross join setting
    where
        total.level = 'service' and total.kind = 'rate' and total.n_eligible > 0
        and definition.section in ('outcome', 'talking_therapies', 'endings', 'waits')
        -- one of the two ending rates takes the other's place
        and coalesce(disclosure.withheld, '') not in ('reasons', 'no reasons')
        -- beside the share of those who ended it reads as a contradiction: it is of other courses, in
        -- other clinics, and made for comparing therapists
        and total.measure <> 'dropout_under_way'
),

judged as (
    select
        *,
        case
            when not has_therapists
                then 'not shown: fewer than ' || min_therapists::varchar || ' therapists'
            when withheld = 'incomplete' then 'not shown: the outcome is known of too few'
            when withheld is not null or not (is_many and is_enough and is_rest_enough)
                then 'not shown: fewer than ' || least::varchar || ' people'
        end as note,
    from counted
)

select
    period_end::date as period_end,
    measure::varchar as measure,
    instrument_id::varchar as instrument_id,
    period_label::varchar as period_label,
    section::varchar as section,
    figure_order::integer as figure_order,
    label::varchar as label,
    (note is null)::boolean as is_shown,
    case when note is null then n end::integer as n,
    case when note is null then round(100 * numerator / n) end::integer as percent,
    note::varchar as note,
    getvariable('as_of')::date as frozen_on,
from judged
