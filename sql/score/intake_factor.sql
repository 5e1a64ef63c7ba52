-- What was recorded of a patient at the start of one course: the factors that figures compare like
-- with like by.
--
-- grain:   episode_id
-- inputs:  score.course, valid.episode
-- columns: episode_id VARCHAR         course
--          clinic_id VARCHAR          clinic
--          sex VARCHAR                female, male, other; this and what follows NULL not recorded
--          age_band VARCHAR           age at intake, in bands
--          language VARCHAR           code of ISO 639
--          interpreter_needed VARCHAR yes or no
--          diagnosis_group VARCHAR    group of the main diagnosis
--          previous_treatment VARCHAR yes or no
--          employment VARCHAR         employed, unemployed, ...
--          referred_on DATE           day of the referral
-- version: 1
-- patient: episode_id
with word as (
    -- rows that repeat a course may state a fact once: of each fact the newest word stands
    select
        episode.*,
        row_number() over (
            partition by episode.episode_id
            order by
                episode.known_from asc,
                episode.ended_on asc nulls first,
                episode.delivery_id desc,
                episode.line asc
        ) as word_no,
    from valid.episode as episode
),

newest as (
    select
        episode_id,
        arg_max(sex, word_no) as sex,
        arg_max(age_band, word_no) as age_band,
        arg_max(language, word_no) as language,
        arg_max(interpreter_needed, word_no) as interpreter_needed,
        arg_max(diagnosis_group, word_no) as diagnosis_group,
        arg_max(previous_treatment, word_no) as previous_treatment,
        arg_max(employment, word_no) as employment,
        arg_max(referred_on, word_no) as referred_on,
    from word
    group by episode_id
)

select
    course.episode_id::varchar as episode_id,
    course.clinic_id::varchar as clinic_id,
    newest.sex::varchar as sex,
    newest.age_band::varchar as age_band,
    newest.language::varchar as language,
    newest.interpreter_needed::varchar as interpreter_needed,
    newest.diagnosis_group::varchar as diagnosis_group,
    newest.previous_treatment::varchar as previous_treatment,
    newest.employment::varchar as employment,
    newest.referred_on::date as referred_on,
from score.course as course
left join newest on course.episode_id = newest.episode_id
