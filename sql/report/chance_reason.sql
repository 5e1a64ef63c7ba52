-- Why the chance of leaving after a course's newest session is what it is, beside that of the
-- average one; the strongest reasons first.
--
-- Only where chances are shown. Words say what was known, and not why somebody leaves.
--
-- grain:   session_id
-- inputs:  model.coefficient, model.fit, model.person_session, model.recalibration,
--          model.risk_term, ref.setting, report.worklist_order
-- columns: session_id VARCHAR  newest attended session
--          raises VARCHAR[]    what raises the chance, in words
--          lowers VARCHAR[]    what lowers it
--          model_id VARCHAR    model it is by, and what newer sessions put right of it
--          fitted_on DATE      night that model was fitted
--          factors VARCHAR[]   everything that went into it
--          contributions DECIMAL(38,18)[] what each factor adds to the logit
--          input_names VARCHAR[] what was known at the end of the session
--          inputs DOUBLE[]     its values; NULL not known
-- version: 1
with word (factor, above, below) as (
    values
    ('session_band', 'the number of sessions so far', 'the number of sessions so far'),
    ('severity', 'more symptoms at the start', 'fewer symptoms at the start'),
    ('worsening', 'symptoms rather worse than at the start', 'symptoms rather better than at the start'),
    ('not_on_track', 'not on track', 'on track'),
    ('alliance', 'a higher alliance so far', 'a lower alliance so far'),
    (
        'alliance_deviation', 'the alliance above the patient''s own usual rating',
        'the alliance below the patient''s own usual rating'
    ),
    ('open_rupture', 'a rupture is open', 'no rupture is open'),
    ('missing_alliance_form', 'the alliance form is missing', 'the alliance form is there'),
    ('missed_share', 'more appointments missed so far', 'fewer appointments missed so far'),
    ('missed_last', 'the appointment before was missed', 'the appointment before was kept'),
    ('weeks_since_last', 'a longer time since the session before', 'a shorter time since the session before'),
    ('under_26', 'younger than 26', '26 or older')
),

weight as (
    select
        coefficient.term,
        coefficient.estimate,
    from model.fit as fit
    join model.coefficient as coefficient on fit.model_id = coefficient.model_id
    where fit.is_used and fit.model_id = 'last_session/dropout'
),

told as (
    select
        session.session_id,
        term.factor,
        term.contribution,
        -- the sign of a contribution is that of the coefficient times that of the distance from the mean
        case
            when sign(term.contribution) * coalesce(sign(weight.estimate), 1) > 0 then word.above
            else word.below
        end as words,
        row_number() over (
            partition by session.session_id, sign(term.contribution)
            order by abs(term.contribution) desc, term.factor asc
        ) as place,
        setting.value as reasons_shown,
    from model.risk_term as term
    join model.person_session as session on term.session_id = session.session_id
    join report.worklist_order as clinic on session.clinic_id = clinic.clinic_id
    join ref.setting as setting on setting.name = 'reasons_shown'
    left join word on term.factor = word.factor
    left join weight on term.factor = weight.term
    where clinic.ordered_by = 'risk'
),

listed as (
    select
        session_id,
        array_agg(words order by place) filter (where contribution > 0 and place <= reasons_shown)
            as raises,
        array_agg(words order by place) filter (where contribution < 0 and place <= reasons_shown)
            as lowers,
        array_agg(factor order by factor) as factors,
        array_agg(contribution order by factor) as contributions,
    from told
    group by session_id
),

in_use as (
    select
        concat_ws(', ', model.model_id, change.model_id) as model_id,
        model.fitted_on,
    from model.fit as model
    left join model.recalibration as change
        on model.fitted_on = change.fitted_on and change.why_not is null
    where model.is_used and model.model_id = 'last_session/dropout'
    qualify row_number() over (order by change.model_id desc nulls last) = 1
)

select
    session.session_id::varchar as session_id,
    coalesce(listed.raises, [])::varchar[] as raises,
    coalesce(listed.lowers, [])::varchar[] as lowers,
    in_use.model_id::varchar as model_id,
    in_use.fitted_on::date as fitted_on,
    listed.factors::varchar[] as factors,
    listed.contributions::decimal(38, 18)[] as contributions,
    [
        'session_no',
        'severity',
        'worsening',
        'not_on_track',
        'alliance',
        'alliance_deviation',
        'open_rupture',
        'missing_alliance_form',
        'missed_share',
        'missed_last',
        'weeks_since_last',
        'under_26'
    ]::varchar[] as input_names,
    [
        session.session_no,
        session.severity,
        session.worsening,
        session.not_on_track,
        session.alliance,
        session.alliance_deviation,
        session.open_rupture,
        session.missing_alliance_form,
        session.missed_share,
        session.missed_last,
        session.weeks_since_last,
        session.under_26
    ]::double[] as inputs,
from listed
join model.person_session as session on listed.session_id = session.session_id
cross join in_use
