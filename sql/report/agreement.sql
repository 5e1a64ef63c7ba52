-- Second computation of the night's figures as printed: how many agree, all together and by topic.
--
-- grain:   topic
-- inputs:  measure.agreement
-- columns: topic VARCHAR         what was computed a second time; all figures first
--          table_name VARCHAR    table that states it; NULL for all together
--          state VARCHAR         agree, disagree or not checked
--          agree_text VARCHAR    how many of how many agree, in words
--          scope_text VARCHAR    how much was computed again
--          agreement_order INTEGER order on the page: what disagrees first
-- version: 1
with judged as (
    select
        topic,
        table_name,
        n_checked,
        n_agree,
        is_whole,
        case
            when why_not is not null then 'not checked'
            when n_agree < n_checked then 'disagree'
            else 'agree'
        end as state,
        why_not,
        n_patients,
        n_patients_all,
        seed,
    from measure.agreement
),

together as (
    select
        'all figures' as topic,
        null as table_name,
        sum(n_checked) as n_checked,
        sum(n_agree) as n_agree,
        case
            when count(*) filter (where state = 'disagree') > 0 then 'disagree'
            when count(*) filter (where state = 'agree') < count(*) or count(*) = 0
                then 'not checked'
            else 'agree'
        end as state,
        case
            when max(n_patients) < max(n_patients_all)
                then
                    max(n_patients)::varchar || ' of ' || max(n_patients_all)::varchar
                    || ' patients, drawn by the number ' || max(seed)::varchar
            else 'all patients'
        end as scope_text,
        case
            when count(*) filter (where state = 'not checked') > 0
                then
                    count(*) filter (where state = 'not checked')::varchar
                    || ' topics could not be checked'
        end as why_not,
    from judged
),

listed as (
    select
        topic,
        table_name,
        n_checked,
        n_agree,
        state,
        case when is_whole then 'all' else 'a sample' end as scope_text,
        why_not,
    from judged
    union all by name
    select *, from together
)

select
    topic::varchar as topic,
    table_name::varchar as table_name,
    state::varchar as state,
    concat_ws(
        '; ',
        case
            when table_name is null or why_not is null
                then
                    coalesce(n_agree, 0)::varchar || ' of ' || coalesce(n_checked, 0)::varchar
                    || ' figures agree'
        end,
        why_not
    )::varchar as agree_text,
    scope_text::varchar as scope_text,
    row_number() over (
        order by
            table_name is not null,
            case state when 'disagree' then 0 when 'not checked' then 1 else 2 end,
            topic
    )::integer as agreement_order,
from listed
