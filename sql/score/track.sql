-- Whether a patient is on track at one session: the score beside the expected course and beside the
-- score the course started from.
--
-- Red: reliably worse than at the start, whatever else holds; or worse than nine in ten earlier
-- patients who started alike, and not reliably better. White: outside the clinical range. Amber:
-- worse than three quarters of them. A cell without bands leaves reliable change to decide alone.
--
-- grain:   session_id, instrument_id
-- inputs:  ref.cutoff, ref.instrument, ref.reliable_change, ref.scale, ref.setting,
--          score.closed_course, score.expected_course, score.intake_score, score.session_score
-- columns: session_id VARCHAR         attended session
--          instrument_id VARCHAR      symptom or well-being instrument
--          episode_id VARCHAR         course
--          session_no INTEGER         ordinal of the session in the course
--          value DECIMAL(12,6)        score at the session
--          intake_value DECIMAL(12,6) score the course started from; NULL none by the second session
--          improvement DECIMAL(12,6)  change since then towards better
--          colour VARCHAR             red, amber, on_track or white; NULL not known
--          is_not_on_track BOOLEAN    whether it is red; NULL not known
--          reason VARCHAR             what decided, or why nothing could
--          rule VARCHAR               bands and reliable change, or reliable change alone
--          colour_in_test VARCHAR     held-out courses only: the colour by bands made without them
-- version: 1
-- patient: episode_id
with setting as (
    select max(value) filter (where name = 'expected_sessions')::integer as sessions,
    from ref.setting
),

threshold as (
    select
        instrument.instrument_id,
        instrument.direction,
        change.op as change_op,
        change.value as change_value,
        cutoff.op as cutoff_op,
        cutoff.value as cutoff_value,
    from ref.instrument as instrument
    join ref.scale as scale
        on instrument.instrument_id = scale.instrument_id and scale.is_primary
    left join ref.reliable_change as change
        on
            scale.instrument_id = change.instrument_id
            and scale.scale = change.scale
            and change.is_default
    left join ref.cutoff as cutoff
        on
            scale.instrument_id = cutoff.instrument_id
            and scale.scale = cutoff.scale
            and cutoff.is_default
    where instrument.kind <> 'alliance' and instrument.is_enabled
    -- outside the clinical range is whoever lies outside by the strictest cut-off in use
    qualify row_number() over (
        partition by instrument.instrument_id
        order by -instrument.direction * cutoff.value, cutoff.op
    ) = 1
),

band as (
    select distinct
        instrument_id,
        made_of,
        intake_band,
        intake_above,
        intake_to,
    from score.expected_course
),

start as (
    select
        intake.*,
        band.intake_band,
        in_test.is_held_out,
        band_in_test.intake_band as intake_band_in_test,
    from score.intake_score as intake
    left join band
        on
            band.made_of = 'all courses'
            and intake.instrument_id = band.instrument_id
            and (band.intake_above is null or intake.value > band.intake_above)
            and (band.intake_to is null or intake.value <= band.intake_to)
    left join score.closed_course as in_test
        on
            in_test.is_held_out
            and intake.episode_id = in_test.episode_id
            and intake.instrument_id = in_test.instrument_id
    left join band as band_in_test
        on
            in_test.is_held_out
            and band_in_test.made_of = 'earlier part'
            and intake.instrument_id = band_in_test.instrument_id
            and (band_in_test.intake_above is null or intake.value > band_in_test.intake_above)
            and (band_in_test.intake_to is null or intake.value <= band_in_test.intake_to)
),

compared as (
    select
        score.session_id,
        score.instrument_id,
        score.episode_id,
        score.session_no,
        score.value,
        start.value as intake_value,
        threshold.direction * (score.value - start.value) as improvement,
        score.form_id = start.form_id as is_start,
        threshold.change_op,
        threshold.change_value,
        case threshold.cutoff_op
            when '>=' then score.value >= threshold.cutoff_value
            when '>' then score.value > threshold.cutoff_value
            when '<=' then score.value <= threshold.cutoff_value
            when '<' then score.value < threshold.cutoff_value
        end as is_clinical,
        coalesce(start.is_held_out, false) as is_held_out,
        -- from here on higher is worse, whatever the instrument
        -threshold.direction * score.value as burden,
        case threshold.direction when 1 then -cell.inner_low else cell.inner_high end as inner_end,
        case threshold.direction when 1 then -cell.outer_low else cell.outer_high end as outer_end,
        case threshold.direction when 1 then -test_cell.inner_low else test_cell.inner_high end
            as test_inner_end,
        case threshold.direction when 1 then -test_cell.outer_low else test_cell.outer_high end
            as test_outer_end,
    from score.session_score as score
    join threshold on score.instrument_id = threshold.instrument_id
    left join start
        on score.episode_id = start.episode_id and score.instrument_id = start.instrument_id
    cross join setting
    left join score.expected_course as cell
        on
            cell.made_of = 'all courses'
            and start.instrument_id = cell.instrument_id
            and start.intake_band = cell.intake_band
            and least(score.session_no, setting.sessions + 1) = cell.session_no
    left join score.expected_course as test_cell
        on
            test_cell.made_of = 'earlier part'
            and start.instrument_id = test_cell.instrument_id
            and start.intake_band_in_test = test_cell.intake_band
            and least(score.session_no, setting.sessions + 1) = test_cell.session_no
),

changed as (
    select
        *,
        case change_op
            when '>=' then improvement >= change_value
            else improvement > change_value
        end as is_better,
        case change_op
            when '>=' then -improvement >= change_value
            else -improvement > change_value
        end as is_worse,
    from compared
),

decided as (
    -- what needs no bands
    select
        *,
        case
            when intake_value is null then 'no score by the second session'
            when is_start then 'first score'
            when change_value is null then 'no reliable change published'
            when is_worse then 'reliably worse than at the start'
            when not is_clinical then 'outside the clinical range'
        end as without_bands,
    from changed
),

judged as (
    select
        *,
        coalesce(without_bands, case
            when outer_end is null then 'not reliably worse, no band'
            when burden > outer_end and not is_better then 'beyond the outer band'
            when burden > inner_end then 'beyond the inner band'
            else 'within the bands'
        end) as reason,
        case
            when is_held_out
                then coalesce(without_bands, case
                    when test_outer_end is null then 'not reliably worse, no band'
                    when burden > test_outer_end and not is_better then 'beyond the outer band'
                    when burden > test_inner_end then 'beyond the inner band'
                    else 'within the bands'
                end)
        end as reason_in_test,
    from decided
),

colour as (
    select
        listed.reason,
        listed.colour,
    from (
        values
        ('reliably worse than at the start', 'red'),
        ('beyond the outer band', 'red'),
        ('beyond the inner band', 'amber'),
        ('within the bands', 'on_track'),
        ('not reliably worse, no band', 'on_track'),
        ('outside the clinical range', 'white')
    ) as listed (reason, colour)
)

select
    judged.session_id::varchar as session_id,
    judged.instrument_id::varchar as instrument_id,
    judged.episode_id::varchar as episode_id,
    judged.session_no::integer as session_no,
    judged.value::decimal(12, 6) as value,
    judged.intake_value::decimal(12, 6) as intake_value,
    judged.improvement::decimal(12, 6) as improvement,
    colour.colour::varchar as colour,
    (colour.colour = 'red')::boolean as is_not_on_track,
    judged.reason::varchar as reason,
    case
        when judged.outer_end is null then 'reliable change alone'
        else 'bands and reliable change'
    end::varchar as rule,
    in_test.colour::varchar as colour_in_test,
from judged
left join colour on judged.reason = colour.reason
left join colour as in_test on judged.reason_in_test = in_test.reason
