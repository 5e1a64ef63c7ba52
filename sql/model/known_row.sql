-- Day from which a form or an appointment could be known here.
--
-- The night it arrived. Where a clinic's rows of one night arrived all at once and long after what
-- they tell of, as a history does, that night says nothing of them: then the clinic's usual time
-- from day to arrival is assumed.
--
-- grain:   row_kind, row_id
-- inputs:  ref.setting, valid.form, valid.session
-- columns: row_kind VARCHAR     form or appointment
--          row_id VARCHAR       its id
--          clinic_id VARCHAR    clinic
--          known_on DATE        day from which it could be known
--          is_assumed BOOLEAN   whether that day is assumed
-- version: 1
with setting as (
    select
        max(value) filter (where name = 'history_lag_days') as history_lag_days,
        max(value) filter (where name = 'usual_lag_days') as usual_lag_days,
    from ref.setting
),

arrived as (
    select
        'form' as row_kind,
        form_id as row_id,
        clinic_id,
        answered_on as told_on,
        known_from,
    from valid.form
    union all
    select
        'appointment' as row_kind,
        session_id as row_id,
        clinic_id,
        session_on as told_on,
        known_from,
    from valid.session
    where status <> 'booked'
),

night as (
    select
        row_kind,
        clinic_id,
        known_from,
        quantile_disc(known_from - told_on, 0.5) as lag_days,
    from arrived
    group by row_kind, clinic_id, known_from
),

judged as (
    select
        arrived.*,
        coalesce(night.lag_days > setting.history_lag_days, true) as is_history,
        setting.usual_lag_days,
    from arrived
    left join night
        on
            arrived.row_kind = night.row_kind
            and arrived.clinic_id = night.clinic_id
            and arrived.known_from = night.known_from
    cross join setting
),

usual as (
    select
        row_kind,
        clinic_id,
        quantile_disc(known_from - told_on, 0.5) as lag_days,
    from judged
    where not is_history
    group by row_kind, clinic_id
)

select
    judged.row_kind::varchar as row_kind,
    judged.row_id::varchar as row_id,
    judged.clinic_id::varchar as clinic_id,
    case
        when judged.is_history
            then judged.told_on + coalesce(usual.lag_days, judged.usual_lag_days)::integer
        else judged.known_from
    end::date as known_on,
    judged.is_history::boolean as is_assumed,
from judged
left join usual on judged.row_kind = usual.row_kind and judged.clinic_id = usual.clinic_id
