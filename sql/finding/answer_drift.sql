-- Answers of one questionnaire at one clinic: how far the newest are distributed otherwise than
-- those before, as the population stability index.
--
-- Answers are binned by value; where the instrument has more values than that, as marks on a line
-- have, in bins of equal width. Every bin counts a little more than it holds, so that an empty one
-- is no infinite difference. Instruments outside the registry have no known range and no row.
--
-- Longer than usual, because every bin must be there on both sides, whether answers fall into it or
-- not.
--
-- grain:   clinic_id, instrument_id
-- inputs:  ref.instrument, ref.setting, valid.clinic, valid.form
-- columns: clinic_id VARCHAR          clinic
--          instrument_id VARCHAR      instrument
--          n_bins INTEGER             bins
--          n_patients_recent INTEGER  patients with forms in the newest days of the clinic's data
--          n_patients_before INTEGER  patients with forms in the days before these
--          n_answers_recent INTEGER   answers in the newest days
--          n_answers_before INTEGER   answers in the days before
--          psi DECIMAL(18,6)          population stability index; NULL no answer on either side
-- version: 1
with setting as (
    select
        max(value) filter (where name = 'profile_recent_days')::integer as recent_days,
        max(value) filter (where name = 'profile_before_days')::integer as before_days,
        max(value) filter (where name = 'drift_values_most') as values_most,
        max(value) filter (where name = 'drift_bins') as bins,
        max(value) filter (where name = 'drift_added') as added,
    from ref.setting
),

form as (
    select
        form.clinic_id,
        form.instrument_id,
        form.patient_id,
        form.answers,
        form.answered_on > clinic.data_through - setting.recent_days as is_recent,
    from valid.form as form
    join valid.clinic as clinic on form.clinic_id = clinic.clinic_id
    cross join setting
    where
        form.answered_on <= clinic.data_through
        and form.answered_on > clinic.data_through - setting.recent_days - setting.before_days
        and form.answers is not null
),

patient as (
    select
        clinic_id,
        instrument_id,
        count(distinct patient_id) filter (where is_recent) as n_recent,
        count(distinct patient_id) filter (where not is_recent) as n_before,
    from form
    group by clinic_id, instrument_id
),

answer as (
    select
        clinic_id,
        instrument_id,
        is_recent,
        unnest(answers) as answer,
    from form
),

by_value as (
    select
        clinic_id,
        instrument_id,
        answer,
        count(*) filter (where is_recent) as n_recent,
        count(*) filter (where not is_recent) as n_before,
    from answer
    where answer is not null
    group by clinic_id, instrument_id, answer
),

instrument as (
    select
        instrument.*,
        instrument.answer_max - instrument.answer_min as width,
        round((instrument.answer_max - instrument.answer_min) / instrument.answer_step) + 1 as n_values,
        setting.*,
    from ref.instrument as instrument
    cross join setting
),

placed as (
    select
        by_value.*,
        instrument.added,
        case when instrument.n_values <= instrument.values_most then instrument.n_values else instrument.bins
        end::integer as n_bins,
        case
            when instrument.n_values <= instrument.values_most
                then round((by_value.answer - instrument.answer_min) / instrument.answer_step)
            else
                least(
                    floor((by_value.answer - instrument.answer_min) * instrument.bins / instrument.width),
                    instrument.bins - 1
                )
        end::integer as bin,
    from by_value
    join instrument on by_value.instrument_id = instrument.instrument_id
),

every_bin as (
    select
        clinic_id,
        instrument_id,
        n_bins,
        added,
        sum(n_recent) as n_recent,
        sum(n_before) as n_before,
        unnest(range(n_bins)) as bin,
    from placed
    group by clinic_id, instrument_id, n_bins, added
),

held as (
    select
        clinic_id,
        instrument_id,
        bin,
        sum(n_recent) as n_recent,
        sum(n_before) as n_before,
    from placed
    group by clinic_id, instrument_id, bin
),

share as (
    select
        every_bin.*,
        (coalesce(held.n_recent, 0) + every_bin.added) / (every_bin.n_recent + every_bin.added * every_bin.n_bins)
            as recent,
        (coalesce(held.n_before, 0) + every_bin.added) / (every_bin.n_before + every_bin.added * every_bin.n_bins)
            as before,
    from every_bin
    left join held
        on
            every_bin.clinic_id = held.clinic_id
            and every_bin.instrument_id = held.instrument_id
            and every_bin.bin = held.bin
)

select
    share.clinic_id::varchar as clinic_id,
    share.instrument_id::varchar as instrument_id,
    share.n_bins::integer as n_bins,
    max(patient.n_recent)::integer as n_patients_recent,
    max(patient.n_before)::integer as n_patients_before,
    share.n_recent::integer as n_answers_recent,
    share.n_before::integer as n_answers_before,
    case
        when share.n_recent > 0 and share.n_before > 0
            then sum(round((share.recent - share.before) * ln(share.recent / share.before), 9)::decimal(18, 9))
    end::decimal(18, 6) as psi,
from share
join patient on share.clinic_id = patient.clinic_id and share.instrument_id = patient.instrument_id
group by share.clinic_id, share.instrument_id, share.n_bins, share.n_recent, share.n_before
