-- Questionnaire on the page of who is on track: what its bands are made of, or why it has none.
--
-- grain:   instrument_id
-- inputs:  ref.cutoff, ref.instrument, ref.reliable_change, ref.scale, ref.setting,
--          score.expected_course, score.protocol, score.reference_course
-- columns: instrument_id VARCHAR  symptom or well-being instrument in use
--          name VARCHAR           its short name
--          direction_text VARCHAR which way is worse
--          has_bands BOOLEAN      whether there are bands
--          rule_text VARCHAR      what the bands are made of, or why there are none
--          change_text VARCHAR    reliable change in use, or that none is published
--          cutoff_text VARCHAR    cut-off in use, or that none is published
-- version: 2
with setting as (
    select max(value) filter (where name = 'expected_courses_needed')::integer as courses_needed,
    from ref.setting
),

used as (
    select distinct instrument_id,
    from score.protocol
    where kind <> 'alliance'
),

bands as (
    select
        instrument_id,
        max(n_reference) as n_reference,
        min(first_from) as first_from,
        max(first_to) as first_to,
        max(frozen_on) as frozen_on,
    from score.expected_course
    where made_of = 'all courses'
    group by instrument_id
),

reference as (
    select
        instrument_id,
        count(*) as n,
    from score.reference_course
    where made_of = 'all courses'
    group by instrument_id
),

change as (
    select
        change.instrument_id,
        regexp_replace(change.value::varchar, '\.?0+$', '')
        || case change.op when '>=' then ' points or more' else ' points exceeded' end as words,
    from ref.reliable_change as change
    join ref.scale as scale
        on
            change.instrument_id = scale.instrument_id
            and change.scale = scale.scale
            and scale.is_primary
    where change.is_default
),

cutoff as (
    select
        cutoff.instrument_id,
        string_agg(
            regexp_replace(cutoff.value::varchar, '\.?0+$', '') || case cutoff.op
                when '>=' then ' or more'
                when '>' then ' exceeded'
                when '<=' then ' or less'
                else ' not reached'
            end || ' (' || cutoff.use || ')', '; ' order by cutoff.use
        ) as words,
    from ref.cutoff as cutoff
    join ref.scale as scale
        on
            cutoff.instrument_id = scale.instrument_id
            and cutoff.scale = scale.scale
            and scale.is_primary
    where cutoff.is_default
    group by cutoff.instrument_id
)

select
    instrument.instrument_id::varchar as instrument_id,
    instrument.name::varchar as name,
    case instrument.direction
        when 1 then 'Lower scores are worse.' else 'Higher scores are worse.'
    end::varchar as direction_text,
    (bands.instrument_id is not null)::boolean as has_bands,
    case
        when bands.instrument_id is not null
            then
                'Made of '
                || bands.n_reference::varchar
                || ' closed courses that began from '
                || strftime(bands.first_from, '%-d %B %Y')
                || ' to '
                || strftime(bands.first_to, '%-d %B %Y')
                || ', on '
                || strftime(bands.frozen_on, '%-d %B %Y')
                || '; it stands still until the quarter ends.'
        else
            'No bands: '
            || coalesce(reference.n, 0)::varchar
            || ' closed courses with two scores began in the reference window, '
            || setting.courses_needed::varchar
            || ' are needed. Reliable change decides alone.'
    end::varchar as rule_text,
    coalesce(change.words, 'none published: no colour is given')::varchar as change_text,
    coalesce(cutoff.words, 'none published: nobody is white')::varchar as cutoff_text,
from used
join ref.instrument as instrument on used.instrument_id = instrument.instrument_id
cross join setting
left join bands on used.instrument_id = bands.instrument_id
left join reference on used.instrument_id = reference.instrument_id
left join change on used.instrument_id = change.instrument_id
left join cutoff on used.instrument_id = cutoff.instrument_id
