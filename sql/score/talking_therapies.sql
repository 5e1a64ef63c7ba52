-- Outcome of one course by the rules of NHS Talking Therapies: caseness, recovery and reliable
-- change on the measure of depression and one measure of anxiety together.
--
-- The measure of anxiety is one made for the disorder where both its scores are there, else the
-- general one at both times.
--
-- grain:   episode_id
-- inputs:  score.talking_therapies_measure
-- columns: episode_id VARCHAR              course with at least one attended session
--          clinic_id VARCHAR               clinic
--          anxiety_instrument_id VARCHAR   measure of anxiety in use; NULL the clinic gives none that
--                                          counts for this course
--          depression_first DECIMAL(12,6)  first score of depression; NULL none early enough
--          depression_last DECIMAL(12,6)   last score of depression
--          anxiety_first DECIMAL(12,6)     first score of anxiety; NULL none early enough
--          anxiety_last DECIMAL(12,6)      last score of anxiety
--          is_paired BOOLEAN               whether both measures have a first and a last score
--          why_unpaired VARCHAR            which pair is missing; NULL none
--          is_case_first BOOLEAN           at caseness on either measure at the start; NULL not known
--          is_case_last BOOLEAN            at caseness on either measure at the end; NULL not known
--          category VARCHAR                improved, deteriorated, no_reliable_change or unpaired; one
--                                          measure better and the other worse is no reliable change
--          is_recovered BOOLEAN            at caseness at the start, below it on both at the end; NULL
--                                          not known, or not at caseness at the start
--          is_reliably_recovered BOOLEAN   recovered and improved; NULL as for is_recovered
--          is_verified BOOLEAN             whether all thresholds used were found in their source
-- version: 1
-- patient: episode_id
with anxiety as (
    select *,
    from score.talking_therapies_measure
    where role = 'anxiety' or (role = 'specific' and is_paired and is_meant)
    qualify row_number() over (
        partition by episode_id
        order by role = 'specific' desc, rank
    ) = 1
),

course as (
    select distinct
        episode_id,
        clinic_id,
    from score.talking_therapies_measure
),

both_measures as (
    select
        course.episode_id,
        course.clinic_id,
        anxiety.instrument_id as anxiety_instrument_id,
        depression.first_value as depression_first,
        depression.last_value as depression_last,
        anxiety.first_value as anxiety_first,
        anxiety.last_value as anxiety_last,
        coalesce(depression.is_paired, false) as has_depression,
        coalesce(anxiety.is_paired, false) as has_anxiety,
        depression.is_case_first or anxiety.is_case_first as is_case_first,
        depression.is_case_last or anxiety.is_case_last as is_case_last,
        depression.is_better or anxiety.is_better as is_better,
        depression.is_worse or anxiety.is_worse as is_worse,
        coalesce(depression.is_verified, true) and coalesce(anxiety.is_verified, true)
            as is_verified,
    from course
    left join score.talking_therapies_measure as depression
        on course.episode_id = depression.episode_id and depression.role = 'depression'
    left join anxiety on course.episode_id = anxiety.episode_id
),

classed as (
    select
        *,
        has_depression and has_anxiety as is_paired,
        case
            when not (has_depression and has_anxiety) then 'unpaired'
            when is_better and not is_worse then 'improved'
            when is_worse and not is_better then 'deteriorated'
            else 'no_reliable_change'
        end as category,
        case when has_depression and has_anxiety and is_case_first then not is_case_last end
            as is_recovered,
    from both_measures
)

select
    episode_id::varchar as episode_id,
    clinic_id::varchar as clinic_id,
    anxiety_instrument_id::varchar as anxiety_instrument_id,
    depression_first::decimal(12, 6) as depression_first,
    depression_last::decimal(12, 6) as depression_last,
    anxiety_first::decimal(12, 6) as anxiety_first,
    anxiety_last::decimal(12, 6) as anxiety_last,
    is_paired::boolean as is_paired,
    case
        when is_paired then null
        when has_depression then 'no pair on a measure of anxiety'
        when has_anxiety then 'no pair on the measure of depression'
        else 'no pair on either measure'
    end::varchar as why_unpaired,
    is_case_first::boolean as is_case_first,
    is_case_last::boolean as is_case_last,
    category::varchar as category,
    is_recovered::boolean as is_recovered,
    case when is_recovered is not null then is_recovered and category = 'improved' end::boolean
        as is_reliably_recovered,
    is_verified::boolean as is_verified,
from classed
