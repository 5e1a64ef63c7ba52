"""Texts that several pages share: audiences, sections, states, and what not to conclude."""

from typing import Final, NamedTuple


class State(NamedTuple):
    """How a state is shown: a sign, a word and a tone, so that colour never stands alone."""

    sign: str
    word: str
    tone: str


class Section(NamedTuple):
    """Heading and lead of one group of figures."""

    title: str
    lead: str


AUDIENCE: Final = {
    "overview": "For those who run the service and plan the night.",
    "clinic": "For the people who lead this clinic, and for its clinical operations.",
    "changed": "For those who run the service and lead its clinics, and for clinic operations.",
    "over_time": "For those who run the service and lead its clinics.",
    "mend": "For the operations of this clinic. Safe to mail.",
    "therapist": "For this therapist and their supervisor, to talk about together. "
    "Not for ranking, pay or appraisal.",
    "data_quality": "For clinic operations: what arrived, what was refused, and what to mend.",
    "alliance": "For those who run the service and lead its clinics. No therapist is told apart here.",
    "on_track": "For those who lead the service, supervise, or wonder what a colour is worth.",
    "endings": "For those who run the service and lead its clinics.",
    "model_card": "For everyone who is to trust or to doubt the chance of leaving, and for auditors.",
    "methods": "For everyone who reads a figure here, and for auditors.",
    "review": "For the care team and auditors. Row level: not for managers, not to be passed on.",
    "care_front": "For this therapist and their supervisor alone. Not to be passed on.",
    "supervisor": "For this supervisor alone. Row level: not for managers, not to be passed on.",
    "audit_front": "For auditors. Row level: not for managers, not to be passed on.",
    "notice": "For patients. To be printed and handed out, or put on the clinic's own pages.",
    "public": "For patients, those who refer them, and everyone else outside of the service.",
    "worklist": "For this therapist and their supervisor alone. Row level: not for managers, not to be "
    "passed on.",
    "care_team": "For this therapist and their supervisor alone. Row level: not for managers, not to be "
    "passed on.",
    "scores": "For auditors and the care team. Row level: not for managers, not to be passed on.",
}

SUPERVISOR: Final = "Supervisor {}"

SECTIONS: Final = {
    "outcome": Section(
        "Outcome",
        "Change from the first to the last questionnaire of finished treatments, counted only "
        "where it is larger than the error of measurement.",
    ),
    "talking_therapies": Section(
        "NHS Talking Therapies outcomes",
        "Counted as England counts them: on a measure of depression and one of anxiety together, "
        "over all finished courses. Courses without both pairs of scores stay in and count as not "
        "reached; the bounds say what they could change.",
    ),
    "index": Section(
        "Service indices",
        "Change on a common scale, and leaving early with and without effect. An effect size is "
        "not reliable change: many small changes make a large one. The share that changed "
        "reliably stands under Outcome.",
    ),
    "caseload": Section(
        "Caseload and throughput",
        "How many courses began, ended and were open, and how many sessions they took. Many or few is "
        "neither good nor bad; the three together say whether a service fills or empties.",
    ),
    "waits": Section(
        "Waits",
        "Of finished courses, where the clinic records when a patient was referred.",
    ),
    "alerts": Section(
        "Worklists",
        "How often courses were put on the care team's worklists, and what came of it. Who was kept "
        "by acting on an alert counts as an alert that was wrong.",
    ),
    "alliance": Section(
        "Alliance",
        "How patient and therapist rate their work together. A level says little without its "
        "course, and a high level may be politeness.",
    ),
    "endings": Section(
        "Endings",
        "How treatments came to an end. An early ending is not always a bad one.",
    ),
    "completeness": Section(
        "Completeness",
        "How much of what should be there is there: every figure above speaks only for the people "
        "whose questionnaires came back.",
    ),
}

BETTER: Final = {
    "higher": "Higher is better.",
    "lower": "Lower is better.",
    "neither": "Neither direction is better.",
}

STATES: Final = {
    "green": State("✓", "Green", "good"),
    "partly green": State("!", "Partly green", "warn"),
    "ok": State("✓", "In order", "good"),
    "failed": State("✕", "Failed", "bad"),
    "no delivery yet": State("–", "No delivery yet", "warn"),
    "late": State("!", "Late", "warn"),
    "reject": State("✕", "Refused", "bad"),
    "warn": State("!", "Warning", "warn"),
    "agree": State("✓", "Figures agree", "good"),
    "disagree": State("✕", "Figures disagree", "bad"),
    "not checked": State("!", "Not checked", "warn"),
    "fatal": State("✕", "Mend first", "bad"),
}

OUTCOME_KNOWN: Final = "paired_outcome"
ALLIANCE_LEVEL: Final = "early_alliance_mean"
ALLIANCE_COURSE: Final = "early_alliance_slope"
ALLIANCE_ALONE: Final = (
    "The early level of the alliance is not shown on its own: at the beginning of treatment it did "
    "not go together with outcome, its course did (Johansson & Jansson 2010)"
)
ALLIANCE_CAUTION: Final = (
    "This level stands alone. At the beginning of treatment the level did not go together with "
    "outcome, its course did (Johansson & Jansson 2010)."
)
THERAPIST_SHARE: Final = (
    "More than 90 % of the differences in outcome between patients are not down to the therapist: "
    "the share that goes with therapists is about 5 % on average (Johns et al. 2019)."
)

WORKLIST_LEAD: Final = (
    "Open courses that may be about to end without agreement, few enough to act on. A line is a prompt "
    "to think of somebody, not a judgement of them, and whoever is not listed may leave as well."
)

CARE_LEAD: Final = (
    "Courses that go on, those with something to speak about first. What is listed is a prompt for a "
    "conversation with the patient, not an alarm and not a judgement; about two in a hundred ratings "
    "look like a rupture by chance. Ratings the therapist sees tend to be kinder than ratings nobody sees."
)
REPAIR: Final = (
    "Say openly that something felt different last time, and ask; do not wait for the patient to raise it.",
    "Ask what was not right about the last session: the goals, the way of working, or being understood.",
    "Own your part in it without defending yourself; stay curious about the patient's side.",
    "Agree again on what you work on and how, and change the task if it does not fit.",
    "If patients say little, that is information too: withdrawal is easier to miss than anger.",
)
SUM_LEAD: Final = (
    "Each course that ended moves the line by how far it went otherwise than expected from intake: up where it went "
    "better, down where worse; the grey line is as expected. Two sums, one for twice as many events and one for half as many, "
    "are held against a threshold that five in a hundred therapists would pass by chance within a hundred courses. "
    "Passing it starts a conversation: first about the data, then about who came, then about the work."
)
REPAIR_SOURCE: Final = (
    "After Safran, Muran & Eubanks-Carter 2011 (repaired ruptures and outcome: r .24, three studies, 148 "
    "patients) and Muran et al. 2009 (ruptures resolved in the first six sessions and staying in treatment)."
)
ALLIANCE_LEAD: Final = (
    "The alliance forms in the first sessions and goes up and down after. Where it is low early, more "
    "patients leave (d about .55 over eleven studies, Sharf et al. 2010); over all studies it goes with "
    "outcome by about r .28 (Flückiger et al. 2018). This page tells how it is here."
)
PHASE_LEAD: Final = (
    "Each phase speaks of those still in treatment then. Who left is in no later phase: a higher level "
    "later on may be those who stayed, and no growth in anyone."
)
CONGRUENCE_LEAD: Final = (
    "How far the therapist's rating goes up and down with the patient's, session by session. Therapists "
    "usually rate lower, and pairs that move together may differ in level (Atzil-Slonim et al. 2015). "
    "This is no target, and no therapist's score."
)
FACTOR_LEAD: Final = (
    "Missing forms are not missing at random. Where an interpreter takes part, three people are in the "
    "room and the rating means something else: read it with care."
)
TOPICS: Final = (
    (
        "components",
        "Where the alliance differs",
        "Of all differences between ratings, how much lies between therapists, between patients of one "
        "therapist, and between sessions of one patient. In published services about 6 % lies between "
        "therapists. A service with too few therapists or courses cannot say.",
    ),
    (
        "lagged",
        "What follows a good or a poor session",
        "Within one patient: when the alliance is higher than usual for this patient, how are the symptoms "
        "at the next session? Below zero means fewer symptoms. Other things may move both, and the "
        "calculation leans a little towards zero in short courses (Flückiger et al. 2020).",
    ),
    (
        "share",
        "How much of the outcome goes with the alliance",
        "Share of the differences in the last score that the alliance adds to what the first score tells. "
        "The last rating is coloured by how treatment turned out: who is well says so on both forms. At the "
        "beginning of treatment one study found no association, at the end about 15 % "
        "(Johansson & Jansson 2010).",
    ),
)

DO_NOT_CONCLUDE: Final = (
    (
        "That one clinic or therapist is better than another.",
        "They see different people. Where intervals overlap, chance may explain the difference; "
        "where they do not, think of case mix and missing questionnaires first.",
    ),
    (
        "That a treatment caused a change.",
        "People come when they are at their worst, and many would have felt better anyway. "
        "These figures count what happened; they have no comparison group.",
    ),
    (
        "That those without a last questionnaire did like the others.",
        "They often did not. The bounds beside a rate say how it would look if all of them had "
        "gone badly, or all well.",
    ),
    (
        "That a quarter that went up or down is a trend.",
        "One quarter is few people. Look at the interval before the point.",
    ),
    (
        "That a high alliance rating means good therapy.",
        "Most ratings are high, some out of courtesy. A drop, and what was done about it, "
        "says more than the level.",
    ),
    (
        "That an early ending is a failure.",
        "Some people stop because they are well. Where the reason is not recorded, "
        "nobody here knows.",
    ),
    (
        "That nothing needs attention because nothing is marked.",
        "This is not an alarm system. Answers about risk belong to the care team on the day they "
        "are given, not to a nightly report.",
    ),
)

READING: Final = (
    (
        "The number",
        "A share or a mean of the last 12 months that end on the as-of date.",
    ),
    (
        "95 % interval",
        "With the same service and other patients by chance, an interval made this way would hold "
        "the underlying value about 95 times in 100. It tells of chance alone, not of missing "
        "questionnaires.",
    ),
    ("Counted", "How many people or sessions the figure stands on, and out of how many."),
    (
        "Complete",
        "How many of those who should be in the figure are in it. Where fewer than half are, "
        "the figure is withheld.",
    ),
    (
        "Bounds",
        "The figure if everyone who is missing had gone badly, and if everyone had gone well.",
    ),
    (
        "Estimate on a therapist's page",
        "The counted value, moved towards the service's value as far as the caseload is small: "
        "few cases say little, and chance makes the extremes.",
    ),
    (
        "Too few to show",
        "Where a figure would stand on fewer people than its minimum, it is left out: it would say "
        "nothing, and might give a person away.",
    ),
)

COLOURS: Final = (
    (
        "Red",
        "Reliably worse than at the start, whatever else holds; or beyond the outer band and not "
        "reliably better. This is what is called not on track.",
    ),
    (
        "White",
        "Outside the clinical range, unless reliably worse.",
    ),
    ("Amber", "Beyond the inner band."),
    ("On track", "Within the bands; or, where there are none, not reliably worse."),
    (
        "No colour",
        "The first score has nothing to be compared with; without a score by the second session, "
        "or without a published reliable change, nothing can be said.",
    ),
)
TRACK_CAUTIONS: Final = (
    "Who is still there at session fifteen is not who began. Some left because they were well, some "
    "because it did not help; the bands of later sessions are made of those who stayed.",
    "Many who are red do not end reliably worse, and some who end so were never red: see below. Red "
    "is a reason to talk, with the patient first. It is no verdict on a therapist.",
    "Some patients with depression change late. Red at the third session is weaker than at the tenth.",
    "Feedback of this kind helps a little: over 58 studies a standardised difference of .15 to .17 "
    "(de Jong et al. 2021, doi 10.1016/j.cpr.2021.102002).",
)
ENDINGS_LEAD: Final = (
    "A recorded end counts as it is recorded. Where nobody recorded one, silence longer than the gap rule allows counts "
    "as the patient's ending. A patient who comes back opens the course again. Where fewer than four of five endings of "
    "a clinic carry a reason, leaving cannot be told from finishing, and both are counted as stopped coming."
)
INCIDENCE_LEAD: Final = (
    "Share of courses that had ended in this way by so many attended sessions, with the other ways of ending competing "
    "(Aalen and Johansen's estimator). Courses begun in the two years of the figures; open ones count as long as they "
    "are followed. The share by session 3 and by session 5 is early dropout of those who started."
)
CURVE_LEAD: Final = (
    "The same estimator at every session: the whole service from the first session on, and thirds by early alliance "
    "from the session on at which the groups are formed. Bands are 95 % intervals; a curve ends where too few are "
    "still followed. Bands that overlap leave open whether the groups differ."
)
LANDMARK_LEAD: Final = (
    "Courses are grouped by the mean of their first ratings, in thirds of all courses with the same questionnaire. Only "
    "those that came to the last of these sessions are in a group, and they are followed from it on: otherwise staying "
    "would itself put a course into the better group. It shows who leaves, not that the alliance keeps them."
)
DEFINITIONS_LEAD: Final = (
    "Definitions of dropout disagree, here as in the literature (Swift, Callahan and Levine 2009). Each share is of "
    "those endings of the last 12 months that the definition can judge."
)
KAPPA_LEAD: Final = "0 is what chance alone would give, 1 full agreement (Cohen 1960); the whole service, last 12 months."
MODEL_LEAD: Final = (
    "After every attended session a patient goes on, leaves without agreement, ends as planned, or ends otherwise. "
    "One multinomial model estimates the chance of each from what was known at the end of that session. Who treats is "
    "not in it. Definition of leaving: recorded as dropout, or silent for longer than the gap rule allows."
)
MODEL_NO_ADVICE: Final = "This is not clinical advice. A chance describes many patients who looked alike; it says nothing certain of one."
MODEL_STATE: Final = (
    "The chances may be shown only where calibration in the large and its slope lie inside their limits with their "
    "whole intervals, on enough dropouts that the model had not seen. What passed stays as long as the estimates are inside."
)
MODEL_DATA: Final = (
    "Attended sessions of clinics whose endings carry reasons. A session counts once enough time lies behind it for "
    "any ending to be known, whatever came after. What arrived later than a week after the session is not used; where a "
    "history was delivered at once, when each row was known is assumed. Coefficients stand still for a quarter."
)
MODEL_SIZE: Final = (
    "By Riley and others (2019), for the chance of dropout at one session. Below it there is no model: base rates by "
    "session stand at the end of this page, and the plain facts of a case are worth more than a chance."
)
MODEL_TERMS: Final = (
    "Coefficients on the logit of dropout against going on, with 95 % intervals, beside the average session. What is "
    "not known adds nothing. A normal prior with standard deviation five keeps rare levels finite. They describe; none names a cause."
)
MODEL_TEST: Final = (
    "Once a month a model is fitted on what counted half a year before and tested on the sessions since. The highest "
    "chances are those an alert would be raised on."
)
MODEL_MONTHS: Final = "The same test month by month: of the sessions with the highest chances, for how many patients was it the last one?"
MODEL_TENTHS: Final = "Sessions of the test from the lowest to the highest tenth of chances: dropouts seen, and expected."
MODEL_GROUPS: Final = "Whether the chances are right in groups of patients; with few dropouts that cannot be assessed."
MODEL_BASE_RATES: Final = "Share of patients who did not come back after this session: dropout, or an ending without a recorded reason."
MODEL_LIMITS: Final = (
    "For the chance of leaving within five sessions, everything known now is carried forward; only the number of the session moves on.",
    "Ratings that depend on who sees them, and forms that come back least from those about to leave, are taken as they are.",
    "Endings without a recorded reason count as other endings: the true chance of dropout is a little higher.",
    "If somebody acts on a chance, fewer leave than expected, and the model will look wrong for being useful.",
)
