-- How well not-on-track foretold a reliable deterioration, as printed.
--
-- grain:   instrument_id, figure
-- inputs:  measure.track_test, ref.setting
-- columns: instrument_id VARCHAR  instrument
--          figure VARCHAR         figure
--          figure_order INTEGER   order on the page
--          label VARCHAR          what the figure is, in plain words
--          value_text VARCHAR     share with its interval, or why it is not shown
--          n_text VARCHAR         counts; NULL not shown
--          rule VARCHAR           rule that was judged
-- version: 1
with setting as (
    select
        max(value) filter (where name = 'minimum_shown')::integer as minimum_shown,
        max(value) filter (where name = 'expected_burden_session')::integer as early_session,
    from ref.setting
),

listed as (
    select
        words.figure,
        words.figure_order,
        words.label,
    from (
        values
        ('sensitivity', 1, 'Of those who ended reliably worse, were red before (sensitivity)'),
        (
            'specificity',
            2,
            'Of those who did not end reliably worse, were never red (specificity)'
        ),
        ('positive_value', 3, 'Of those who were red, ended reliably worse (positive value)'),
        (
            'negative_value',
            4,
            'Of those who were never red, did not end reliably worse (negative value)'
        ),
        ('picked_out', 5, 'Were red at any session before the last score'),
        ('picked_out_early', 6, 'Were red by session '),
        ('no_chance', 7, 'Of those who ended reliably worse, had no score in between to tell by')
    ) as words (figure, figure_order, label)
)

select
    test.instrument_id::varchar as instrument_id,
    test.figure::varchar as figure,
    listed.figure_order::integer as figure_order,
    (
        listed.label
        || case test.figure when 'picked_out_early' then setting.early_session::varchar else '' end
    )::varchar as label,
    case
        when test.n = 0 then 'nobody to count'
        when
            test.n < setting.minimum_shown
            then 'too few to show (n < ' || setting.minimum_shown::varchar || ')'
        else
            round(100 * test.value)::integer::varchar
            || ' % ('
            || round(100 * test.low)::integer::varchar
            || ' to '
            || round(100 * test.high)::integer::varchar
            || ' %)'
    end::varchar as value_text,
    case
        when test.n >= setting.minimum_shown
            then test.numerator::varchar || ' of ' || test.n::varchar
    end::varchar as n_text,
    test.rule::varchar as rule,
from measure.track_test as test
join listed on test.figure = listed.figure
cross join setting
