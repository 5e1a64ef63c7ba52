-- Why the chance of leaving after a course's newest session is what it is, beside that of the
-- average one; the strongest reasons first.
--
-- Only where chances are shown. Words say what was known, and not why somebody leaves. In words is
-- only what the model surely weighs: a coefficient whose interval has either sign would make a reason
-- of nothing, and tell it the wrong way round as often as not.
--
-- grain:   session_id
-- inputs:  model.coefficient, model.fit, model.person_session, model.recalibration,
--          model.risk_term, ref.setting, report.worklist_order
-- columns: session_id VARCHAR  newest attended session
--          raises VARCHAR[]    what surely raises the chance, in words
--          lowers VARCHAR[]    what surely lowers it
--          model_id VARCHAR    model it is by, and what newer sessions put right of it
--          fitted_on DATE      night that model was fitted
--          factors VARCHAR[]   everything that went into it
--          contributions DECIMAL(38,18)[] what each factor adds to the logit
--          input_names VARCHAR[] what was known at the end of the session
--          inputs DOUBLE[]     its values; NULL not known
-- version: 2
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
    (
        'missing_alliance_form', 'the alliance form of the last session is missing',
        'the alliance form of the last session is there'
    ),
    ('missed_share', 'more appointments missed so far', 'fewer appointments missed so far'),
    (
        'missed_last', 'the appointment just before the last session was missed',
        'no appointment was missed just before the last session'
    ),
    (
        'weeks_since_last', 'a longer time between the last two sessions',
        'a shorter time between the last two sessions'
    ),
    ('under_26', 'younger than 26', '26 or older')
),

setting as (
    select
        max(value) filter (where name = 'reasons_shown') as reasons_shown,
        max(value) filter (where name = 'z_95')::double as z,
    from ref.setting
),

weight as (
    -- words of a factor with several levels are the same on both sides: any estimate will do
    select
        split_part(coefficient.term, '=', 1) as factor,
        max(coefficient.estimate) as estimate,
        bool_or(abs(coefficient.estimate) > setting.z * coefficient.standard_error) as is_sure,
    from model.fit as fit
    join model.coefficient as coefficient on fit.model_id = coefficient.model_id
    cross join setting
    where fit.is_used and fit.model_id = 'last_session/dropout'
    group by factor
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
        coalesce(weight.is_sure, false) as is_sure,
        row_number() over (
            partition by session.session_id, sign(term.contribution), weight.is_sure
            order by abs(term.contribution) desc, term.factor asc
        ) as place,
        setting.reasons_shown,
    from model.risk_term as term
    join model.person_session as session on term.session_id = session.session_id
    join report.worklist_order as clinic on session.clinic_id = clinic.clinic_id
    cross join setting
    left join word on term.factor = word.factor
    left join weight on term.factor = weight.factor
    where clinic.ordered_by = 'risk'
),

listed as (
    select
        session_id,
        array_agg(words order by place) filter (
            where is_sure and contribution > 0 and place <= reasons_shown
        ) as raises,
        array_agg(words order by place) filter (
            where is_sure and contribution < 0 and place <= reasons_shown
        ) as lowers,
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
