-- What goes with the alliance in the service, as printed.
--
-- grain:   model_id
-- inputs:  model.association, ref.instrument
-- columns: model_id VARCHAR    what is associated, and on which questionnaires
--          topic VARCHAR       components, lagged or share
--          label VARCHAR       the quantity in words
--          on_text VARCHAR     questionnaires by name
--          value_text VARCHAR  quantity with its interval as printed; NULL none
--          n_text VARCHAR      what it is computed from
--          note VARCHAR        why there is none; NULL there is
--          row_order INTEGER   order on the page
-- version: 2
with word as (
    select
        listed.quantity,
        listed.topic,
        listed.words,
        listed.unit,
        listed.place,
    from (
        values
        ('share_clinic', 'components', 'between clinics', 'ratings', 0),
        ('share_therapist', 'components', 'between therapists', 'ratings', 1),
        ('share_patient', 'components', 'between patients of one therapist', 'ratings', 2),
        ('share_session', 'components', 'between sessions of one patient', 'ratings', 3),
        (
            'standardized',
            'lagged',
            'symptoms at the next session, in standard deviations within patients, for one more of '
            || 'the alliance',
            'sessions',
            4
        ),
        ('share_early', 'share', 'early alliance', 'courses', 5),
        ('share_overall', 'share', 'mean of all ratings', 'courses', 6),
        ('share_final', 'share', 'last rating', 'courses', 7)
    ) as listed (quantity, topic, words, unit, place)
),

named as (
    select
        association.*,
        word.topic,
        word.words,
        word.unit,
        word.place,
        alliance.name || coalesce(' and ' || outcome.name, '') as on_text,
    from model.association as association
    join word on association.quantity = word.quantity
    join ref.instrument as alliance on association.alliance_instrument_id = alliance.instrument_id
    left join ref.instrument as outcome
        on association.outcome_instrument_id = outcome.instrument_id
),

printed as (
    select
        *,
        [
            case
                when topic = 'lagged' then round(x, 2)::decimal(9, 2)::varchar
                else round(100 * x)::integer::varchar || ' %'
            end for x in [estimate, low, high]
        ] as t,
    from named
)

select
    model_id::varchar as model_id,
    topic::varchar as topic,
    words::varchar as label,
    on_text::varchar as on_text,
    case when estimate is not null then t[1] || ' (' || t[2] || ' to ' || t[3] || ')' end::varchar
        as value_text,
    case
        when unit = 'courses'
            then n::varchar || ' courses of ' || n_therapists::varchar || ' therapists'
        else
            n::varchar
            || ' '
            || unit
            || ' in '
            || n_courses::varchar
            || ' courses of '
            || n_therapists::varchar
            || ' therapists'
    end::varchar as n_text,
    why_not::varchar as note,
    row_number() over (order by topic, on_text, place, model_id)::integer as row_order,
from printed
