-- How well the tested model foresaw the last sessions of the time it had not seen, for all of them
-- and for parts of them.
--
-- The model is the one that was fitted on what came before. Tenths are of its chances, from the
-- lowest; "top" is the share of sessions an alert would be raised on, in all and month by month.
--
-- grain:   part, part_id
-- inputs:  model.hazard_row, model.person_session, model.risk, ref.setting, score.intake_factor
-- columns: part VARCHAR            all, month, tenth, top, top_of_month, sex, age_band or language
--          part_id VARCHAR         which of them; not recorded where a factor is not known
--          n INTEGER               sessions
--          n_dropouts INTEGER      of these, the last one by the patient's ending alone
--          expected DECIMAL(18,6)  dropouts the model expected
--          rate DECIMAL(18,9)      dropouts per session
--          low DECIMAL(18,9)       lower end of its 95 % interval (Wilson)
--          high DECIMAL(18,9)      upper end of it
--          auc DECIMAL(18,9)       share of pairs in which the dropout had the higher chance; NULL
--                                  without either kind
--          brier DECIMAL(18,9)     mean squared distance of chance and event
--          scaled_brier DECIMAL(18,9) share of the distance that the model saves beside the mean rate;
--                                  NULL without either kind
-- version: 1
with setting as (
    select
        max(value) filter (where name = 'alert_share') as alert_share,
        max(value) filter (where name = 'z_95')::double as z,
    from ref.setting
),

tested as (
    select
        risk.session_id,
        risk.dropout as p,
        (row.outcome = 'dropout')::integer as y,
        strftime(row.session_on, '%Y-%m') as month,
        coalesce(factor.sex, 'not recorded') as sex,
        coalesce(factor.age_band, 'not recorded') as age_band,
        coalesce(factor.language, 'not recorded') as language,
        setting.alert_share,
    from model.risk as risk
    join model.hazard_row as row on risk.session_id = row.session_id
    join model.person_session as session on risk.session_id = session.session_id
    left join score.intake_factor as factor on session.episode_id = factor.episode_id
    cross join setting
    where risk.family = 'held_out' and row.is_held_out
),

ranked as (
    select
        *,
        ntile(10) over (order by p, session_id) as tenth,
        row_number() over (order by p desc, session_id asc)
        <= alert_share * count(*) over () as is_top,
        row_number() over (partition by month order by p desc, session_id asc)
        <= alert_share * count(*) over (partition by month) as is_top_of_month,
    from tested
),

parted as (
    select
        session_id,
        p,
        y,
        unnest(
            [
                struct_pack(part := 'all', part_id := 'all'),
                struct_pack(part := 'month', part_id := month),
                struct_pack(part := 'tenth', part_id := tenth::varchar),
                struct_pack(part := 'top', part_id := case when is_top then 'all' end),
                struct_pack(part := 'top_of_month', part_id := case when is_top_of_month then month end),
                struct_pack(part := 'sex', part_id := sex),
                struct_pack(part := 'age_band', part_id := age_band),
                struct_pack(part := 'language', part_id := language)
            ]
        ) as place,
    from ranked
),

placed as (
    select
        parted.place.part,
        parted.place.part_id,
        parted.p,
        parted.y,
        rank() over by_chance + (count(*) over same_chance - 1) / 2.0 as middle_rank,
    from parted
    where parted.place.part_id is not null
    window
        by_chance as (partition by parted.place.part, parted.place.part_id order by parted.p),
        same_chance as (partition by parted.place.part, parted.place.part_id, parted.p)
),

counted as (
    select
        part,
        part_id,
        count(*)::double as n,
        sum(y)::double as n_dropouts,
        sum(p::decimal(38, 18)) as expected,
        sum(case when y = 1 then middle_rank else 0 end::decimal(38, 1))::double as rank_sum,
        sum(((p - y) * (p - y))::decimal(38, 18))::double as distance,
    from placed
    group by part, part_id
),

judged as (
    select
        counted.*,
        counted.n_dropouts / counted.n as rate,
        counted.distance / counted.n as brier,
        setting.z,
        (counted.n_dropouts * (counted.n - counted.n_dropouts)) as pairs,
    from counted
    cross join setting
)

select
    part::varchar as part,
    part_id::varchar as part_id,
    n::integer as n,
    n_dropouts::integer as n_dropouts,
    round(expected, 6)::decimal(18, 6) as expected,
    round(rate, 9)::decimal(18, 9) as rate,
    round(
        (rate + z * z / (2 * n) - z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)))
        / (1 + z * z / n), 9
    )::decimal(18, 9) as low,
    round(
        (rate + z * z / (2 * n) + z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)))
        / (1 + z * z / n), 9
    )::decimal(18, 9) as high,
    round((rank_sum - n_dropouts * (n_dropouts + 1) / 2) / nullif(pairs, 0), 9)::decimal(18, 9) as auc,
    round(brier, 9)::decimal(18, 9) as brier,
    round(1 - brier / nullif(rate * (1 - rate), 0), 9)::decimal(18, 9) as scaled_brier,
from judged
