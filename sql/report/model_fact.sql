-- Line of the model card: what the chance of a last session is learned from, what it weighs, and
-- whether it may be used.
--
-- Longer than usual, because every line of the page is worded here.
--
-- grain:   topic, line_order
-- inputs:  measure.ending_count, measure.risk_gate, model.coefficient, model.fit,
--          model.reason_share, model.recalibration, ref.clinic, ref.night, ref.setting
-- columns: topic VARCHAR       state, data, size, term or base_rate
--          line_order INTEGER  order in the topic
--          label VARCHAR       what the line is about
--          value_text VARCHAR  what is told of it, as printed
--          note VARCHAR        what to know besides; NULL nothing
-- version: 3
with setting as (
    select
        max(value) filter (where name = 'z_95')::double as z,
        max(value) filter (where name = 'minimum_shown')::integer as minimum,
    from ref.setting
),

gate as (
    select *,
    from measure.risk_gate
    qualify row_number() over (order by month desc) = 1
),

in_use as (
    select *,
    from model.fit
    where model_id = 'last_session/dropout'
),

word as (
    select
        listed.term,
        listed.place,
        listed.words,
    from (
        values
        ('session_band=2', 2, 'second session, beside the first'),
        ('session_band=3', 3, 'third session, beside the first'),
        ('session_band=4', 4, 'fourth session, beside the first'),
        ('session_band=5-8', 5, 'sessions 5 to 8, beside the first'),
        ('session_band=9+', 6, 'ninth session and later, beside the first'),
        ('severity', 7, 'symptoms at the start, one standard deviation worse'),
        ('worsening', 8, 'symptoms since then, one standard deviation worse'),
        ('not_on_track', 9, 'not on track'),
        ('alliance', 10, 'alliance so far, one standard deviation better'),
        ('alliance_deviation', 11, 'alliance at this session, one usual deviation above the own baseline'),
        ('open_rupture', 12, 'a rupture is open'),
        ('missing_alliance_form', 13, 'the alliance form of this session is missing'),
        ('missed_share', 14, 'share of appointments missed or cancelled, from none to all'),
        ('missed_last', 15, 'the appointment just before this session was missed'),
        ('weeks_since_last', 16, 'one week more since the session before'),
        ('under_26', 17, 'younger than 26 at intake')
    ) as listed (term, place, words)
),

line as (
    select
        'state' as topic,
        '1' as sorted_by,
        'Chances of single patients' as label,
        case
            when coalesce(risk_assessed_on <= getvariable('as_of')::date, false)
                then 'on the care team''s worklists, where the model is good enough'
            else 'shown nowhere'
        end as value_text,
        'They are computed to be tested. Showing them asks for a legal basis and somebody responsible.'
            as note,
    from ref.night
    union all
    select
        'state' as topic,
        '2' as sorted_by,
        'Good enough to be shown' as label,
        case when coalesce(bool_or(is_shown), false) then 'yes' else 'no' end as value_text,
        coalesce(
            max(why_not),
            case when count(*) = 0 then 'no model yet' else 'calibration lies inside its limits' end
        ) as note,
    from gate
    union all
    select
        'data' as topic,
        '1' as sorted_by,
        'Learned from' as label,
        n || ' sessions, ' || n_events || ' of them the last one by the patient''s ending alone' as value_text,
        case
            when is_used
                then
                    'fitted on ' || strftime(fitted_on, '%-d %B %Y') || ', up to sessions of '
                    || strftime(data_to, '%-d %B %Y')
            else why_not
        end as note,
    from in_use
    union all
    select
        'data' as topic,
        '1 newer' as sorted_by,
        'Held against newer sessions' as label,
        case
            when change.changed = 'nothing' then 'nothing had to be changed'
            when change.changed is not null then change.changed || ' changed'
            else 'not yet'
        end as value_text,
        case
            when change.changed is null then change.why_not
            else
                format(
                    'logit times {}, {} added; on {} dropouts in {} sessions, on {}',
                    change.slope::decimal(9, 2), change.shift::decimal(9, 2), change.n_dropouts, change.n,
                    strftime(change.looked_on, '%-d %B %Y')
                )
        end as note,
    from model.recalibration as change
    join in_use on change.fitted_on = in_use.fitted_on
    qualify row_number() over (order by change.model_id desc) = 1
    union all
    select
        'data' as topic,
        '2 ' || reason.clinic_id as sorted_by,
        coalesce(clinic.clinic_name, reason.clinic_id) as label,
        case when reason.is_enough then 'included' else 'left out' end as value_text,
        case
            when reason.n_ended >= setting.minimum
                then
                    round(100.0 * reason.n_reason / reason.n_ended)::integer
                    || ' % of its endings carry a reason'
        end as note,
    from model.reason_share as reason
    left join ref.clinic as clinic on reason.clinic_id = clinic.clinic_id
    cross join setting
    union all
    select
        'size' as topic,
        coefficient.term as sorted_by,
        case coefficient.term
            when 'by_shrinkage' then 'Sessions needed so that coefficients are not overfitted'
            when 'by_optimism' then 'Sessions needed so that what is explained is not overstated'
            when 'by_precision' then 'Sessions needed for the overall chance'
            when 'coefficients' then 'Coefficients'
            when 'expected_c' then 'C statistic expected'
            else 'Explained variation expected (Cox and Snell)'
        end as label,
        case
            when coefficient.estimate = trunc(coefficient.estimate) then coefficient.estimate::integer::varchar
            else round(coefficient.estimate, 3)::decimal(9, 3)::varchar
        end as value_text,
        case when starts_with(coefficient.term, 'by_') then 'there are ' || fit.n end as note,
    from model.coefficient as coefficient
    join model.fit as fit on coefficient.model_id = fit.model_id
    where coefficient.model_id = 'sample_size/dropout'
    union all
    select
        'term' as topic,
        lpad(word.place::varchar, 2, '0') as sorted_by,
        word.words as label,
        round(coefficient.estimate, 2)::decimal(9, 2) || ' ('
        || round(coefficient.estimate - setting.z * coefficient.standard_error, 2)::decimal(9, 2) || ' to '
        || round(coefficient.estimate + setting.z * coefficient.standard_error, 2)::decimal(9, 2) || ')'
            as value_text,
        'odds times ' || round(exp(coefficient.estimate), 2)::decimal(9, 2) as note,
    from model.coefficient as coefficient
    join word on coefficient.term = word.term
    join in_use on coefficient.model_id = in_use.model_id and in_use.is_used
    cross join setting
    union all
    select
        'base_rate' as topic,
        lpad(count.session_no::varchar, 3, '0') as sorted_by,
        'session ' || count.session_no as label,
        case
            when count.n_at_risk < setting.minimum then 'too few to show (n < ' || setting.minimum || ')'
            when count.n_events < setting.minimum then 'fewer than ' || setting.minimum || ' of ' || count.n_at_risk
            else
                round(100.0 * count.n_events / count.n_at_risk, 1)::decimal(9, 1) || ' %, '
                || count.n_events || ' of ' || count.n_at_risk
        end as value_text,
        null as note,
    from measure.ending_count as count
    cross join setting
    where count.group_kind = 'service' and count.cause = 'stopped' and count.session_no <= 20
)

select
    topic::varchar as topic,
    row_number() over (partition by topic order by sorted_by, label)::integer as line_order,
    label::varchar as label,
    value_text::varchar as value_text,
    nullif(note, '')::varchar as note,
from line
