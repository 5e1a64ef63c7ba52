-- Month or financial year that is not shown, because with the quarters it would give away a smaller
-- number.
--
-- Three months add up to a printed quarter, and quarters to a financial year. So the months of a
-- quarter are shown together or not at all: not where one of them, or the quarter, is withheld for
-- being small. Where that hides the months of one clinic alone, the service less the other clinics
-- would give them away: those of a second go too. A financial year is shown where none of its
-- quarters is withheld so. What is not shown of the service is shown of no clinic.
--
-- grain:   level, unit_id, period_id, measure, instrument_id?
-- inputs:  measure.disclosure, measure.total, ref.period
-- columns: level VARCHAR          service or clinic
--          unit_id VARCHAR        service, or the clinic's id
--          period_id VARCHAR      month or financial year
--          measure VARCHAR        measure
--          instrument_id VARCHAR  instrument; NULL where the measure is not per one
--          withheld VARCHAR       complement
-- version: 1
with judged as (
    select
        total.level,
        total.unit_id,
        total.period_id,
        total.measure,
        total.instrument_id,
        total.n,
        period.period_kind,
        period.block_id,
        coalesce(disclosure.withheld in ('too few', 'complement', 'no agreement'), false)
            as is_hidden,
    from measure.total as total
    join measure.disclosure as disclosure
        on
            total.level = disclosure.level
            and total.unit_id = disclosure.unit_id
            and total.period_id = disclosure.period_id
            and total.measure = disclosure.measure
            and total.instrument_id is not distinct from disclosure.instrument_id
    join ref.period as period on total.period_id = period.period_id
    where
        total.level in ('service', 'clinic')
        and period.period_kind in ('month', 'quarter', 'financial_year')
),

block as (
    -- the months of a quarter, and the quarters of a financial year
    select
        level,
        unit_id,
        period_kind,
        block_id,
        measure,
        instrument_id,
        sum(n) as n,
        bool_or(is_hidden) as is_hidden,
    from judged
    where block_id is not null
    group by level, unit_id, period_kind, block_id, measure, instrument_id
),

month_block as (
    select
        block.level,
        block.unit_id,
        block.block_id,
        block.measure,
        block.instrument_id,
        block.n,
        block.is_hidden or coalesce(quarter.is_hidden, false) as is_hidden,
    from block
    left join judged as quarter
        on
            block.level = quarter.level
            and block.unit_id = quarter.unit_id
            and block.block_id = quarter.period_id
            and block.measure = quarter.measure
            and block.instrument_id is not distinct from quarter.instrument_id
    where block.period_kind = 'month'
),

alone as (
    select
        block_id,
        measure,
        instrument_id,
        arg_min(unit_id, (n, unit_id)) filter (where not is_hidden and n > 0) as next_smallest,
    from month_block
    where level = 'clinic'
    group by block_id, measure, instrument_id
    having count(*) filter (where is_hidden) = 1
),

hidden as (
    select
        month_block.level,
        month_block.unit_id,
        'month' as period_kind,
        month_block.block_id,
        month_block.measure,
        month_block.instrument_id,
    from month_block
    left join alone
        on
            month_block.block_id = alone.block_id
            and month_block.measure = alone.measure
            and month_block.instrument_id is not distinct from alone.instrument_id
    where
        month_block.is_hidden
        or (month_block.level = 'clinic' and month_block.unit_id = alone.next_smallest)
    union all
    select
        level,
        unit_id,
        'financial_year' as period_kind,
        block_id,
        measure,
        instrument_id,
    from block
    where period_kind = 'quarter' and is_hidden
)

select
    judged.level::varchar as level,
    judged.unit_id::varchar as unit_id,
    judged.period_id::varchar as period_id,
    judged.measure::varchar as measure,
    judged.instrument_id::varchar as instrument_id,
    'complement'::varchar as withheld,
from judged
where
    exists (
        select 1, from hidden
        where
            (hidden.level = 'service' or judged.unit_id = hidden.unit_id)
            and judged.period_kind = hidden.period_kind
            and case judged.period_kind when 'month' then judged.block_id else judged.period_id end
            = hidden.block_id
            and judged.measure = hidden.measure
            and judged.instrument_id is not distinct from hidden.instrument_id
    )
