-- Therapist of the service, known by a short piece of the pseudonym, and whether there is a page.
--
-- grain:   therapist_id
-- inputs:  measure.unit, ref.night, ref.setting
-- columns: therapist_id VARCHAR         therapist
--          clinic_id VARCHAR            clinic
--          label VARCHAR                name on pages
--          page VARCHAR                 file stem of the page
--          n_episodes_year INTEGER      courses with an attended session in the year; NULL where
--                                       too few to show
--          has_page BOOLEAN             whether a page is made
--          note VARCHAR                 why there is no page; NULL there is one
-- version: 1
with setting as (
    select
        max(value) filter (where name = 'page_min_episodes')::integer as min_episodes,
        max(value) filter (where name = 'shrink_min_therapists')::integer as min_therapists,
        max(value) filter (where name = 'therapist_pages')::integer as therapist_pages,
    from ref.setting
),

agreed as (
    select
        coalesce(bool_or(agreement is not null and agreed_on <= getvariable('as_of')::date), false)
            as is_agreed,
    from ref.night
),

therapist as (
    select
        unit.unit_id as therapist_id,
        unit.clinic_id,
        unit.n_courses_year as n_episodes,
        count(*) filter (where unit.n_courses_year > 0) over () as n_therapists,
        -- short ids are made longer where two would look the same
        case count(*) over (partition by left(unit.unit_id, 6))
            when 1 then upper(left(unit.unit_id, 6))
            else upper(unit.unit_id)
        end as short_id,
        setting.*,
        agreed.is_agreed,
    from measure.unit as unit
    cross join setting
    cross join agreed
    where unit.level = 'therapist'
),

judged as (
    select
        *,
        case
            when therapist_pages = 0 then 'the service publishes no figures of therapists'
            when
                not is_agreed
                then
                    'no figures of therapists: rapport.toml states no agreement that they rest on. Where '
                    || 'there is one, write under [governance]: therapist_agreement = '
                    || '{ reference = "...", date = 2026-01-31 }, with its own words and date'
            when n_therapists < min_therapists
                then
                    'no figures of therapists: fewer than ' || min_therapists::varchar || ' of them'
            when
                n_episodes < min_episodes
                then 'too few to show (n < ' || min_episodes::varchar || ')'
        end as note,
    from therapist
)

select
    therapist_id::varchar as therapist_id,
    clinic_id::varchar as clinic_id,
    ('Therapist ' || short_id)::varchar as label,
    ('therapist-' || lower(short_id))::varchar as page,
    case when n_episodes = 0 or n_episodes >= min_episodes then n_episodes end::integer
        as n_episodes_year,
    (note is null)::boolean as has_page,
    note::varchar as note,
from judged
