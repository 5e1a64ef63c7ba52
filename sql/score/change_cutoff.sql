-- Cut-offs between the clinical and the functional range of one questionnaire, and the one in use.
--
-- A published cut-off comes before a computed one; of these c (weighted between both groups) before
-- a (two standard deviations from the clinical group). The spread of b is that of the functional
-- group, as its authors have it.
--
-- grain:   instrument_id
-- inputs:  ref.change_norm, ref.cutoff, ref.instrument, ref.scale
-- columns: instrument_id VARCHAR     instrument that is no alliance form
--          a DOUBLE                  clinical mean, two of its standard deviations towards better;
--                                    NULL without norms, as b and c
--          b DOUBLE                  functional mean, two of its standard deviations towards worse
--          c DOUBLE                  between the means, nearer to the one that spreads less
--          cutoff DOUBLE             the one in use; NULL none
--          cutoff_op VARCHAR         operator of the clinical range
--          cutoff_from VARCHAR       published, c or a
-- version: 1
with computed as (
    select
        instrument.instrument_id,
        instrument.direction,
        scale.scale,
        norm.mean_pre::double + 2 * instrument.direction * norm.sd_pre::double as a,
        norm.mean_functional::double - 2 * instrument.direction * norm.sd_functional::double as b,
        (
            norm.sd_pre::double * norm.mean_functional::double
            + norm.sd_functional::double * norm.mean_pre::double
        ) / nullif(norm.sd_pre::double + norm.sd_functional::double, 0) as c,
    from ref.instrument as instrument
    join ref.scale as scale
        on instrument.instrument_id = scale.instrument_id and scale.is_primary
    left join ref.change_norm as norm
        on scale.instrument_id = norm.instrument_id and scale.scale = norm.scale
    where instrument.kind <> 'alliance'
),

published as (
    -- several purposes may each have a default: the first by name stands
    select
        instrument_id,
        scale,
        arg_min(op, use) as op,
        arg_min(value, use) as value,
    from ref.cutoff
    where is_default
    group by instrument_id, scale
)

select
    computed.instrument_id::varchar as instrument_id,
    computed.a::double as a,
    computed.b::double as b,
    computed.c::double as c,
    coalesce(published.value::double, computed.c, computed.a)::double as cutoff,
    case
        when published.value is not null then published.op
        when coalesce(computed.c, computed.a) is null then null
        when computed.direction = 1 then '<'
        else '>'
    end::varchar as cutoff_op,
    case
        when published.value is not null then 'published'
        when computed.c is not null then 'c'
        when computed.a is not null then 'a'
    end::varchar as cutoff_from,
from computed
left join published
    on computed.instrument_id = published.instrument_id and computed.scale = published.scale
