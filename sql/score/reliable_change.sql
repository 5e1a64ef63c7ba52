-- Change of one course on one symptom or well-being instrument: first against last valid score,
-- and its class.
--
-- The first score must be no later than the second attended session. A form filled in after the
-- last session and its window is a follow-up and not the last score.
--
-- grain:   episode_id, instrument_id
-- inputs:  ref.instrument, ref.reliable_change, ref.scale, ref.setting, score.course_appointment,
--          score.end_state, score.form_place, score.protocol, score.scale_score
-- columns: episode_id VARCHAR         course
--          instrument_id VARCHAR      instrument the clinic uses
--          clinic_id VARCHAR          clinic
--          category VARCHAR           improved, deteriorated, no_reliable_change or unpaired
--          why_unpaired VARCHAR       reason; NULL where the pair is complete
--          first_form_id VARCHAR      form with the first score; NULL none
--          last_form_id VARCHAR       form with the last score, of a later day; NULL none
--          first_value DECIMAL(12,6)  first score
--          baseline_value DECIMAL(12,6) first score, where it is early enough to start from
--          last_value DECIMAL(12,6)   last score
--          improvement DECIMAL(12,6)  change towards better; NULL unless paired
--          threshold DECIMAL(9,3)     reliable change in use; NULL where the instrument has none
--          threshold_op VARCHAR       its operator
--          first_on DATE              day of the first score
--          last_on DATE               day of the last score
--          sessions_before_end INTEGER attended sessions after the last score
-- version: 3
-- patient: episode_id
with setting as (
    select
        max(value) filter (where name = 'baseline_session') as baseline_session,
        max(value) filter (where name = 'attach_after_days') as follow_up_days,
    from ref.setting
),

attended as (
    select
        session.episode_id,
        max(session.session_on) filter (where session.session_no <= setting.baseline_session)
            as baseline_on,
    from score.course_appointment as session
    cross join setting
    where session.status = 'attended'
    group by session.episode_id
),

wanted as (
    select
        end_state.episode_id,
        end_state.clinic_id,
        end_state.last_attended_on,
        protocol.instrument_id,
        attended.baseline_on,
    from attended
    join score.end_state as end_state on attended.episode_id = end_state.episode_id
    join
        score.protocol as protocol
        on end_state.clinic_id = protocol.clinic_id and protocol.kind <> 'alliance'
),

scored as (
    select
        wanted.episode_id,
        wanted.instrument_id,
        place.form_id,
        place.answered_on,
        place.answered_at,
        score.value,
        place.session_no is not null
        or place.answered_on <= wanted.last_attended_on + setting.follow_up_days::integer
            as is_in_course,
        coalesce(
            place.session_no <= setting.baseline_session, false
        ) or place.answered_on <= wanted.baseline_on as is_baseline,
    from wanted
    join score.form_place as place
        on wanted.episode_id = place.episode_id and wanted.instrument_id = place.instrument_id
    join score.scale_score as score on place.form_id = score.form_id and score.is_primary
    cross join setting
    where score.value is not null
),

follow_up as (
    select distinct
        episode_id,
        instrument_id,
    from scored
    where not is_in_course
),

pair as (
    select
        episode_id,
        instrument_id,
        count(*) over course as n_scores,
        form_id as first_form_id,
        value as first_value,
        is_baseline,
        answered_on as first_on,
        last_value(form_id) over course as last_form_id,
        last_value(value) over course as last_value,
        last_value(answered_on) over course as last_on,
    from scored
    where is_in_course
    window
        course as (
            partition by episode_id, instrument_id
            order by answered_at, form_id
            rows between unbounded preceding and unbounded following
        )
    qualify row_number() over course = 1
),

threshold as (
    select
        change.instrument_id,
        change.op,
        change.value,
    from ref.reliable_change as change
    join ref.scale as scale
        on change.instrument_id = scale.instrument_id and change.scale = scale.scale
    where change.is_default and scale.is_primary
),

judged as (
    select
        wanted.episode_id,
        wanted.instrument_id,
        wanted.clinic_id,
        pair.first_form_id,
        pair.first_value,
        pair.is_baseline,
        pair.first_on,
        pair.last_form_id,
        pair.last_value,
        pair.last_on,
        threshold.value as threshold,
        threshold.op as threshold_op,
        case
            when pair.n_scores is null and follow_up.episode_id is not null
                then 'no score before the last session was over'
            when pair.n_scores is null then 'no valid score'
            when not pair.is_baseline then 'no score by the second session'
            when pair.first_on = pair.last_on then 'no second score on a later day'
            when threshold.value is null then 'no reliable change published'
        end as why_unpaired,
        instrument.direction * (pair.last_value - pair.first_value) as improvement,
    from wanted
    left join
        pair
        on wanted.episode_id = pair.episode_id and wanted.instrument_id = pair.instrument_id
    left join follow_up
        on
            wanted.episode_id = follow_up.episode_id
            and wanted.instrument_id = follow_up.instrument_id
    join ref.instrument as instrument on wanted.instrument_id = instrument.instrument_id
    left join threshold on wanted.instrument_id = threshold.instrument_id
),

after_last as (
    select
        judged.episode_id,
        judged.instrument_id,
        count(*) as n_sessions,
    from judged
    join score.course_appointment as session
        on
            judged.episode_id = session.episode_id
            and session.status = 'attended'
            and judged.last_on < session.session_on
    group by judged.episode_id, judged.instrument_id
)

select
    judged.episode_id::varchar as episode_id,
    judged.instrument_id::varchar as instrument_id,
    judged.clinic_id::varchar as clinic_id,
    case
        when judged.why_unpaired is not null then 'unpaired'
        when judged.improvement > judged.threshold then 'improved'
        when -judged.improvement > judged.threshold then 'deteriorated'
        when judged.threshold_op = '>=' and judged.improvement = judged.threshold then 'improved'
        when
            judged.threshold_op = '>=' and -judged.improvement = judged.threshold
            then 'deteriorated'
        else 'no_reliable_change'
    end::varchar as category,
    judged.why_unpaired::varchar as why_unpaired,
    judged.first_form_id::varchar as first_form_id,
    case when judged.last_on > judged.first_on then judged.last_form_id end::varchar
        as last_form_id,
    judged.first_value::decimal(12, 6) as first_value,
    case when judged.is_baseline then judged.first_value end::decimal(12, 6) as baseline_value,
    case when judged.last_on > judged.first_on then judged.last_value end::decimal(12, 6)
        as last_value,
    case when judged.why_unpaired is null then judged.improvement end::decimal(12, 6)
        as improvement,
    judged.threshold::decimal(9, 3) as threshold,
    judged.threshold_op::varchar as threshold_op,
    judged.first_on::date as first_on,
    case when judged.last_on > judged.first_on then judged.last_on end::date as last_on,
    case when judged.last_on is not null then coalesce(after_last.n_sessions, 0) end::integer
        as sessions_before_end,
from judged
left join after_last
    on judged.episode_id = after_last.episode_id and judged.instrument_id = after_last.instrument_id
