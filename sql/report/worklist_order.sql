-- What the worklists of a clinic are ordered by, and why.
--
-- By the chance of leaving only where the service states what showing it rests on, the model has
-- passed its test, and the clinic says how its courses end; else by plain facts.
--
-- grain:   clinic_id
-- inputs:  measure.risk_gate, model.reason_share, ref.clinic, ref.night, score.end_state,
--          valid.objection
-- columns: clinic_id VARCHAR     clinic
--          ordered_by VARCHAR    risk or facts
--          order_text VARCHAR    what it is ordered by
--          why_text VARCHAR      what showing chances rests on, or why none are shown
--          n_objections INTEGER  patients of the clinic who object to being estimated
-- version: 2
with lawful as (
    select
        risk_owner,
        risk_basis,
        risk_assessment,
        risk_assessed_on,
        coalesce(risk_assessed_on <= getvariable('as_of')::date, false) as is_lawful,
    from ref.night
),

gate as (
    select
        coalesce(arg_max(is_shown, month), false) as is_shown,
        coalesce(arg_max(why_not, month), 'it was never tested') as why_not,
    from measure.risk_gate
),

objection as (
    select
        clinic_id,
        count(*) as n,
    from valid.objection
    group by clinic_id
),

clinic as (
    -- courses of a clinic whose mapping was taken out go on
    select clinic_id, from ref.clinic
    union
    select clinic_id, from score.end_state
),

judged as (
    select
        clinic.clinic_id,
        coalesce(objection.n, 0) as n_objections,
        lawful.*,
        gate.why_not,
        coalesce(reason.is_enough, false) as is_enough,
        case
            when lawful.risk_assessed_on is null then 'not stated'
            when not lawful.is_lawful then 'not yet'
            when not coalesce(reason.is_enough, false) then 'reasons'
            when not gate.is_shown then 'model'
            else 'shown'
        end as verdict,
    from clinic
    cross join lawful
    cross join gate
    left join model.reason_share as reason on clinic.clinic_id = reason.clinic_id
    left join objection on clinic.clinic_id = objection.clinic_id
)

select
    clinic_id::varchar as clinic_id,
    case when verdict = 'shown' then 'risk' else 'facts' end::varchar as ordered_by,
    case
        when verdict = 'shown'
            then
                'In the order of the chance that the last session was the last one, as the model estimates it'
                || ' from what was known when it ended. Before all of them stand those who have missed an'
                || ' appointment since and have none booked: no chance knows that.'
        else
            'In the order of plain facts: last appointment missed, none booked, a rupture open, a form'
            || ' missing, not on track. No score is made of them.'
    end::varchar as order_text,
    case verdict
        when 'shown'
            then
                format(
                    'Showing chances rests on: {}. Impact assessment: {}. Answering for their safety: {}.',
                    risk_basis, risk_assessment, risk_owner
                )
        when 'not stated'
            then
                'Chances of leaving are not shown: rapport.toml does not state what showing them rests'
                || ' on. Where that is settled, write under [governance.patient_risk]: safety_owner,'
                || ' legal_basis, and impact_assessment = { reference = "...", date = 2026-01-31 }.'
        when 'not yet'
            then
                'Chances of leaving are not shown: the impact assessment that rapport.toml names holds'
                || ' from a later day on.'
        when 'reasons'
            then
                'Chances of leaving are not shown: this clinic states a reason for too few of its endings.'
        else format('Chances of leaving are not shown: {}.', why_not)
    end::varchar as why_text,
    n_objections::integer as n_objections,
from judged
