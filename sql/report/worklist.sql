-- Open course on a therapist's worklist: to act on this week, acted on, or beyond the budget.
--
-- Row level: for the care team alone. A course that was listed this week keeps its place; others
-- come in while the week's budget is not used up. Whoever objects is not here. In the order of
-- risk, those come first of whom something is known since that the chance does not know.
--
-- grain:   episode_id
-- inputs:  landed.alert, model.risk, ref.setting, ref.worklist_fact, report.chance_reason,
--          report.open_course, report.worklist_order, score.action, score.clinic_with_bookings,
--          score.course_appointment, score.course_sign, score.end_state, score.objection
-- columns: episode_id VARCHAR       course
--          clinic_id VARCHAR        clinic
--          therapist_id VARCHAR     therapist it is attributed to
--          patient_id VARCHAR       patient
--          patient VARCHAR          first digits of the patient's pseudonym
--          session_id VARCHAR       newest attended session
--          n_attended INTEGER       attended sessions
--          last_attended_on DATE    day of the last one
--          next_booked_on DATE      next appointment booked; NULL none, or not known
--          is_booking_known BOOLEAN whether the clinic's exports tell what is booked
--          section VARCHAR          to_do, acted_on, beyond, or nothing where no fact stands out
--          place INTEGER            order within the therapist's section
--          ordered_by VARCHAR       risk or facts
--          facts VARCHAR[]          plain facts that stand, the most pressing first
--          signs VARCHAR[]          what should be spoken about, in words
--          chance DOUBLE            that the patient leaves after that session; NULL not shown
--          chance_text VARCHAR      the same in words; NULL not shown
--          raises VARCHAR[]         what raises it; NULL not shown
--          lowers VARCHAR[]         what lowers it; NULL not shown
--          model_id VARCHAR         model it is by; NULL not shown
--          fitted_on DATE           night that model was fitted; NULL not shown
--          factors VARCHAR[]        everything that went into it; NULL not shown
--          contributions DECIMAL(38,18)[] what each factor adds to its logit; NULL not shown
--          input_names VARCHAR[]    what was known at the end of the session; NULL not shown
--          inputs DOUBLE[]          its values; NULL not shown
--          tried_on DATE[]          days of what was done since the last session, the newest first
--          tried VARCHAR[]          what was done
--          tried_outcome VARCHAR[]  what came of it; NULL not recorded
-- version: 2
with setting as (
    select
        max(value) filter (where name = 'alert_budget')::integer as alert_budget,
        max(value) filter (where name = 'action_days')::integer as action_days,
    from ref.setting
),

fact as (
    select
        sign.episode_id,
        min(fact.rank) as first_rank,
        count(*) as n,
        array_agg(sign.sign order by fact.rank) as facts,
        count(*) filter (where fact.is_before_chance) as n_before_chance,
    from score.course_sign as sign
    join ref.worklist_fact as fact on sign.sign = fact.sign
    group by sign.episode_id
),

before_chance as (
    select count(*) as n,
    from ref.worklist_fact
    where is_before_chance
),

appointment as (
    select
        episode_id,
        arg_max(session_id, session_no) filter (where status = 'attended') as session_id,
        max(session_on) filter (where status <> 'booked') as last_on,
        arg_max(status = 'attended', (session_on, session_id)) filter (where status <> 'booked')
            as is_kept,
        min(session_on) filter (where status = 'booked' and session_on >= getvariable('as_of')::date)
            as next_booked_on,
    from score.course_appointment
    group by episode_id
),

done as (
    select
        action.episode_id,
        max(action.acted_on) as last_on,
        array_agg(action.acted_on order by action.acted_on desc, action.action_id asc) as tried_on,
        array_agg(
            case action.kind
                when 'call' then 'Called'
                when 'message' then 'Wrote a message'
                when 'letter' then 'Wrote a letter'
                when 'appointment_offered' then 'Offered an appointment'
                when 'alliance_talk' then 'Talked about the alliance'
                when 'case_discussed' then 'Discussed the case'
                when 'none_needed' then 'No action needed'
                else 'Something else'
            end
            order by action.acted_on desc, action.action_id asc
        ) as tried,
        array_agg(
            case action.outcome
                when 'reached' then 'reached'
                when 'not_reached' then 'not reached'
                when 'appointment_made' then 'appointment made'
                when 'declined' then 'declined'
            end
            order by action.acted_on desc, action.action_id asc
        ) as tried_outcome,
    from score.action as action
    join appointment on action.episode_id = appointment.episode_id
    -- on the day of a missed appointment somebody called; on that of a session it belongs to it
    where action.acted_on >= appointment.last_on + appointment.is_kept::integer
    group by action.episode_id
),

listed_this_week as (
    select distinct
        therapist_id,
        episode_id,
    from landed.alert
    where as_of >= date_trunc('week', getvariable('as_of')::date)::date
),

used as (
    select
        therapist_id,
        count(*) as n,
    from listed_this_week
    group by therapist_id
),

course as (
    select
        open.*,
        end_state.patient_id,
        appointment.session_id,
        appointment.next_booked_on,
        booking.clinic_id is not null as is_booking_known,
        clinic.ordered_by,
        fact.facts,
        fact.first_rank,
        fact.n as n_facts,
        case when clinic.ordered_by = 'risk' then risk.dropout end as chance,
        clinic.ordered_by = 'risk' and coalesce(fact.n_before_chance = before_chance.n, false)
            as is_before_chance,
        done.tried_on,
        done.tried,
        done.tried_outcome,
        setting.alert_budget - coalesce(used.n, 0) as budget_left,
        listed_this_week.episode_id is not null as is_listed_already,
        coalesce(done.last_on > getvariable('as_of')::date - setting.action_days, false) as is_acted_on,
    from report.open_course as open
    join score.end_state as end_state on open.episode_id = end_state.episode_id
    join appointment on open.episode_id = appointment.episode_id
    join report.worklist_order as clinic on open.clinic_id = clinic.clinic_id
    cross join setting
    cross join before_chance
    left join score.clinic_with_bookings as booking on open.clinic_id = booking.clinic_id
    left join fact on open.episode_id = fact.episode_id
    left join model.risk as risk
        on appointment.session_id = risk.session_id and risk.family = 'last_session'
    left join done on open.episode_id = done.episode_id
    left join used on open.therapist_id = used.therapist_id
    left join listed_this_week
        on
            open.therapist_id = listed_this_week.therapist_id
            and open.episode_id = listed_this_week.episode_id
    where open.episode_id not in (select objection.episode_id, from score.objection as objection)
),

judged as (
    select
        *,
        case
            when is_acted_on then 'acted_on'
            when ordered_by = 'facts' and facts is null then 'nothing'
            when is_listed_already then 'to_do'
            else 'waiting'
        end as standing,
    from course
),

placed as (
    select
        *,
        row_number() over (
            partition by therapist_id, standing
            order by
                is_before_chance desc,
                chance desc nulls last,
                first_rank asc nulls last,
                n_facts desc nulls last,
                last_attended_on asc,
                episode_id asc
        ) as place_of_standing,
    from judged
),

sectioned as (
    select
        *,
        case
            when standing <> 'waiting' then standing
            when place_of_standing <= budget_left then 'to_do'
            else 'beyond'
        end as section,
    from placed
)

select
    sectioned.episode_id::varchar as episode_id,
    sectioned.clinic_id::varchar as clinic_id,
    sectioned.therapist_id::varchar as therapist_id,
    sectioned.patient_id::varchar as patient_id,
    sectioned.patient::varchar as patient,
    sectioned.session_id::varchar as session_id,
    sectioned.n_attended::integer as n_attended,
    sectioned.last_attended_on::date as last_attended_on,
    sectioned.next_booked_on::date as next_booked_on,
    sectioned.is_booking_known::boolean as is_booking_known,
    sectioned.section::varchar as section,
    row_number() over (
        partition by sectioned.therapist_id, sectioned.section
        order by
            sectioned.is_before_chance desc,
            sectioned.chance desc nulls last,
            sectioned.first_rank asc nulls last,
            sectioned.n_facts desc nulls last,
            sectioned.last_attended_on asc,
            sectioned.episode_id asc
    )::integer as place,
    sectioned.ordered_by::varchar as ordered_by,
    coalesce(sectioned.facts, [])::varchar[] as facts,
    sectioned.signs::varchar[] as signs,
    sectioned.chance::double as chance,
    case
        when sectioned.chance < 0.01 then 'under 1 %'
        when sectioned.chance is not null then round(100 * sectioned.chance)::integer::varchar || ' %'
    end::varchar as chance_text,
    reason.raises::varchar[] as raises,
    reason.lowers::varchar[] as lowers,
    reason.model_id::varchar as model_id,
    reason.fitted_on::date as fitted_on,
    reason.factors::varchar[] as factors,
    reason.contributions::decimal(38, 18)[] as contributions,
    reason.input_names::varchar[] as input_names,
    reason.inputs::double[] as inputs,
    coalesce(sectioned.tried_on, [])::date[] as tried_on,
    coalesce(sectioned.tried, [])::varchar[] as tried,
    coalesce(sectioned.tried_outcome, [])::varchar[] as tried_outcome,
from sectioned
left join report.chance_reason as reason on sectioned.session_id = reason.session_id
