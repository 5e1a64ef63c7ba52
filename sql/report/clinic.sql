-- Clinic of the service as listed on the overview: state, how fresh, how much.
--
-- grain:   clinic_id
-- inputs:  finding.delivery_calendar, landed.clinic_night, measure.unit, ref.clinic, ref.night,
--          ref.period, ref.setting, report.fix_list, score.end_state, valid.clinic
-- columns: clinic_id VARCHAR      clinic
--          clinic_name VARCHAR    name on pages
--          page VARCHAR           file stem of the page
--          state VARCHAR          ok, failed or no delivery yet
--          state_text VARCHAR     state in words
--          data_through DATE      last date the exports speak about; NULL none yet
--          days_behind INTEGER    days between that date and the night
--          is_late BOOLEAN        a delivery of its calendar did not come; without a calendar: its data
--                                 end too long ago, or there are none
--          n_therapists INTEGER   therapists seen
--          n_open INTEGER         courses with a session that have not ended
--          n_closed_year INTEGER  courses that ended in the year, as its figures count them: once any
--                                 other ending would be known too
--          n_rejects INTEGER      rows or files refused, in what was last read of each file
--          n_warnings INTEGER     warnings in the same
-- version: 3
with tonight as (
    select
        clinic_night.clinic_id,
        max(clinic_night.reason) filter (where clinic_night.state = 'failed') as reason,
        count(*) filter (where clinic_night.state = 'failed') > 0 as has_failed,
    from landed.clinic_night as clinic_night
    join ref.night as night on clinic_night.revision = night.revision
    where clinic_night.as_of = getvariable('as_of')::date
    group by clinic_night.clinic_id
),

therapist as (
    select
        clinic_id,
        count(*) as n_therapists,
    from measure.unit
    where level = 'therapist'
    group by clinic_id
),

course as (
    select
        end_state.clinic_id,
        count(*) filter (where end_state.ended_on is null and end_state.first_attended_on is not null) as n_open,
        count(*) filter (
            where end_state.is_ended and end_state.is_resolved
            and end_state.ended_on between period.period_start and period.period_end
        ) as n_closed_year,
    from score.end_state as end_state
    join ref.period as period on period.period_id = 'year'
    group by end_state.clinic_id
),

fix as (
    select
        clinic_id,
        sum(n) filter (where severity = 'reject') as n_rejects,
        sum(n) filter (where severity = 'warn') as n_warnings,
    from report.fix_list
    group by clinic_id
),

joined as (
    select
        clinic.clinic_id,
        clinic.clinic_name,
        case
            when tonight.has_failed then 'failed'
            when through.data_through is null then 'no delivery yet'
            else 'ok'
        end as state,
        tonight.reason,
        through.data_through,
        getvariable('as_of')::date - through.data_through as days_behind,
        calendar.missed_since,
        coalesce(
            calendar.n_missed > missed.value, getvariable('as_of')::date - through.data_through > late.value, true
        ) as is_late,
        therapist.n_therapists,
        course.n_open,
        course.n_closed_year,
        fix.n_rejects,
        fix.n_warnings,
    from ref.clinic as clinic
    join ref.setting as late on late.name = 'late_after_days'
    join ref.setting as missed on missed.name = 'deliveries_missed_most'
    left join finding.delivery_calendar as calendar on clinic.clinic_id = calendar.clinic_id
    left join tonight on clinic.clinic_id = tonight.clinic_id
    left join valid.clinic as through on clinic.clinic_id = through.clinic_id
    left join therapist on clinic.clinic_id = therapist.clinic_id
    left join course on clinic.clinic_id = course.clinic_id
    left join fix on clinic.clinic_id = fix.clinic_id
)

select
    clinic_id::varchar as clinic_id,
    clinic_name::varchar as clinic_name,
    ('clinic-' || regexp_replace(lower(clinic_id), '[^a-z0-9]+', '-', 'g'))::varchar as page,
    state::varchar as state,
    concat_ws('; ', case
        when
            state = 'failed' and data_through is null
            then 'could not be read tonight: ' || coalesce(reason, 'no reason recorded')
        when state = 'failed'
            then
                'could not be read tonight (' || coalesce(reason, 'no reason recorded')
                || '); figures are those of its data through '
                || strftime(data_through, '%-d %B %Y')
        when state = 'no delivery yet' then 'nothing has been read from this clinic yet'
        when days_behind <= 0 then 'data through the day of the night'
        when days_behind = 1 then 'data through the day before'
        else
            'data through '
            || strftime(data_through, '%-d %B %Y')
            || ', '
            || days_behind::varchar
            || ' days before the night'
    end, case
        when is_late and missed_since is not null
            then 'the delivery due on ' || strftime(missed_since, '%-d %B %Y') || ' has not come'
    end)::varchar as state_text,
    data_through::date as data_through,
    days_behind::integer as days_behind,
    is_late::boolean as is_late,
    coalesce(n_therapists, 0)::integer as n_therapists,
    coalesce(n_open, 0)::integer as n_open,
    coalesce(n_closed_year, 0)::integer as n_closed_year,
    coalesce(n_rejects, 0)::integer as n_rejects,
    coalesce(n_warnings, 0)::integer as n_warnings,
from joined
