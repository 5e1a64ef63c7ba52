-- Completeness and early alliance by who the patients are: service level only.
--
-- Where one level of a factor has too few patients to show, the next smallest is withheld with it:
-- the total would give the one away.
--
-- grain:   factor, level, instrument_id
-- inputs:  ref.period, ref.setting, score.alliance_session, score.course, score.early_alliance,
--          score.intake_factor
-- columns: factor VARCHAR            sex, age_band, language, interpreter_needed
--          level VARCHAR             level as recorded; not recorded
--          instrument_id VARCHAR     alliance questionnaire rated by the patient
--          n_patients INTEGER        patients with an attended session in the year
--          n_expected INTEGER        sessions that should have the form
--          n_rated INTEGER           of these, with the form
--          n_early INTEGER           courses of these patients whose first sessions were over in the
--                                    year, with an early alliance
--          early_mean DOUBLE         mean of their early alliance
--          early_low DOUBLE          lower end of its 95 % interval
--          early_high DOUBLE         upper end of its 95 % interval
--          withheld VARCHAR          too few, complement; NULL shown
-- version: 1
with setting as (
    select
        max(value) filter (where name = 'minimum_shown') as minimum,
        max(value) filter (where name = 'z_95')::double as z_95,
    from ref.setting
),

factor as (
    select
        episode_id,
        unnest(['sex', 'age_band', 'language', 'interpreter_needed']) as factor,
        coalesce(
            unnest([sex, age_band, language, interpreter_needed]), 'not recorded'
        ) as level,
    from score.intake_factor
),

session as (
    select
        factor.factor,
        factor.level,
        session.instrument_id,
        count(distinct course.patient_id) as n_patients,
        count(*) filter (where session.is_expected) as n_expected,
        count(*) filter (where session.is_expected and session.value is not null) as n_rated,
    from score.alliance_session as session
    join ref.period as period
        on
            period.period_id = 'year'
            and session.session_on between period.period_start and period.period_end
    join score.course as course on session.episode_id = course.episode_id
    join factor on session.episode_id = factor.episode_id
    group by factor.factor, factor.level, session.instrument_id
),

early as (
    select
        factor.factor,
        factor.level,
        early.instrument_id,
        count(early.mean) as n,
        sum(early.mean)::double as total,
        sum(early.mean * early.mean)::double as squares,
    from score.early_alliance as early
    join ref.period as period
        on
            period.period_id = 'year'
            and early.early_on between period.period_start and period.period_end
    join factor on early.episode_id = factor.episode_id
    where early.is_complete
    group by factor.factor, factor.level, early.instrument_id
),

placed as (
    select
        session.*,
        coalesce(early.n, 0) as n_early,
        early.total,
        early.squares,
        setting.minimum,
        setting.z_95,
        session.n_patients < setting.minimum as is_small,
        count(*) filter (where session.n_patients < setting.minimum) over by_factor as n_small,
        row_number() over (
            partition by
                session.factor, session.instrument_id, session.n_patients < setting.minimum
            order by session.n_patients, session.level
        ) as place,
    from session
    left join early using (factor, level, instrument_id)
    cross join setting
    window by_factor as (partition by session.factor, session.instrument_id)
)

select
    factor::varchar as factor,
    level::varchar as level,
    instrument_id::varchar as instrument_id,
    n_patients::integer as n_patients,
    n_expected::integer as n_expected,
    n_rated::integer as n_rated,
    n_early::integer as n_early,
    case when n_early > 0 then total / n_early end::double as early_mean,
    case
        when n_early > 1
            then
                total / n_early
                - z_95 * sqrt((squares - total * total / n_early) / (n_early - 1) / n_early)
    end::double as early_low,
    case
        when n_early > 1
            then
                total / n_early
                + z_95 * sqrt((squares - total * total / n_early) / (n_early - 1) / n_early)
    end::double as early_high,
    case
        when is_small then 'too few'
        when n_small = 1 and not is_small and place = 1 then 'complement'
    end::varchar as withheld,
from placed
