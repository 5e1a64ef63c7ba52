-- How far two definitions of dropout agree over the ended courses of the service in which both have
-- something to go by; a definition beside itself gives its own rate.
--
-- Cohen's kappa: agreement beyond what the two rates alone would give by chance.
--
-- grain:   period_id, definition, other_definition
-- inputs:  ref.period, ref.setting, score.dropout_definition
-- columns: period_id VARCHAR         period the courses ended in
--          definition VARCHAR        one definition
--          other_definition VARCHAR  the other, or the same
--          n INTEGER                 courses that both judge
--          n_neither INTEGER         of these, a dropout by neither
--          n_one INTEGER             by the one only
--          n_other INTEGER           by the other only
--          n_both INTEGER            by both
--          kappa DECIMAL(18,9)       agreement beyond chance; NULL where one never varies
--          rate DECIMAL(18,9)        dropouts by the one, of those both judge
--          low DECIMAL(18,9)         lower end of its 95 % interval (Wilson)
--          high DECIMAL(18,9)        upper end of it
-- version: 1
with setting as (
    select max(value) filter (where name = 'z_95')::double as z,
    from ref.setting
),

pair as (
    select
        period.period_id,
        one.definition,
        other.definition as other_definition,
        count(*)::double as n,
        count(*) filter (where not one.is_dropout and not other.is_dropout)::double as n_neither,
        count(*) filter (where one.is_dropout and not other.is_dropout)::double as n_one,
        count(*) filter (where not one.is_dropout and other.is_dropout)::double as n_other,
        count(*) filter (where one.is_dropout and other.is_dropout)::double as n_both,
        max(setting.z) as z,
    from score.dropout_definition as one
    join score.dropout_definition as other on one.episode_id = other.episode_id
    join ref.period as period on one.ended_on between period.period_start and period.period_end
    cross join setting
    where one.is_dropout is not null and other.is_dropout is not null
    group by period.period_id, one.definition, other.definition
),

chance as (
    select
        *,
        (n_neither + n_both) / n as observed,
        (
            (n_both + n_one) * (n_both + n_other) + (n_neither + n_one) * (n_neither + n_other)
        ) / (n * n) as by_chance,
        (n_both + n_one) / n as rate,
    from pair
)

select
    period_id::varchar as period_id,
    definition::varchar as definition,
    other_definition::varchar as other_definition,
    n::integer as n,
    n_neither::integer as n_neither,
    n_one::integer as n_one,
    n_other::integer as n_other,
    n_both::integer as n_both,
    round((observed - by_chance) / nullif(1 - by_chance, 0), 9)::decimal(18, 9) as kappa,
    round(rate, 9)::decimal(18, 9) as rate,
    round(
        (
            rate + z * z / (2 * n) - z * sqrt(rate * (1 - rate) / n + z * z / (4.0 * n * n))
        ) / (1 + z * z / n), 9
    )::decimal(18, 9) as low,
    round(
        (
            rate + z * z / (2 * n) + z * sqrt(rate * (1 - rate) / n + z * z / (4.0 * n * n))
        ) / (1 + z * z / n), 9
    )::decimal(18, 9) as high,
from chance
