-- Course that goes on, for the one who treats it: what happened last, and what should be spoken
-- about.
--
-- Row level: for the care team, never for managers' pages.
--
-- grain:   episode_id
-- inputs:  ref.clinic, ref.instrument, ref.setting, report.therapist, score.course_sign,
--          score.end_state
-- columns: episode_id VARCHAR     course
--          clinic_id VARCHAR      clinic
--          clinic_name VARCHAR    its name
--          therapist_id VARCHAR   therapist it is attributed to
--          label VARCHAR          therapist as named on the page
--          page VARCHAR           file stem of the therapist's page for the care team
--          patient_id VARCHAR     patient; the care team's pages show the clinic's own number for it
--          patient VARCHAR        first digits of the patient's pseudonym
--          n_attended INTEGER     attended sessions
--          last_attended_on DATE  day of the last one
--          signs VARCHAR[]        what should be spoken about, in words, the most pressing first
--          course_order INTEGER   order on the page: most to speak about first
-- version: 5
with setting as (
    select max(value) filter (where name = 'care_team_pages') as care_team_pages,
    from ref.setting
),

number as (
    select
        *,
        [
            -- ratings of the alliance keep their decimal, so that both ends of a fall have one
            case
                when sign = 'not_on_track'
                    then regexp_replace(round(x, 1)::decimal(9, 1)::varchar, '\.0$', '')
                else round(x, 1)::decimal(9, 1)::varchar
            end for x in [value_before, value_now]
        ] as told,
    from score.course_sign
),

word as (
    select
        sign.*,
        instrument.name,
        sign.told[1] as before,
        sign.told[2] as now,
        list_position(
            [
                'open_rupture', 'reported_rupture', 'not_on_track', 'missing_form', 'missed_last', 'none_booked',
                'low_from_start', 'at_ceiling', 'interpreted'
            ],
            sign.sign
        ) as place,
    from number as sign
    left join ref.instrument as instrument on sign.instrument_id = instrument.instrument_id
),

told as (
    select
        episode_id,
        min(place) as first_place,
        count(*) as n_signs,
        array_agg(
            case sign
                when 'open_rupture'
                    then
                        'Rupture open since session '
                        || session_no::varchar
                        || ': the alliance fell from about '
                        || before
                        || ' to '
                        || now
                        || ' ('
                        || name
                        || ').'
                when 'reported_rupture'
                    then
                        'A rupture was reported at session '
                        || session_no::varchar
                        || ' ('
                        || name
                        || ').'
                when 'not_on_track'
                    then
                        'Not on track at session '
                        || session_no::varchar
                        || ': '
                        || name
                        || ' '
                        || now
                        || coalesce(', ' || before || ' at the start', '')
                        || '.'
                when 'missing_form'
                    then
                        'The '
                        || name
                        || ' of the last session ('
                        || session_no::varchar
                        || ') is missing.'
                when 'missed_last' then 'The last appointment was missed or called off by the patient.'
                when 'none_booked' then 'No further appointment is booked.'
                when 'low_from_start'
                    then
                        'The alliance was low from the start ('
                        || name
                        || ' '
                        || now
                        || '): among the lowest tenth here. Nothing has fallen.'
                when 'at_ceiling'
                    then
                        'Every '
                        || name
                        || ' has the best possible rating: these ratings cannot show a change.'
                when 'interpreted'
                    then
                        'An interpreter takes part: the ratings speak of three people.'
            end
            order by place
        ) as signs,
    from word
    group by episode_id
)

select
    end_state.episode_id::varchar as episode_id,
    end_state.clinic_id::varchar as clinic_id,
    coalesce(clinic.clinic_name, end_state.clinic_id)::varchar as clinic_name,
    end_state.therapist_id::varchar as therapist_id,
    therapist.label::varchar as label,
    therapist.page::varchar as page,
    end_state.patient_id::varchar as patient_id,
    upper(left(end_state.patient_id, 8))::varchar as patient,
    end_state.n_attended::integer as n_attended,
    end_state.last_attended_on::date as last_attended_on,
    coalesce(told.signs, [])::varchar[] as signs,
    row_number() over (
        partition by end_state.therapist_id
        order by
            told.first_place asc nulls last,
            told.n_signs desc,
            end_state.last_attended_on asc,
            end_state.episode_id asc
    )::integer as course_order,
from score.end_state as end_state
join report.therapist as therapist on end_state.therapist_id = therapist.therapist_id
cross join setting
left join told on end_state.episode_id = told.episode_id
left join ref.clinic as clinic on end_state.clinic_id = clinic.clinic_id
where end_state.state = 'ongoing' and end_state.n_attended > 0 and setting.care_team_pages = 1
