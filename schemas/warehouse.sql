-- The tables that reading fills, and the views through which everything later sees them.
--
-- *_version tables hold every version of every row that was ever known: known_from is the night a
-- version became known, known_to the night it was replaced (9999-12-31 while it stands). The views
-- of the same stage show one night, and refuse to answer when no night is set, because a forgotten
-- filter would show a past night what only became known later.

create schema if not exists landed;
create schema if not exists valid;
create schema if not exists finding;

create or replace macro valid.night() as coalesce(
    cast(getvariable('as_of') as date),
    cast(error('no night is set: set variable as_of = date ''2026-01-31''') as date)
);

create table if not exists landed.delivery_record (
    delivery_id varchar not null,        -- of file, mapping, and instrument versions
    clinic_id varchar not null,
    source_name varchar,                 -- source of the mapping; NULL where none matched
    file_name varchar not null,
    sha256 varchar not null,             -- of the file's bytes; its name in the archive
    size_bytes bigint not null,
    rules_hash varchar not null,         -- of mapping, corrections and the instruments used; ~2 when they came back
    as_of date not null,                 -- night it was read
    revision integer not null,
    sequence integer not null,           -- order of arrival within the clinic
    repeat integer not null,             -- how often these bytes had come back as a newer state before
    state varchar not null,              -- read | refused | held
    reason varchar,                      -- rule that refused or held it
    is_snapshot boolean not null,
    is_stale boolean not null,           -- a snapshot that restates an older state than one read before
    instant varchar,                     -- newest version in it, where the mapping declares a version column
    n_records integer not null,          -- records = used + dropped + rejected
    n_used integer not null,
    n_dropped integer not null,
    n_rejected integer not null,
    forms_found integer not null,        -- found = new + superseding + unchanged + rejected + held
    forms_new integer not null,
    forms_superseding integer not null,
    forms_unchanged integer not null,
    forms_rejected integer not null,
    forms_held integer not null,
    data_from date,                      -- first and last day that accepted rows speak about
    data_to date,
    superseded_on date                   -- night on which another reading or a newer snapshot took its place
);

create table if not exists landed.part_count (
    delivery_id varchar not null,
    kind varchar not null,               -- form | appointment | episode | action
    found integer not null,              -- found = new + superseding + unchanged + rejected + held
    new integer not null,
    superseding integer not null,
    unchanged integer not null,
    rejected integer not null,
    held integer not null
);

create table if not exists landed.arrival_record (
    as_of date not null,
    revision integer not null,
    clinic_id varchar not null,
    file_name varchar not null,
    sha256 varchar not null,
    delivery_id varchar,
    outcome varchar not null,            -- new | unchanged | re-read | refused | held
    reason varchar
);

create table if not exists landed.clinic_night_record (
    as_of date not null,
    revision integer not null,
    clinic_id varchar not null,
    state varchar not null,              -- read | nothing new | failed
    reason varchar
);

create table if not exists landed.night_record (
    as_of date not null,
    revision integer not null,
    state varchar not null,              -- running | published
    fingerprint varchar                  -- of program, rules and everything read: equal means equal pages
);

create table if not exists landed.key_record (
    fingerprint varchar not null         -- of the pseudonymisation key, which must not change
);

-- What the standing tables of scores were built on: what has not changed since needs no new scores.
create table if not exists landed.score_record (
    name varchar not null,               -- night, quarter, program, aliases, rows of that night, or a table
    content varchar not null             -- what it was; of rows and tables a hash
);

create table if not exists landed.release_record (
    delivery_id varchar not null,        -- held delivery that a person released
    clinic_id varchar not null,
    sha256 varchar not null,
    why varchar not null,                -- the person's reason
    as_of date not null                  -- day of release
);

create table if not exists landed.alias_record (
    kind varchar not null,               -- patient | therapist
    from_id varchar not null,            -- pseudonym that was delivered
    to_id varchar not null,              -- pseudonym it stands for
    since date not null,                 -- days it holds for: from since on, and before until
    until date not null,
    known_from date not null,            -- nights it holds for, as with valid rows
    known_to date not null
);

-- Kept because an older version of what was withdrawn may arrive later.
create table if not exists landed.withdrawal_record (
    clinic_id varchar not null,
    source_name varchar not null,
    kind varchar not null,               -- form | appointment | episode
    row_id varchar not null,             -- of the row that its own system calls entered in error
    version_order varchar not null,      -- version that said so; a later one counts again
    as_of date not null                  -- night that read it
);

create table if not exists landed.objection_record (
    clinic_id varchar not null,
    patient_id varchar not null,         -- pseudonym that was delivered
    known_from date not null,            -- nights it holds for, as with valid rows
    known_to date not null
);

-- What the care team was shown of single patients, night by night: the worklist with every chance on
-- it, the model it is by, what went into it, and why. Kept for good.
create table if not exists landed.alert_record (
    as_of date not null,                 -- night of the list
    revision integer not null,
    clinic_id varchar not null,
    therapist_id varchar not null,       -- whose list
    patient_id varchar not null,
    episode_id varchar not null,
    session_id varchar not null,         -- newest attended session: what was known at its end
    place integer not null,              -- in the list
    ordered_by varchar not null,         -- risk | facts
    facts varchar[] not null,            -- plain facts that stood then
    chance double,                       -- that this session was the last one, by dropout; NULL not shown
    model_id varchar,                    -- model it is by; NULL not shown
    fitted_on date,                      -- night that model was fitted
    factors varchar[],                   -- what went into it; NULL not shown, as what follows
    contributions decimal(38, 18)[],     -- what each of these added to its logit: the reasons shown
    input_names varchar[],               -- what was known then
    inputs double[]                      -- its values; NULL not known
);

create table if not exists landed.skipped_night_record (
    night date not null,                 -- scheduled and never run
    as_of date not null                  -- night that noticed
);

create table if not exists finding.finding_record (
    delivery_id varchar not null,
    clinic_id varchar not null,
    file_name varchar not null,
    as_of date not null,
    line integer,                        -- physical text line; NULL where the whole file is meant
    column_name varchar,                 -- NULL where the whole line is meant
    rule varchar not null,
    severity varchar not null,           -- reject | warn
    n_broken integer,                    -- how often the rule is broken in this column, where the list of lines is cut
    n_checked integer,                   -- of how many rows the rule looked at; NULL not a rule of rows
    message varchar not null,
    what_to_do varchar not null
);

-- Where refused rows answer a risk item: for the care team alone, so not among the findings.
create table if not exists finding.refused_risk_record (
    delivery_id varchar not null,
    clinic_id varchar not null,
    file_name varchar not null,
    as_of date not null,
    line integer,
    column_name varchar,
    rule varchar not null,
    severity varchar not null,
    n_broken integer,
    n_checked integer,
    message varchar not null,
    what_to_do varchar not null
);

create table if not exists valid.form_version (
    row_id varchar not null,             -- keyed hash of the natural key, then a hash of source and form
    clinic_id varchar not null,
    source_name varchar not null,
    patient_id varchar not null,         -- pseudonyms: keyed hash of kind, clinic and id
    therapist_id varchar,
    episode_id varchar,
    session_label varchar,               -- as exported
    instrument_id varchar not null,      -- of the registry; the mapping's own word where the registry has none
    respondent varchar not null,         -- patient | therapist | relative | observer
    answered_at timestamp not null,      -- clinic-local
    answered_precision varchar not null, -- date | minute | second
    answers decimal(9, 3)[],             -- by item number, before reversal; NULL where the form has only stated scores
    missing varchar[],                   -- parallel reasons; NULL where nothing is missing
    input_form varchar not null,         -- raw | keyed (already reversed)
    stated struct(scale varchar, value decimal(9, 3), reason varchar, role varchar)[],
    version_order varchar,               -- orders corrections of one key
    delivery_id varchar not null,
    line integer not null,
    known_from date not null,
    known_to date not null
);

create table if not exists valid.appointment_version (
    row_id varchar not null,
    clinic_id varchar not null,
    source_name varchar not null,
    patient_id varchar not null,
    therapist_id varchar,
    episode_id varchar,
    session_label varchar,
    planned_at timestamp not null,       -- clinic-local
    status varchar not null,             -- booked | attended | no_show | cancelled_by_patient | cancelled_by_service | too_late_not_seen
    mode varchar,                        -- in_person | video | telephone | chat | group; NULL not recorded
    interpreter varchar,                 -- yes | no; NULL not recorded
    version_order varchar,
    delivery_id varchar not null,
    line integer not null,
    known_from date not null,
    known_to date not null
);

create table if not exists valid.episode_version (
    row_id varchar not null,
    clinic_id varchar not null,
    source_name varchar not null,
    patient_id varchar not null,
    therapist_id varchar,
    episode_id varchar not null,
    started_on date not null,
    ended_on date,
    end_reason varchar,                  -- completed | dropout | transferred | service_ended | died_other; NULL not recorded
    referred_on date,                    -- this and what follows: as stated by the export, NULL not recorded
    sex varchar,                         -- female | male | other
    age_band varchar,                    -- under_18 | 18_25 | 26_35 | 36_45 | 46_55 | 56_65 | over_65, at intake
    language varchar,                    -- code of ISO 639
    interpreter_needed varchar,          -- yes | no
    diagnosis_group varchar,             -- depressive | anxiety | ...: schemas/facts.py
    previous_treatment varchar,          -- yes | no
    employment varchar,                  -- employed | unemployed | ...: schemas/facts.py
    end_planned varchar,                 -- yes | no
    version_order varchar,
    delivery_id varchar not null,
    line integer not null,
    known_from date not null,
    known_to date not null
);

create table if not exists valid.action_version (
    row_id varchar not null,
    clinic_id varchar not null,
    source_name varchar not null,
    patient_id varchar not null,
    therapist_id varchar,                -- who did it; NULL not recorded
    episode_id varchar,
    acted_on date not null,
    kind varchar not null,               -- call | message | letter | appointment_offered | ...: schemas/facts.py
    outcome varchar,                     -- reached | not_reached | appointment_made | declined; NULL not recorded
    version_order varchar,
    delivery_id varchar not null,
    line integer not null,
    known_from date not null,
    known_to date not null
);

-- What exports may state beside these; a warehouse of an earlier version gets the columns empty.
alter table valid.episode_version add column if not exists referred_on date;
alter table valid.episode_version add column if not exists sex varchar;
alter table valid.episode_version add column if not exists age_band varchar;
alter table valid.episode_version add column if not exists language varchar;
alter table valid.episode_version add column if not exists interpreter_needed varchar;
alter table valid.episode_version add column if not exists diagnosis_group varchar;
alter table valid.episode_version add column if not exists previous_treatment varchar;
alter table valid.episode_version add column if not exists employment varchar;
alter table valid.episode_version add column if not exists end_planned varchar;
alter table valid.appointment_version add column if not exists mode varchar;
alter table valid.appointment_version add column if not exists interpreter varchar;

create or replace view landed.delivery as
select * from landed.delivery_record where as_of <= valid.night();

create or replace view landed.arrival as
select * from landed.arrival_record where as_of <= valid.night();

create or replace view landed.clinic_night as
select * from landed.clinic_night_record where as_of <= valid.night();

create or replace view landed.skipped_night as
select * from landed.skipped_night_record where as_of <= valid.night();

-- What stands to be mended: findings of readings that something newer has replaced are history.
create or replace view finding.finding as
select f.*
from finding.finding_record f join landed.delivery_record d using (delivery_id)
where f.as_of <= valid.night() and (d.superseded_on is null or d.superseded_on > valid.night());

create or replace view finding.refused_risk as
select f.*
from finding.refused_risk_record f join landed.delivery_record d using (delivery_id)
where f.as_of <= valid.night() and (d.superseded_on is null or d.superseded_on > valid.night());

-- Lists of nights before this one that were published; of a night with several revisions the newest.
create or replace view landed.alert as
select a.*
from landed.alert_record a
join (
    select as_of, max(revision) as revision
    from landed.night_record where state = 'published' and as_of < valid.night() group by as_of
) n using (as_of, revision);

create or replace view landed.alias as
select * from landed.alias_record where known_from <= valid.night() and known_to > valid.night();

create or replace view valid.objection as
select distinct clinic_id, coalesce(patient.to_id, patient_id) as patient_id
from landed.objection_record o
left join landed.alias patient on patient.kind = 'patient' and patient.from_id = o.patient_id
where o.known_from <= valid.night() and o.known_to > valid.night();

-- Patients and therapists are those that aliases.csv says they are; the rows keep the ids delivered.
create or replace view valid.form as
select
    row_id as form_id, clinic_id, coalesce(patient.to_id, patient_id) as patient_id,
    coalesce(therapist.to_id, therapist_id) as therapist_id, episode_id, session_label,
    instrument_id, respondent, answered_at, cast(answered_at as date) as answered_on,
    answered_precision, answers,
    coalesce(missing, list_resize([]::varchar[], coalesce(len(answers), 0))) as missing,
    input_form, delivery_id, line, v.known_from, v.known_to
from valid.form_version v
left join landed.alias patient on patient.kind = 'patient' and patient.from_id = v.patient_id
left join landed.alias therapist
    on therapist.kind = 'therapist' and therapist.from_id = v.therapist_id
    and cast(v.answered_at as date) >= therapist.since
    and cast(v.answered_at as date) < therapist.until
where v.known_from <= valid.night() and v.known_to > valid.night();

create or replace view valid.stated_score as
select
    form_id, clinic_id, instrument_id, stated.scale, stated.value, stated.role,
    delivery_id, line, known_from, known_to
from (
    select
        row_id as form_id, clinic_id, instrument_id, unnest(stated) as stated,
        delivery_id, line, known_from, known_to
    from valid.form_version
    where known_from <= valid.night() and known_to > valid.night()
);

create or replace view valid.answer as
select form_id, clinic_id, instrument_id, item, answer, reason, delivery_id, line
from (
    select
        form_id, clinic_id, instrument_id, unnest(range(1, len(answers) + 1)) as item,
        unnest(answers) as answer, unnest(missing) as reason, delivery_id, line
    from valid.form
    where answers is not null
);

create or replace view valid.session as
select
    row_id as session_id, clinic_id, coalesce(patient.to_id, patient_id) as patient_id,
    coalesce(therapist.to_id, therapist_id) as therapist_id, episode_id, session_label,
    planned_at, cast(planned_at as date) as session_on, status, mode, interpreter, delivery_id, line,
    v.known_from, v.known_to
from valid.appointment_version v
left join landed.alias patient on patient.kind = 'patient' and patient.from_id = v.patient_id
left join landed.alias therapist
    on therapist.kind = 'therapist' and therapist.from_id = v.therapist_id
    and cast(v.planned_at as date) >= therapist.since
    and cast(v.planned_at as date) < therapist.until
where v.known_from <= valid.night() and v.known_to > valid.night();

create or replace view valid.episode as
select
    episode_id, clinic_id, coalesce(patient.to_id, patient_id) as patient_id,
    coalesce(therapist.to_id, therapist_id) as therapist_id, started_on, ended_on, end_reason,
    referred_on, sex, age_band, language, interpreter_needed, diagnosis_group, previous_treatment,
    employment, end_planned, delivery_id, line, v.known_from, v.known_to
from valid.episode_version v
left join landed.alias patient on patient.kind = 'patient' and patient.from_id = v.patient_id
left join landed.alias therapist
    on therapist.kind = 'therapist' and therapist.from_id = v.therapist_id
    and v.started_on >= therapist.since and v.started_on < therapist.until
where v.known_from <= valid.night() and v.known_to > valid.night();

create or replace view valid.action as
select
    row_id as action_id, clinic_id, coalesce(patient.to_id, patient_id) as patient_id,
    coalesce(therapist.to_id, therapist_id) as therapist_id, episode_id, acted_on, v.kind,
    outcome, delivery_id, line, v.known_from, v.known_to
from valid.action_version v
left join landed.alias patient on patient.kind = 'patient' and patient.from_id = v.patient_id
left join landed.alias therapist
    on therapist.kind = 'therapist' and therapist.from_id = v.therapist_id
    and v.acted_on >= therapist.since and v.acted_on < therapist.until
where v.known_from <= valid.night() and v.known_to > valid.night();

-- The latest day that a clinic's exports speak about: nothing decided by elapsed time looks past it.
create or replace view valid.clinic as
select clinic_id, cast(max(day) as date) as data_through
from (
    select clinic_id, answered_on as day from valid.form
    union all
    select clinic_id, session_on from valid.session where status <> 'booked'
    union all
    select clinic_id, started_on from valid.episode
    union all
    select clinic_id, ended_on from valid.episode
)
where day <= valid.night()
group by clinic_id;
