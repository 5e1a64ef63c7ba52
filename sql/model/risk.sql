-- Chance that one attended session was the last of its course, and how it ended, by a fitted model;
-- and the chance of leaving within five sessions, this one the first of them.
--
-- For the sessions ahead everything known now is carried forward and only the number of the session
-- moves on. What newer sessions have put right of the model in use is applied. For testing the
-- model, and for worklists where the service may show it.
-- Longer than usual, because every term of the model has its line.
--
-- grain:   family, session_id
-- inputs:  model.coefficient, model.fit, model.hazard_row, model.person_session, model.reason_share,
--          model.recalibration
-- columns: family VARCHAR             last_session: the model in use; held_out: the one that is
--                                     tested, on the sessions it is tested on
--          session_id VARCHAR         attended session
--          dropout DOUBLE             chance that it was the last, by the patient's ending alone
--          planned DOUBLE             chance that it was the last, as planned
--          other DOUBLE               chance that it was the last, otherwise or without a reason
--          dropout_within_five DOUBLE chance that the patient leaves after this session or one of the
--                                     next four
-- version: 3
with newest as (
    select max(split_part(model_id, '/', 1)) as held_out,
    from model.fit
    where starts_with(model_id, 'held_out_') and is_used
),

newest_change as (
    select
        'last_session/dropout' as of_model,
        fitted_on,
        shift,
        slope,
    from model.recalibration
    where why_not is null
    qualify row_number() over (order by model_id desc) = 1
),

term as (
    select
        case when starts_with(fit.model_id, 'held_out_') then 'held_out' else 'last_session' end
            as family,
        fit.outcome,
        coefficient.term,
        coefficient.estimate * coalesce(newest_change.slope, 1)
        + case when coefficient.term = 'intercept' then coalesce(newest_change.shift, 0) else 0 end
            as estimate,
        coefficient.centre,
    from model.fit as fit
    join model.coefficient as coefficient on fit.model_id = coefficient.model_id
    cross join newest
    left join newest_change
        on
            fit.model_id = newest_change.of_model
            and fit.fitted_on = newest_change.fitted_on
    where
        fit.is_used
        and (
            starts_with(fit.model_id, 'last_session/')
            or split_part(fit.model_id, '/', 1) = newest.held_out
        )
),

weight as (
    select
        family,
        outcome,
        max(estimate) filter (where term = 'severity') as severity,
        max(centre) filter (where term = 'severity') as severity_mean,
        max(estimate) filter (where term = 'worsening') as worsening,
        max(centre) filter (where term = 'worsening') as worsening_mean,
        max(estimate) filter (where term = 'not_on_track') as not_on_track,
        max(centre) filter (where term = 'not_on_track') as not_on_track_mean,
        max(estimate) filter (where term = 'alliance') as alliance,
        max(centre) filter (where term = 'alliance') as alliance_mean,
        max(estimate) filter (where term = 'alliance_deviation') as alliance_deviation,
        max(centre) filter (where term = 'alliance_deviation') as alliance_deviation_mean,
        max(estimate) filter (where term = 'open_rupture') as open_rupture,
        max(centre) filter (where term = 'open_rupture') as open_rupture_mean,
        max(estimate) filter (where term = 'missing_alliance_form') as missing_alliance_form,
        max(centre) filter (where term = 'missing_alliance_form') as missing_alliance_form_mean,
        max(estimate) filter (where term = 'missed_share') as missed_share,
        max(centre) filter (where term = 'missed_share') as missed_share_mean,
        max(estimate) filter (where term = 'missed_last') as missed_last,
        max(centre) filter (where term = 'missed_last') as missed_last_mean,
        max(estimate) filter (where term = 'weeks_since_last') as weeks_since_last,
        max(centre) filter (where term = 'weeks_since_last') as weeks_since_last_mean,
        max(estimate) filter (where term = 'under_26') as under_26,
        max(centre) filter (where term = 'under_26') as under_26_mean,
    from term
    group by family, outcome
),

band_logit as (
    -- the logit of a band, with everything else at its mean
    select
        term.family,
        term.outcome,
        listed.first_no,
        listed.last_no,
        sum(
            case
                when term.term = 'intercept' then term.estimate
                when term.term = 'session_band=' || listed.session_band
                    then term.estimate * (1 - term.centre)
                else -term.estimate * term.centre
            end::decimal(38, 18)
        )::double as logit,
    from term
    cross join (
        values ('1', 1, 1), ('2', 2, 2), ('3', 3, 3), ('4', 4, 4), ('5-8', 5, 8), ('9+', 9, 9)
    ) as listed (session_band, first_no, last_no)
    where term.term = 'intercept' or starts_with(term.term, 'session_band=')
    group by term.family, term.outcome, listed.first_no, listed.last_no
),

band as (
    select
        family,
        first_no,
        last_no,
        max(logit) filter (where outcome = 'dropout') as dropout,
        max(logit) filter (where outcome = 'planned') as planned,
        max(logit) filter (where outcome = 'other') as other,
    from band_logit
    group by family, first_no, last_no
),

known as (
    select
        weight.family,
        weight.outcome,
        session.session_id,
        coalesce(weight.severity * (session.severity - weight.severity_mean), 0)
        + coalesce(weight.worsening * (session.worsening - weight.worsening_mean), 0)
        + coalesce(weight.not_on_track * (session.not_on_track - weight.not_on_track_mean), 0)
        + coalesce(weight.alliance * (session.alliance - weight.alliance_mean), 0)
        + coalesce(weight.alliance_deviation * (session.alliance_deviation - weight.alliance_deviation_mean), 0)
        + coalesce(weight.open_rupture * (session.open_rupture - weight.open_rupture_mean), 0)
        + coalesce(
            weight.missing_alliance_form * (session.missing_alliance_form - weight.missing_alliance_form_mean), 0
        )
        + coalesce(weight.missed_share * (session.missed_share - weight.missed_share_mean), 0)
        + coalesce(weight.missed_last * (session.missed_last - weight.missed_last_mean), 0)
        + coalesce(weight.weeks_since_last * (session.weeks_since_last - weight.weeks_since_last_mean), 0)
        + coalesce(weight.under_26 * (session.under_26 - weight.under_26_mean), 0) as logit,
    from model.person_session as session
    join model.reason_share as reason on session.clinic_id = reason.clinic_id and reason.is_enough
    left join model.hazard_row as row on session.session_id = row.session_id and row.is_held_out
    join weight on weight.family = 'last_session' or row.session_id is not null
),

logit as (
    select
        family,
        session_id,
        max(logit) filter (where outcome = 'dropout') as dropout,
        max(logit) filter (where outcome = 'planned') as planned,
        max(logit) filter (where outcome = 'other') as other,
    from known
    group by family, session_id
),

odds as (
    -- a way of ending that nobody took has no coefficients
    select
        logit.family,
        logit.session_id,
        exp(logit.dropout + band_0.dropout) as dropout_odds_0,
        coalesce(exp(logit.planned + band_0.planned), 0) as planned_odds_0,
        coalesce(exp(logit.other + band_0.other), 0) as other_odds_0,
        exp(logit.dropout + band_1.dropout) as dropout_odds_1,
        coalesce(exp(logit.planned + band_1.planned), 0) as planned_odds_1,
        coalesce(exp(logit.other + band_1.other), 0) as other_odds_1,
        exp(logit.dropout + band_2.dropout) as dropout_odds_2,
        coalesce(exp(logit.planned + band_2.planned), 0) as planned_odds_2,
        coalesce(exp(logit.other + band_2.other), 0) as other_odds_2,
        exp(logit.dropout + band_3.dropout) as dropout_odds_3,
        coalesce(exp(logit.planned + band_3.planned), 0) as planned_odds_3,
        coalesce(exp(logit.other + band_3.other), 0) as other_odds_3,
        exp(logit.dropout + band_4.dropout) as dropout_odds_4,
        coalesce(exp(logit.planned + band_4.planned), 0) as planned_odds_4,
        coalesce(exp(logit.other + band_4.other), 0) as other_odds_4,
    from logit
    join model.person_session as session on logit.session_id = session.session_id
    join band as band_0
        on logit.family = band_0.family and least(session.session_no + 0, 9) between band_0.first_no and band_0.last_no
    join band as band_1
        on logit.family = band_1.family and least(session.session_no + 1, 9) between band_1.first_no and band_1.last_no
    join band as band_2
        on logit.family = band_2.family and least(session.session_no + 2, 9) between band_2.first_no and band_2.last_no
    join band as band_3
        on logit.family = band_3.family and least(session.session_no + 3, 9) between band_3.first_no and band_3.last_no
    join band as band_4
        on logit.family = band_4.family and least(session.session_no + 4, 9) between band_4.first_no and band_4.last_no
),

chance as (
    select
        *,
        1 / (1 + dropout_odds_0 + planned_odds_0 + other_odds_0) as goes_on_0,
        1 / (1 + dropout_odds_1 + planned_odds_1 + other_odds_1) as goes_on_1,
        1 / (1 + dropout_odds_2 + planned_odds_2 + other_odds_2) as goes_on_2,
        1 / (1 + dropout_odds_3 + planned_odds_3 + other_odds_3) as goes_on_3,
        1 / (1 + dropout_odds_4 + planned_odds_4 + other_odds_4) as goes_on_4,
    from odds
)

select
    family::varchar as family,
    session_id::varchar as session_id,
    (dropout_odds_0 * goes_on_0)::double as dropout,
    (planned_odds_0 * goes_on_0)::double as planned,
    (other_odds_0 * goes_on_0)::double as other,
    (
        goes_on_0 * (
            dropout_odds_0
            + goes_on_1 * (
                dropout_odds_1
                + goes_on_2 * (
                    dropout_odds_2 + goes_on_3 * (dropout_odds_3 + goes_on_4 * dropout_odds_4)
                )
            )
        )
    )::double as dropout_within_five,
from chance
