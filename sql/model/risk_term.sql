-- What one thing known at the end of a session adds to the logit of each way of ending, beside the
-- average session.
--
-- What is not known adds nothing. All levels of one factor are one thing.
--
-- grain:   family, outcome, session_id, factor
-- inputs:  model.coefficient, model.fit, model.person_session
-- columns: family VARCHAR              last_session: the model in use; held_out: the one that is
--                                      tested
--          outcome VARCHAR             dropout, planned or other
--          session_id VARCHAR          attended session
--          factor VARCHAR              what was known
--          contribution DECIMAL(38,18) coefficient times the distance from the mean
-- version: 1
with newest as (
    select max(split_part(model_id, '/', 1)) as held_out,
    from model.fit
    where starts_with(model_id, 'held_out_') and is_used
),

term as (
    select
        case when starts_with(fit.model_id, 'held_out_') then 'held_out' else 'last_session' end
            as family,
        fit.outcome,
        coefficient.term,
        split_part(coefficient.term, '=', 1) as factor,
        coefficient.estimate,
        coefficient.centre,
    from model.fit as fit
    join model.coefficient as coefficient on fit.model_id = coefficient.model_id
    cross join newest
    where
        fit.is_used
        and coefficient.term <> 'intercept'
        and split_part(fit.model_id, '/', 1) in ('last_session', newest.held_out)
),

known as (
    select
        session_id,
        unnest(
            [
                struct_pack(term := 'severity', x := severity),
                struct_pack(term := 'worsening', x := worsening),
                struct_pack(term := 'not_on_track', x := not_on_track),
                struct_pack(term := 'alliance', x := alliance),
                struct_pack(term := 'alliance_deviation', x := alliance_deviation),
                struct_pack(term := 'open_rupture', x := open_rupture),
                struct_pack(term := 'missing_alliance_form', x := missing_alliance_form),
                struct_pack(term := 'missed_share', x := missed_share),
                struct_pack(term := 'missed_last', x := missed_last),
                struct_pack(term := 'weeks_since_last', x := weeks_since_last),
                struct_pack(term := 'under_26', x := under_26),
                struct_pack(term := 'session_band=2', x := (session_band = '2')::double),
                struct_pack(term := 'session_band=3', x := (session_band = '3')::double),
                struct_pack(term := 'session_band=4', x := (session_band = '4')::double),
                struct_pack(term := 'session_band=5-8', x := (session_band = '5-8')::double),
                struct_pack(term := 'session_band=9+', x := (session_band = '9+')::double)
            ]
        ) as value,
    from model.person_session
),

contribution as (
    select
        term.family,
        term.outcome,
        known.session_id,
        term.factor,
        coalesce(term.estimate * (known.value.x - term.centre), 0)::decimal(38, 18) as contribution,
    from known
    join term on known.value.term = term.term
)

select
    family::varchar as family,
    outcome::varchar as outcome,
    session_id::varchar as session_id,
    factor::varchar as factor,
    sum(contribution)::decimal(38, 18) as contribution,
from contribution
group by family, outcome, session_id, factor
