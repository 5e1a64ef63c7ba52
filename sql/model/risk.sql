-- Chance that one attended session was the last of its course, and how it ended, by a fitted model;
-- and the chance of leaving within five sessions, this one the first of them.
--
-- For the sessions ahead everything known now is carried forward and only the number of the session
-- moves on. For testing the model, and for pages once the law allows it; today no page shows it.
--
-- grain:   family, session_id
-- inputs:  model.coefficient, model.fit, model.person_session, model.reason_share, model.risk_term
-- columns: family VARCHAR             last_session: the model in use; held_out: the one that is
--                                     tested
--          session_id VARCHAR         attended session
--          dropout DOUBLE             chance that it was the last, by the patient's ending alone
--          planned DOUBLE             chance that it was the last, as planned
--          other DOUBLE               chance that it was the last, otherwise or without a reason
--          dropout_within_five DOUBLE chance that the patient leaves after this session or one of the
--                                     next four
-- version: 1
with family as (
    select distinct
        family,
        outcome,
    from model.risk_term
),

newest as (
    select max(split_part(model_id, '/', 1)) as held_out,
    from model.fit
    where starts_with(model_id, 'held_out_') and is_used
),

term as (
    select
        family.family,
        family.outcome,
        coefficient.term,
        coefficient.estimate,
        coefficient.centre,
    from family
    cross join newest
    join model.coefficient as coefficient
        on
            case family.family when 'held_out' then newest.held_out else family.family end
            || '/' || family.outcome = coefficient.model_id
    where coefficient.term = 'intercept' or starts_with(coefficient.term, 'session_band=')
),

band as (
    -- the logit of a band, with everything else at its mean
    select
        term.family,
        term.outcome,
        listed.session_band,
        sum(
            (
                case
                    when term.term = 'intercept' then term.estimate
                    when term.term = 'session_band=' || listed.session_band
                        then term.estimate * (1 - term.centre)
                    else -term.estimate * term.centre
                end
            )::decimal(38, 18)
        ) as logit,
    from term
    cross join (values ('1'), ('2'), ('3'), ('4'), ('5-8'), ('9+')) as listed (session_band)
    group by term.family, term.outcome, listed.session_band
),

known as (
    select
        family,
        outcome,
        session_id,
        sum(contribution) as logit,
    from model.risk_term
    where factor <> 'session_band'
    group by family, outcome, session_id
),

ahead as (
    select
        known.family,
        known.session_id,
        step.ahead,
        max(exp((known.logit + band.logit)::double)) filter (where known.outcome = 'dropout')
            as odds_dropout,
        max(exp((known.logit + band.logit)::double)) filter (where known.outcome = 'planned')
            as odds_planned,
        max(exp((known.logit + band.logit)::double)) filter (where known.outcome = 'other')
            as odds_other,
    from known
    join model.person_session as session on known.session_id = session.session_id
    join model.reason_share as reason on session.clinic_id = reason.clinic_id and reason.is_enough
    cross join (values (0), (1), (2), (3), (4)) as step (ahead)
    join band
        on
            known.family = band.family
            and known.outcome = band.outcome
            and case
                when session.session_no + step.ahead <= 4
                    then (session.session_no + step.ahead)::varchar
                when session.session_no + step.ahead <= 8 then '5-8'
                else '9+'
            end = band.session_band
    group by known.family, known.session_id, step.ahead
),

chance as (
    select
        family,
        session_id,
        ahead,
        odds_dropout / (1 + odds_dropout + odds_planned + odds_other) as dropout,
        odds_planned / (1 + odds_dropout + odds_planned + odds_other) as planned,
        odds_other / (1 + odds_dropout + odds_planned + odds_other) as other,
        1 / (1 + odds_dropout + odds_planned + odds_other) as goes_on,
    from ahead
),

by_session as (
    select
        family,
        session_id,
        max(dropout) filter (where ahead = 0) as dropout_0,
        max(dropout) filter (where ahead = 1) as dropout_1,
        max(dropout) filter (where ahead = 2) as dropout_2,
        max(dropout) filter (where ahead = 3) as dropout_3,
        max(dropout) filter (where ahead = 4) as dropout_4,
        max(goes_on) filter (where ahead = 0) as goes_on_0,
        max(goes_on) filter (where ahead = 1) as goes_on_1,
        max(goes_on) filter (where ahead = 2) as goes_on_2,
        max(goes_on) filter (where ahead = 3) as goes_on_3,
        max(planned) filter (where ahead = 0) as planned,
        max(other) filter (where ahead = 0) as other,
    from chance
    group by family, session_id
)

select
    family::varchar as family,
    session_id::varchar as session_id,
    dropout_0::double as dropout,
    planned::double as planned,
    other::double as other,
    (
        dropout_0
        + goes_on_0 * (dropout_1 + goes_on_1 * (dropout_2 + goes_on_2 * (dropout_3 + goes_on_3 * dropout_4)))
    )::double as dropout_within_five,
from by_session
