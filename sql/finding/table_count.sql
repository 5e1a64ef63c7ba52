-- Rows of the validated tables counted: by clinic and table, and forms by questionnaire.
--
-- Longer than usual, because one pass over each table counts everything that is asked of it.
--
-- grain:   clinic_id, table_name, instrument_id?
-- inputs:  ref.setting, valid.clinic, valid.episode, valid.form, valid.session
-- columns: clinic_id VARCHAR            clinic
--          table_name VARCHAR           form, session or episode
--          instrument_id VARCHAR        instrument; NULL session or episode
--          n_rows INTEGER               rows
--          n_duplicates INTEGER         rows beyond the first of the same patient, day and, for
--                                       forms, respondent and session; for sessions, minute
--          n_with_episode INTEGER       rows of forms and sessions that name an episode
--          n_unresolved INTEGER         of these, rows whose episode the clinic did not deliver
--          n_without_therapist INTEGER  rows without a therapist
--          first_on DATE                first day
--          last_on DATE                 last day; of sessions, the last that is no booking
--          n_recent INTEGER             rows in the newest days of the clinic's data
--          n_before INTEGER             rows in the days before these
--          n_items_recent INTEGER       items of the newest forms, without those that do not apply
--          n_missing_recent INTEGER     of these without an answer
--          n_items_before INTEGER       the same of the days before
--          n_missing_before INTEGER     of these without an answer
-- version: 1
with setting as (
    select
        max(value) filter (where name = 'profile_recent_days')::integer as recent_days,
        max(value) filter (where name = 'profile_before_days')::integer as before_days,
    from ref.setting
),

every_row as (
    select
        clinic_id,
        'form' as table_name,
        instrument_id,
        therapist_id,
        episode_id,
        answered_on as day,
        hash(patient_id, answered_on, respondent, session_label) as same,
        len(answers) - list_count(answers) as n_empty,
        case
            when list_count(missing) > 0
                then len([reason for reason in missing if reason = 'not_applicable'])
            else 0
        end as n_not_applicable,
        len(answers) as n_answers,
    from valid.form
    union all by name
    select
        clinic_id,
        'session' as table_name,
        therapist_id,
        episode_id,
        case when status <> 'booked' then session_on end as day,
        hash(patient_id, planned_at) as same,
    from valid.session
    union all by name
    select
        clinic_id,
        'episode' as table_name,
        therapist_id,
        started_on as day,
        hash(patient_id, started_on) as same,
    from valid.episode
),

episode as (
    select distinct
        clinic_id,
        episode_id,
    from valid.episode
),

placed as (
    select
        every_row.*,
        every_row.n_answers - every_row.n_not_applicable as n_items,
        every_row.n_empty - every_row.n_not_applicable as n_missing,
        every_row.day <= clinic.data_through and every_row.day > clinic.data_through - setting.recent_days
            as is_recent,
        every_row.day <= clinic.data_through - setting.recent_days
        and every_row.day > clinic.data_through - setting.recent_days - setting.before_days as is_before,
        every_row.episode_id is not null and episode.episode_id is null as is_unresolved,
    from every_row
    left join valid.clinic as clinic on every_row.clinic_id = clinic.clinic_id
    left join episode
        on every_row.clinic_id = episode.clinic_id and every_row.episode_id = episode.episode_id
    cross join setting
)

select
    clinic_id::varchar as clinic_id,
    table_name::varchar as table_name,
    instrument_id::varchar as instrument_id,
    count(*)::integer as n_rows,
    (count(*) - count(distinct same))::integer as n_duplicates,
    count(episode_id)::integer as n_with_episode,
    count(*) filter (where is_unresolved)::integer as n_unresolved,
    count(*) filter (where therapist_id is null)::integer as n_without_therapist,
    min(day)::date as first_on,
    max(day)::date as last_on,
    count(*) filter (where is_recent)::integer as n_recent,
    count(*) filter (where is_before)::integer as n_before,
    coalesce(sum(n_items) filter (where is_recent), 0)::integer as n_items_recent,
    coalesce(sum(n_missing) filter (where is_recent), 0)::integer as n_missing_recent,
    coalesce(sum(n_items) filter (where is_before), 0)::integer as n_items_before,
    coalesce(sum(n_missing) filter (where is_before), 0)::integer as n_missing_before,
from placed
group by clinic_id, table_name, instrument_id
