-- What one thing known at the end of a course's newest session adds to the logit of dropout, beside
-- the average session: the reasons for its chance.
--
-- What is not known adds nothing. All levels of one factor are one thing.
--
-- grain:   session_id, factor
-- inputs:  model.coefficient, model.fit, model.person_session, model.reason_share,
--          model.recalibration
-- columns: session_id VARCHAR          newest attended session of the course
--          factor VARCHAR              what was known
--          contribution DECIMAL(38,18) coefficient times the distance from the mean
-- version: 2
with newest_change as (
    select
        fitted_on,
        slope,
    from model.recalibration
    where why_not is null
    qualify row_number() over (order by model_id desc) = 1
),

term as (
    select
        coefficient.term,
        split_part(coefficient.term, '=', 1) as factor,
        coefficient.estimate * coalesce(newest_change.slope, 1) as estimate,
        coefficient.centre,
    from model.coefficient as coefficient
    join model.fit as fit on coefficient.model_id = fit.model_id
    left join newest_change on fit.fitted_on = newest_change.fitted_on
    where
        fit.is_used
        and coefficient.model_id = 'last_session/dropout'
        and coefficient.term <> 'intercept'
),

newest as (
    select session.*,
    from model.person_session as session
    join model.reason_share as reason on session.clinic_id = reason.clinic_id
    where reason.is_enough
    qualify row_number() over (
        partition by session.episode_id
        order by session.session_no desc
    ) = 1
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
    from newest
),

contribution as (
    select
        known.session_id,
        term.factor,
        coalesce(term.estimate * (known.value.x - term.centre), 0)::decimal(38, 18) as contribution,
    from known
    join term on known.value.term = term.term
)

select
    session_id::varchar as session_id,
    factor::varchar as factor,
    sum(contribution)::decimal(38, 18) as contribution,
from contribution
group by session_id, factor
