-- Line of the page on endings: definitions of dropout side by side, how far they agree, and how many
-- had ended by a number of sessions.
--
-- grain:   topic, line_order
-- inputs:  measure.disclosure, measure.dropout_agreement, measure.incidence, model.reason_share,
--          ref.clinic, ref.setting
-- columns: topic VARCHAR       definition, agreement, by_session or by_alliance
--          line_order INTEGER  order in the topic
--          label VARCHAR       what the line is about
--          what VARCHAR        what is told of it; NULL the label says it
--          session_no INTEGER  number of sessions it had ended by; NULL not by session
--          table_row INTEGER   row of the table that has a column for each number of sessions; NULL
--                              not by session
--          value_text VARCHAR  figure with its interval as printed, or why there is none
--          n_text VARCHAR      what it is counted from; NULL withheld
-- version: 3
with setting as (
    select
        max(value) filter (where name = 'minimum_shown')::integer as minimum,
        max(value) filter (where name = 'reason_share') as reason_share,
    from ref.setting
),

word as (
    select
        listed.definition,
        listed.place,
        listed.words,
    from (
        values
        ('end_state', 1, 'Recorded as dropout, or silent for longer than the gap rule allows'),
        ('coded', 2, 'Recorded as dropout by the therapist'),
        ('few_sessions', 3, 'Ended after at most three sessions'),
        ('missed_last', 4, 'Missed or cancelled the last appointment'),
        ('before_change', 5, 'Ended before a reliable improvement')
    ) as listed (definition, place, words)
),

judged as (
    select
        agreement.*,
        one.place,
        one.words,
        other.place as other_place,
        other.words as other_words,
        agreement.n >= setting.minimum as is_shown,
        'too few to show (n < ' || setting.minimum::varchar || ')' as too_few,
    from measure.dropout_agreement as agreement
    join word as one on agreement.definition = one.definition
    join word as other on agreement.other_definition = other.definition
    cross join setting
    where agreement.period_id = 'year'
),

reason as (
    select
        'clinic' as group_kind,
        clinic_id as group_id,
        is_enough,
    from model.reason_share
    union all
    select
        'service' as group_kind,
        'service' as group_id,
        sum(model_share.n_reason) >= max(setting.reason_share) * sum(model_share.n_ended) as is_enough,
    from model.reason_share as model_share
    cross join setting
),

unagreed as (
    select distinct unit_id,
    from measure.disclosure
    where level = 'clinic' and withheld = 'no agreement'
),

curve as (
    select
        incidence.*,
        case incidence.group_kind
            when 'service' then 'Whole service'
            when 'clinic' then coalesce(clinic.clinic_name, incidence.group_id)
            else
                case incidence.group_id
                    when 'low' then 'Lowest third of first ratings'
                    when 'middle' then 'Middle third'
                    when 'high' then 'Highest third'
                    else 'Fewer than two ratings'
                end
        end as label,
        coalesce(reason.is_enough, true) as has_reasons,
        incidence.n_followed >= setting.minimum and incidence.n_at_risk >= setting.minimum as is_shown,
        -- with the service's number beside them, one clinic kept back would be told by the others
        incidence.group_kind = 'clinic'
        and bool_or(incidence.n_followed < setting.minimum or unagreed.unit_id is not null)
            over (partition by incidence.group_kind) as is_kept_back,
        setting.minimum,
    from measure.incidence as incidence
    left join ref.clinic as clinic on incidence.group_id = clinic.clinic_id
    left join reason
        on case
            -- thirds are of the courses of the whole service
            when incidence.group_kind = 'early_alliance' then reason.group_kind = 'service'
            else incidence.group_kind = reason.group_kind and incidence.group_id = reason.group_id
        end
    left join unagreed
        on incidence.group_kind = 'clinic' and incidence.group_id = unagreed.unit_id
    cross join setting
    where incidence.session_no in (3, 5, 10, 20)
),

told as (
    -- where reasons are missing, nobody can tell leaving from finishing
    select
        *,
        case cause
            when 'dropout' then 'ended early, not agreed'
            when 'planned' then 'ended as planned'
            else 'stopped coming, reason not recorded'
        end as what,
        case cause when 'planned' then 1 else 0 end as place,
    from curve
    where case when has_reasons then cause in ('dropout', 'planned') else cause = 'stopped' end
),

line as (
    select
        'definition' as topic,
        [0, place] as sorted_by,
        words as label,
        null as what,
        null as session_no,
        case
            when is_shown
                then
                    round(100 * rate)::integer::varchar || ' % (' || round(100 * low)::integer::varchar
                    || ' to ' || round(100 * high)::integer::varchar || ' %)'
            else too_few
        end as value_text,
        case when is_shown then 'of ' || n::varchar || ' endings' end as n_text,
    from judged
    where definition = other_definition
    union all
    select
        'agreement' as topic,
        [place, other_place] as sorted_by,
        words as label,
        other_words as what,
        null as session_no,
        case
            when is_shown then coalesce(round(kappa, 2)::decimal(9, 2)::varchar, 'one of them never varies')
            else too_few
        end as value_text,
        case when is_shown then n::varchar || ' endings that both can judge' end as n_text,
    from judged
    where place < other_place
    union all
    select
        case group_kind when 'early_alliance' then 'by_alliance' else 'by_session' end as topic,
        [
            case group_kind when 'service' then 0 else 1 end,
            dense_rank() over (
                order by
                    case group_id when 'low' then '1' when 'middle' then '2' when 'high' then '3' else label end,
                    group_id
            ),
            place,
            session_no
        ] as sorted_by,
        label,
        what,
        session_no,
        case
            when is_kept_back then 'not shown: one of the clinics must not be told apart'
            when not is_shown then 'too few to show (n < ' || minimum::varchar || ')'
            when low is null then round(100 * incidence)::integer::varchar || ' %'
            else
                round(100 * incidence)::integer::varchar || ' % (' || round(100 * low)::integer::varchar
                || ' to ' || round(100 * high)::integer::varchar || ' %)'
        end as value_text,
        case
            when is_shown and not is_kept_back
                then 'of ' || n_followed::varchar || case landmark_session
                    when 1 then ' courses begun'
                    else ' courses that came to session ' || landmark_session::varchar
                end
        end as n_text,
    from told
)

select
    topic::varchar as topic,
    row_number() over (partition by topic order by sorted_by)::integer as line_order,
    label::varchar as label,
    what::varchar as what,
    session_no::integer as session_no,
    case
        when session_no is not null
            then dense_rank() over (partition by topic order by list_slice(sorted_by, 1, 3))
    end::integer as table_row,
    value_text::varchar as value_text,
    n_text::varchar as n_text,
from line
