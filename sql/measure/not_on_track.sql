-- Open courses whose newest score stands beside the expected course as not on track.
--
-- It speaks of the night, not of a period: the year alone has it, as the one that ends tonight.
--
-- grain:   clinic_id, therapist_id?, period_id, instrument_id
-- inputs:  ref.period, score.end_state, score.reliable_change, score.track
-- columns: clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist the course is attributed to; NULL not known
--          period_id VARCHAR      the year that ends tonight
--          instrument_id VARCHAR  questionnaire
--          n INTEGER              open courses with a score after the one they started from
--          numerator INTEGER      of these, not on track by the newest
--          n_eligible INTEGER     open courses with an attended session
--          numerator_low INTEGER  not on track, if none of those without a later score was
--          numerator_high INTEGER not on track, if all of those without a later score were
-- version: 2
-- label:   Not on track, open courses tonight
-- section: outcome
-- order:   130
-- kind:    rate
-- numerator: open courses whose newest score is reliably worse than the first, or beyond the outer
--          band of patients who started alike and not reliably better
-- denominator: courses open tonight with a score after the first; courses of which nothing has been
--          heard for longer than the gap rule allows are left out
-- minimum: 5
-- better:  lower
-- why:     Who is not on track is worth a talk while there is time; the share depends on who comes
--          and on how long courses last.
-- source:  Finch, Lambert & Schaalje 2001, doi 10.1002/cpp.286; de Jong et al. 2021, doi
--          10.1016/j.cpr.2021.102002; the bands are the service's own
with newest as (
    select
        episode_id,
        instrument_id,
        arg_max(is_not_on_track, session_no) as is_not_on_track,
    from score.track
    where is_not_on_track is not null
    group by episode_id, instrument_id
)

select
    change.clinic_id::varchar as clinic_id,
    end_state.therapist_id::varchar as therapist_id,
    period.period_id::varchar as period_id,
    change.instrument_id::varchar as instrument_id,
    count(newest.is_not_on_track)::integer as n,
    count(*) filter (where newest.is_not_on_track)::integer as numerator,
    count(*)::integer as n_eligible,
    count(*) filter (where newest.is_not_on_track)::integer as numerator_low,
    count(*) filter (where coalesce(newest.is_not_on_track, true))::integer as numerator_high,
from score.reliable_change as change
join score.end_state as end_state on change.episode_id = end_state.episode_id
join ref.period as period on period.period_id = 'year'
left join newest
    on change.episode_id = newest.episode_id and change.instrument_id = newest.instrument_id
where end_state.state = 'ongoing'
group by change.clinic_id, end_state.therapist_id, period.period_id, change.instrument_id
