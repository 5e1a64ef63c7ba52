-- Course that got reliably worse on one questionnaire, from its first to its last valid score: open,
-- or ended within the year. Each is to be looked at by itself.
--
-- Worse by the questionnaire's own threshold, or by that of NHS Talking Therapies.
--
-- Row level: for the care team and auditors, never for managers' pages.
--
-- grain:   episode_id, instrument_id
-- inputs:  landed.delivery, ref.clinic, ref.instrument, ref.period, score.end_state,
--          score.reliable_change, score.talking_therapies_measure, valid.form
-- columns: episode_id VARCHAR      course
--          instrument_id VARCHAR   questionnaire
--          clinic_id VARCHAR       clinic
--          clinic_name VARCHAR     name on pages
--          patient VARCHAR         first digits of the patient's pseudonym
--          instrument VARCHAR      name of the questionnaire
--          first_text VARCHAR      first score as printed
--          last_text VARCHAR       last score as printed
--          first_on DATE           day of the first score
--          last_on DATE            day of the last score
--          age_days INTEGER        days between the last score and the night
--          state_text VARCHAR      open, or when the course ended
--          first_place VARCHAR     file and line of the first score
--          last_place VARCHAR      file and line of the last score
--          review_order INTEGER    order on the page: open courses first, newest first within a clinic
-- version: 1
with form as (
    select
        form.form_id,
        delivery.file_name || ':' || form.line::varchar as place,
    from valid.form as form
    join landed.delivery as delivery on form.delivery_id = delivery.delivery_id
),

both_thresholds as (
    select change.*,
    from score.reliable_change as change
    left join score.talking_therapies_measure as measure
        on
            change.episode_id = measure.episode_id
            and change.instrument_id = measure.instrument_id
    where change.category = 'deteriorated' or measure.is_worse
),

change as (
    select
        *,
        [
            case
                when score = trunc(score) then score::integer::varchar
                else round(score, 2)::decimal(12, 2)::varchar
            end for score in [first_value, last_value]
        ] as text,
    from both_thresholds
),

worse as (
    select
        change.*,
        end_state.patient_id,
        end_state.is_ended,
        end_state.ended_on,
    from change
    join score.end_state as end_state on change.episode_id = end_state.episode_id
    join ref.period as period on period.period_id = 'year'
    where not end_state.is_ended or end_state.ended_on >= period.period_start
)

select
    worse.episode_id::varchar as episode_id,
    worse.instrument_id::varchar as instrument_id,
    worse.clinic_id::varchar as clinic_id,
    coalesce(clinic.clinic_name, worse.clinic_id)::varchar as clinic_name,
    left(worse.patient_id, 8)::varchar as patient,
    instrument.name::varchar as instrument,
    worse.text[1]::varchar as first_text,
    worse.text[2]::varchar as last_text,
    worse.first_on::date as first_on,
    worse.last_on::date as last_on,
    (getvariable('as_of')::date - worse.last_on)::integer as age_days,
    case when worse.is_ended then 'ended ' || worse.ended_on::varchar else 'open' end::varchar
        as state_text,
    first_form.place::varchar as first_place,
    last_form.place::varchar as last_place,
    row_number() over (
        order by
            clinic.clinic_name asc, worse.clinic_id asc, worse.is_ended asc, worse.last_on desc,
            worse.episode_id asc, worse.instrument_id asc
    )::integer as review_order,
from worse
join ref.instrument as instrument on worse.instrument_id = instrument.instrument_id
join form as first_form on worse.first_form_id = first_form.form_id
join form as last_form on worse.last_form_id = last_form.form_id
left join ref.clinic as clinic on worse.clinic_id = clinic.clinic_id
