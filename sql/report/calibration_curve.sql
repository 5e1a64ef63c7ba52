-- Point of the calibration curve: sessions from low to high chances, how many were expected to be the
-- last by the patient's ending alone, and how many were.
--
-- For the model card, to be drawn or printed. Dropouts too few to show have no observed share.
--
-- grain:   curve_order
-- inputs:  measure.risk_test, ref.setting
-- columns: curve_order INTEGER    tenth of the chances, from the lowest
--          n INTEGER              sessions
--          expected DECIMAL(9,4)  mean chance, from 0 to 1
--          observed DECIMAL(9,4)  share that were the last; NULL too few to show
--          low DECIMAL(9,4)       lower end of its 95 % interval (Wilson)
--          high DECIMAL(9,4)      upper end of it
--          label VARCHAR          the point in words, for those who do not see the curve
-- version: 1
with setting as (
    select max(value) filter (where name = 'minimum_shown')::integer as minimum,
    from ref.setting
),

tenth as (
    select
        test.part_id::integer as curve_order,
        test.n,
        test.n_dropouts = 0 or test.n_dropouts >= setting.minimum as is_shown,
        test.n >= setting.minimum as is_enough,
        (test.expected / test.n)::decimal(9, 4) as expected,
        test.rate::decimal(9, 4) as observed,
        test.low::decimal(9, 4) as low,
        test.high::decimal(9, 4) as high,
    from measure.risk_test as test
    cross join setting
    where test.part = 'tenth'
)

select
    curve_order::integer as curve_order,
    n::integer as n,
    expected::decimal(9, 4) as expected,
    case when is_shown then observed end::decimal(9, 4) as observed,
    case when is_shown then low end::decimal(9, 4) as low,
    case when is_shown then high end::decimal(9, 4) as high,
    format(
        'tenth {}: {} expected, {}', curve_order,
        (100 * expected)::decimal(9, 1)::varchar || ' %',
        case
            when is_shown
                then
                    format(
                        '{} left ({} to {})', (100 * observed)::decimal(9, 1)::varchar || ' %',
                        (100 * low)::decimal(9, 1)::varchar,
                        (100 * high)::decimal(9, 1)::varchar || ' %'
                    )
            else 'too few left to show'
        end
    )::varchar as label,
from tenth
where is_enough
