-- Validated table of one clinic in numbers: what is judged of tables as a whole.
--
-- It starts from the tables and questionnaires that should be there, so that an empty one has a row.
-- What can be said of each questionnaire is NULL in the row of all forms: each fault is told once.
--
-- Longer than usual, because it has a column for every number that is judged and for its counts.
--
-- grain:   clinic_id, table_name, instrument_id?
-- inputs:  finding.answer_drift, finding.delivery_calendar, finding.table_count, landed.delivery,
--          landed.part_count, ref.clinic, ref.protocol, ref.setting, valid.clinic
-- columns: clinic_id VARCHAR                      clinic
--          table_name VARCHAR                     form, session or episode; delivery: what arrived
--          instrument_id VARCHAR                  instrument; NULL the whole table
--          is_expected BOOLEAN                    some file held such records, and of a questionnaire
--                                                 forms came or the protocol expects them
--          n_rows INTEGER                         rows
--          n_rows_expected INTEGER                the same; NULL nobody expects any
--          last_on DATE                           last day
--          days_behind INTEGER                    days from then to the night, or to the newest day
--                                                 of the clinic's delivery calendar; NULL no row, an
--                                                 episode, a delivery, or one questionnaire
--          n_deliveries_due INTEGER               deliveries due; NULL no calendar, or another table
--          n_deliveries_missed INTEGER            of these, since the last that came; NULL likewise
--          n_duplicates INTEGER                   rows beyond the first of the same patient, day and,
--                                                 for forms, respondent and session; for sessions,
--                                                 minute
--          share_duplicates DECIMAL(18,6)         of rows
--          n_with_episode INTEGER                 rows that name an episode
--          n_unresolved INTEGER                   of these, rows whose episode the clinic did not
--                                                 deliver
--          share_unresolved DECIMAL(18,6)         of rows that name one; NULL the clinic delivers no
--                                                 episodes
--          n_without_therapist INTEGER            rows without a therapist
--          share_without_therapist DECIMAL(18,6)  of rows; NULL no row has one
--          n_recent INTEGER                       rows in the newest days of the clinic's data
--          n_before INTEGER                       rows in the days before these
--          rows_ratio DECIMAL(18,6)               newest rows a day over those of before; NULL none
--                                                 before
--          n_items_recent INTEGER                 items of the newest forms
--          n_missing_recent INTEGER               of these without an answer
--          share_missing_recent DECIMAL(18,6)     of items
--          n_items_before INTEGER                 items of the forms before
--          n_missing_before INTEGER               of these without an answer
--          share_missing_before DECIMAL(18,6)     of items
--          missing_rise DECIMAL(18,6)             how much larger the share without an answer is now
--          n_patients_recent INTEGER              patients of the newest forms
--          n_patients_before INTEGER              patients of the forms before
--          psi DECIMAL(18,6)                      population stability index of the answers
-- version: 2
with setting as (
    select
        max(value) filter (where name = 'profile_recent_days')::integer as recent_days,
        max(value) filter (where name = 'profile_before_days')::integer as before_days,
    from ref.setting
),

kind as (
    select
        unnest(['form', 'session', 'episode', 'delivery']) as table_name,
        unnest(['form', 'appointment', 'episode', null]) as kind,
),

delivered as (
    select distinct
        delivery.clinic_id,
        kind.table_name,
    from landed.part_count as part
    join landed.delivery as delivery on part.delivery_id = delivery.delivery_id
    join kind on part.kind = kind.kind
    where part.found > 0
),

arrived as (
    select
        clinic_id,
        'delivery' as table_name,
        count(*) as n_rows,
    from landed.delivery
    where state = 'read'
    group by clinic_id
),

counted as (
    select *,
    from finding.table_count
    where instrument_id is not null
    union all by name
    select
        clinic_id,
        table_name,
        null as instrument_id,
        sum(n_rows) as n_rows,
        sum(n_duplicates) as n_duplicates,
        sum(n_with_episode) as n_with_episode,
        sum(n_unresolved) as n_unresolved,
        sum(n_without_therapist) as n_without_therapist,
        min(first_on) as first_on,
        max(last_on) as last_on,
        sum(n_recent) as n_recent,
        sum(n_before) as n_before,
    from finding.table_count
    group by clinic_id, table_name
),

-- the whole tables of every clinic, and each questionnaire that came or should come
wanted as (
    select
        clinic.clinic_id,
        kind.table_name,
        null as instrument_id,
    from ref.clinic as clinic
    cross join kind
    union
    select
        clinic_id,
        'form' as table_name,
        instrument_id,
    from ref.protocol
    union
    select
        clinic_id,
        table_name,
        instrument_id,
    from counted
),

profile as (
    select
        wanted.clinic_id,
        wanted.table_name,
        wanted.instrument_id,
        counted.n_duplicates,
        counted.n_with_episode,
        counted.n_unresolved,
        counted.n_without_therapist,
        counted.last_on,
        counted.n_recent,
        counted.n_before,
        counted.n_items_recent,
        counted.n_missing_recent,
        counted.n_items_before,
        counted.n_missing_before,
        coalesce(counted.n_rows, arrived.n_rows, 0) as n_rows,
        delivered.clinic_id is not null or (wanted.table_name = 'delivery' and due.n_due is not null) as is_expected,
        wanted.instrument_id is not null or wanted.table_name <> 'form' as is_one_thing,
        wanted.instrument_id is null as is_whole,
        coalesce(episodes.n_rows, 0) > 0 as has_episodes,
        setting.recent_days,
        -- a clinic that began in mid-year is compared with the days it has
        greatest(least(setting.before_days, clinic.data_through - setting.recent_days - counted.first_on + 1), 1)
            as before_days,
        drift.n_patients_recent,
        drift.n_patients_before,
        drift.psi,
        due.last_due_on,
        case when wanted.table_name = 'delivery' then due.n_due end as n_due,
        case when wanted.table_name = 'delivery' then due.n_missed end as n_missed,
    from wanted
    cross join setting
    left join valid.clinic as clinic on wanted.clinic_id = clinic.clinic_id
    left join counted
        on
            wanted.clinic_id = counted.clinic_id
            and wanted.table_name = counted.table_name
            and wanted.instrument_id is not distinct from counted.instrument_id
    left join delivered on wanted.clinic_id = delivered.clinic_id and wanted.table_name = delivered.table_name
    left join finding.table_count as episodes
        on wanted.clinic_id = episodes.clinic_id and episodes.table_name = 'episode'
    left join finding.delivery_calendar as due on wanted.clinic_id = due.clinic_id
    left join arrived on wanted.clinic_id = arrived.clinic_id and wanted.table_name = arrived.table_name
    left join finding.answer_drift as drift
        on wanted.clinic_id = drift.clinic_id and wanted.instrument_id = drift.instrument_id
)

select
    clinic_id::varchar as clinic_id,
    table_name::varchar as table_name,
    instrument_id::varchar as instrument_id,
    is_expected::boolean as is_expected,
    n_rows::integer as n_rows,
    case when is_expected then n_rows end::integer as n_rows_expected,
    last_on::date as last_on,
    case
        when is_whole and table_name in ('form', 'session') and last_on is not null
            then greatest(coalesce(last_due_on, getvariable('as_of')::date) - last_on, 0)
    end::integer as days_behind,
    n_due::integer as n_deliveries_due,
    n_missed::integer as n_deliveries_missed,
    case when is_one_thing then n_duplicates end::integer as n_duplicates,
    case when is_one_thing then n_duplicates / nullif(n_rows, 0) end::decimal(18, 6) as share_duplicates,
    case when is_whole then n_with_episode end::integer as n_with_episode,
    case when is_whole and has_episodes then n_unresolved end::integer as n_unresolved,
    case when is_whole and has_episodes then n_unresolved / nullif(n_with_episode, 0) end::decimal(18, 6)
        as share_unresolved,
    case when is_whole then n_without_therapist end::integer as n_without_therapist,
    case when is_whole and n_without_therapist < n_rows then n_without_therapist / n_rows end::decimal(18, 6)
        as share_without_therapist,
    n_recent::integer as n_recent,
    n_before::integer as n_before,
    case when is_one_thing then n_recent * before_days / nullif(n_before * recent_days, 0) end::decimal(18, 6)
        as rows_ratio,
    n_items_recent::integer as n_items_recent,
    n_missing_recent::integer as n_missing_recent,
    (n_missing_recent / nullif(n_items_recent, 0))::decimal(18, 6) as share_missing_recent,
    n_items_before::integer as n_items_before,
    n_missing_before::integer as n_missing_before,
    (n_missing_before / nullif(n_items_before, 0))::decimal(18, 6) as share_missing_before,
    (n_missing_recent / nullif(n_items_recent, 0) - n_missing_before / nullif(n_items_before, 0))::decimal(18, 6)
        as missing_rise,
    n_patients_recent::integer as n_patients_recent,
    n_patients_before::integer as n_patients_before,
    psi::decimal(18, 6) as psi,
from profile
