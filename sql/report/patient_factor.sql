-- Completeness and early alliance by who the patients are, as printed.
--
-- grain:   factor, level, instrument_id
-- inputs:  measure.patient_factor, ref.instrument, ref.setting
-- columns: factor VARCHAR             factor
--          level VARCHAR              level
--          instrument_id VARCHAR      alliance questionnaire rated by the patient
--          factor_text VARCHAR        factor in words
--          level_text VARCHAR         level in words
--          instrument VARCHAR         name of the questionnaire
--          patients_text VARCHAR      patients as printed
--          completeness_text VARCHAR  forms of those expected as printed; NULL withheld
--          early_text VARCHAR         early alliance with its interval as printed; NULL withheld
--          note VARCHAR               why withheld; NULL shown
--          row_order INTEGER          order on the page
-- version: 1
with setting as (
    select max(value) filter (where name = 'minimum_shown')::integer as minimum,
    from ref.setting
),

word as (
    select
        listed.factor,
        listed.words,
        listed.place,
    from (
        values
        ('sex', 'Sex', 1),
        ('age_band', 'Age at intake', 2),
        ('language', 'Language', 3),
        ('interpreter_needed', 'Interpreter needed', 4)
    ) as listed (factor, words, place)
)

select
    strata.factor::varchar as factor,
    strata.level::varchar as level,
    strata.instrument_id::varchar as instrument_id,
    word.words::varchar as factor_text,
    case
        when strata.factor = 'age_band'
            then
                replace(
                    replace(replace(strata.level, 'under_', 'under '), 'over_', 'over '), '_', '–'
                )
        else strata.level
    end::varchar as level_text,
    instrument.name::varchar as instrument,
    case
        when strata.withheld is null then strata.n_patients::varchar
        when strata.withheld = 'too few' then 'fewer than ' || setting.minimum::varchar
        else 'not shown'
    end::varchar as patients_text,
    case
        when strata.withheld is null and strata.n_expected > 0
            then
                round(100 * strata.n_rated / strata.n_expected)::integer::varchar
                || ' % ('
                || strata.n_rated::varchar
                || ' of '
                || strata.n_expected::varchar
                || ')'
    end::varchar as completeness_text,
    case
        when strata.withheld is null and strata.n_early >= setting.minimum
            then
                round(strata.early_mean, 2)::decimal(9, 2)::varchar
                || ' ('
                || round(strata.early_low, 2)::decimal(9, 2)::varchar
                || ' to '
                || round(strata.early_high, 2)::decimal(9, 2)::varchar
                || '), '
                || strata.n_early::varchar
                || ' courses'
    end::varchar as early_text,
    case strata.withheld
        when 'too few' then 'too few to show (n < ' || setting.minimum::varchar || ')'
        when 'complement'
            then 'not shown: it would give away a group that is too small to show'
    end::varchar as note,
    row_number() over (
        order by instrument.name, strata.instrument_id, word.place, strata.level
    )::integer as row_order,
from measure.patient_factor as strata
join word on strata.factor = word.factor
join ref.instrument as instrument on strata.instrument_id = instrument.instrument_id
cross join setting
