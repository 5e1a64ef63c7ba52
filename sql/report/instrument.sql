-- Questionnaire in use as explained on the methods page: scoring, cut-offs, reliable change, missing
-- items, licence.
--
-- grain:   instrument_id
-- inputs:  ref.cutoff, ref.instrument, ref.protocol, ref.reliable_change, ref.scale, valid.form
-- columns: instrument_id VARCHAR  instrument
--          name VARCHAR           short name
--          version VARCHAR        version
--          respondent VARCHAR     patient or therapist
--          scoring_text VARCHAR   scales, how they are made, their range
--          cutoff_text VARCHAR    cut-offs with population and source; NULL none published
--          change_text VARCHAR    reliable change with basis and source; NULL none
--          missing_text VARCHAR   what happens when items are missing
--          licence VARCHAR        licence
--          source VARCHAR         where the facts come from
--          note VARCHAR           what to know besides
-- version: 3
with word as (
    select
        listed.op,
        listed.words,
    from (
        values ('>=', ' or more'), ('>', ' exceeded'), ('<=', ' or less'), ('<', ' not reached')
    ) as listed (op, words)
),

scoring as (
    select
        instrument_id,
        string_agg(
            label
            || ' ('
            || case method when 'mean' then 'mean' else 'sum' end
            || ' of '
            || n_items::varchar
            || ' items'
            || case
                when
                    factor <> 1
                    then ' times ' || regexp_replace(factor::varchar, '\.?0+$', '')
                else ''
            end
            || ', '
            || regexp_replace(range_min::varchar, '\.?0+$', '')
            || ' to '
            || regexp_replace(range_max::varchar, '\.?0+$', '')
            || case when is_primary then ', used in the figures' else '' end || ')',
            '; ' order by is_primary desc, scale asc
        ) as scoring_text,
        string_agg(
            label || ': ' || case missing_rule
                when 'none' then 'every item is needed'
                when
                    'prorate'
                    then
                        'up to '
                        || max_missing::varchar
                        || ' missing, replaced by the mean of the others'
                else
                    'up to '
                    || max_missing::varchar
                    || ' missing, each replaced by the mean of the others rounded half up'
            end || case missing_over when 'form' then ' (counted over the whole form)' else '' end,
            '; ' order by is_primary desc, scale asc
        ) filter (where not is_composite) as missing_text,
    from ref.scale
    group by instrument_id
),

cutoff as (
    select
        cutoff.instrument_id,
        string_agg(
            coalesce(scale.label, 'any item')
            || ': '
            || regexp_replace(cutoff.value::varchar, '\.?0+$', '')
            || word.words
            || ', ' || cutoff.use || ' (' || cutoff.population || '; ' || cutoff.source || ')'
            || case when cutoff.is_verified then '' else ', not verified' end
            || case when cutoff.is_default then ', in use' else '' end,
            '. '
            order by
                cutoff.is_default desc,
                scale.is_primary desc nulls last,
                cutoff.scale asc,
                cutoff.value asc,
                cutoff.population asc
        ) as cutoff_text,
    from ref.cutoff as cutoff
    join word on cutoff.op = word.op
    left join
        ref.scale as scale
        on cutoff.instrument_id = scale.instrument_id and cutoff.scale = scale.scale
    group by cutoff.instrument_id
),

change as (
    select
        change.instrument_id,
        string_agg(
            scale.label || ': ' || regexp_replace(change.value::varchar, '\.?0+$', '') || word.words
            || ' (' || change.basis || '; ' || change.population || '; ' || change.source || ')'
            || case when change.is_verified then '' else ', not verified' end
            || case when change.is_default then ', in use' else '' end,
            '. '
            order by
                change.is_default desc,
                scale.is_primary desc,
                change.scale asc,
                change.value asc,
                change.population asc
        ) as change_text,
    from ref.reliable_change as change
    join word on change.op = word.op
    join
        ref.scale as scale
        on change.instrument_id = scale.instrument_id and change.scale = scale.scale
    group by change.instrument_id
)

select
    instrument.instrument_id::varchar as instrument_id,
    instrument.name::varchar as name,
    instrument.version::varchar as version,
    instrument.respondent::varchar as respondent,
    scoring.scoring_text::varchar as scoring_text,
    cutoff.cutoff_text::varchar as cutoff_text,
    change.change_text::varchar as change_text,
    scoring.missing_text::varchar as missing_text,
    instrument.licence::varchar as licence,
    instrument.source::varchar as source,
    instrument.note::varchar as note,
from ref.instrument as instrument
join scoring on instrument.instrument_id = scoring.instrument_id
left join cutoff on instrument.instrument_id = cutoff.instrument_id
left join change on instrument.instrument_id = change.instrument_id
-- a service reads of what it uses, not of everything that could be scored
where
    instrument.is_enabled
    and instrument.instrument_id in (
        select form.instrument_id,
        from valid.form as form
        union distinct
        select protocol.instrument_id,
        from ref.protocol as protocol
    )
