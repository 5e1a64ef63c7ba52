-- Night as the service overview opens with it: green or partly green, what arrived, what is shown.
--
-- grain:   as_of
-- inputs:  finding.finding, landed.arrival, landed.delivery, landed.skipped_night, ref.night,
--          report.clinic, report.therapist
-- columns: service_name VARCHAR             service
--          as_of DATE                       night
--          revision INTEGER                 revision of the night
--          state VARCHAR                    green or partly green
--          state_text VARCHAR               state in words
--          n_clinics INTEGER                clinics
--          n_clinics_failed INTEGER         clinics that could not be read
--          n_clinics_late INTEGER           clinics whose delivery did not come, or whose data end
--                                           too long ago
--          n_deliveries_tonight INTEGER     files read this night
--          n_forms_tonight INTEGER          forms new or corrected this night
--          n_rejects_tonight INTEGER        rows or files refused this night
--          therapist_figures VARCHAR        shown or withheld
--          therapist_figures_text VARCHAR   why
--          program_version VARCHAR          version of the program
-- version: 2
with clinic as (
    select
        count(*) as n_clinics,
        count(*) filter (where clinic.state = 'failed') as n_failed,
        count(*) filter (where clinic.is_late) as n_late,
        string_agg(clinic.clinic_name, ', ' order by clinic.clinic_name) filter (
            where clinic.state = 'failed'
        ) as failed,
    from report.clinic as clinic
),

arrived as (
    select count(distinct arrival.delivery_id) as n_deliveries,
    from landed.arrival as arrival
    join ref.night as night on arrival.revision = night.revision
    where arrival.as_of = getvariable('as_of')::date and arrival.outcome in ('new', 're-read', 'released')
),

form as (
    select sum(delivery.forms_new + delivery.forms_superseding) as n_forms,
    from landed.delivery as delivery
    where
        delivery.delivery_id in (
            select arrival.delivery_id,
            from landed.arrival as arrival
            join ref.night as night on arrival.revision = night.revision
            where
                arrival.as_of = getvariable('as_of')::date and arrival.outcome in ('new', 're-read', 'released')
        )
),

refused as (
    select count(*) filter (where severity = 'reject') as n_rejects,
    from finding.finding
    where as_of = getvariable('as_of')::date
),

skipped as (
    select
        count(*) as n_skipped,
        string_agg(night::varchar, ', ' order by night) as nights,
    from landed.skipped_night
    where as_of = getvariable('as_of')::date
),

therapist as (
    select
        count(*) filter (where has_page) as n_pages,
        -- rules that hold for all therapists are said once
        min(note) filter (where note not like 'too few%') as note,
    from report.therapist
)

select
    night.service_name::varchar as service_name,
    getvariable('as_of')::date as as_of,
    night.revision::integer as revision,
    case when clinic.n_failed = 0 then 'green' else 'partly green' end::varchar as state,
    concat_ws(' ', case
        when clinic.n_failed = 0 then 'Every clinic was read.'
        else
            clinic.n_failed::varchar || ' of ' || clinic.n_clinics::varchar
            || ' clinics could not be read: ' || clinic.failed || '. The others are complete.'
    end, case
        when skipped.n_skipped > 0
            then 'Skipped: the scheduled nights of ' || skipped.nights || ' never ran.'
    end)::varchar as state_text,
    clinic.n_clinics::integer as n_clinics,
    clinic.n_failed::integer as n_clinics_failed,
    clinic.n_late::integer as n_clinics_late,
    arrived.n_deliveries::integer as n_deliveries_tonight,
    coalesce(form.n_forms, 0)::integer as n_forms_tonight,
    refused.n_rejects::integer as n_rejects_tonight,
    case when therapist.n_pages > 0 then 'shown' else 'withheld' end::varchar as therapist_figures,
    case
        when
            therapist.n_pages > 0
            then
                'Therapists are shown by a short code and drawn towards the service''s mean; '
                || 'they are never ranked. What is shown of them rests on: '
                || night.agreement || ', ' || strftime(night.agreed_on, '%-d %B %Y') || '.'
        else
            coalesce(
                upper(left(therapist.note, 1)) || substr(therapist.note, 2),
                'No therapist has enough courses to show'
            )
            || '.'
    end::varchar as therapist_figures_text,
    night.program_version::varchar as program_version,
from ref.night as night
cross join clinic
cross join arrived
cross join form
cross join refused
cross join skipped
cross join therapist
