-- Share of questionnaires that came back, by clinic, questionnaire and month of the last twelve: cell
-- of a map.
--
-- grain:   clinic_id, instrument_id, month_no
-- inputs:  ref.clinic, ref.instrument, ref.period, report.figure
-- columns: clinic_id VARCHAR      clinic
--          clinic_name VARCHAR    its name
--          instrument_id VARCHAR  questionnaire
--          instrument VARCHAR     its name
--          month_no INTEGER       1 is the oldest of the twelve
--          month_start DATE       first day of the month
--          shade INTEGER          fifth of the scale from 0 to 4, for the colour; NULL not shown
--          value_text VARCHAR     share as printed; NULL not shown
--          note VARCHAR           why it is not shown, or what it stands on
-- version: 1
with month as (
    select
        period_id,
        period_start,
        13 - row_number() over (order by period_start desc) as month_no,
    from ref.period
    where period_kind = 'month'
),

used as (
    select distinct
        unit_id,
        instrument_id,
    from report.figure
    where
        level = 'clinic'
        and period_kind = 'month'
        and measure = 'questionnaire_completeness'
        and instrument_id is not null
)

select
    used.unit_id::varchar as clinic_id,
    coalesce(clinic.clinic_name, used.unit_id)::varchar as clinic_name,
    used.instrument_id::varchar as instrument_id,
    coalesce(instrument.name, used.instrument_id)::varchar as instrument,
    month.month_no::integer as month_no,
    month.period_start::date as month_start,
    case
        when figure.is_shown then case when figure.value >= 1 then 4 else floor(5 * figure.value) end
    end::integer as shade,
    case when figure.is_shown then figure.value_text end::varchar as value_text,
    case when figure.is_shown then figure.n_text else figure.note end::varchar as note,
from used
cross join month
left join report.figure as figure
    on
        figure.level = 'clinic'
        and used.unit_id = figure.unit_id
        and used.instrument_id = figure.instrument_id
        and month.period_id = figure.period_id
        and figure.measure = 'questionnaire_completeness'
left join ref.clinic as clinic on used.unit_id = clinic.clinic_id
left join ref.instrument as instrument on used.instrument_id = instrument.instrument_id
where month.month_no >= 1
