"""What the front pages of folders and the notice for patients say."""

from typing import Final, NamedTuple

_AGE: Final = "A page is as old as its night: what was said or written since is not on it."
_PAPER: Final = "Leave no printed page lying about; it has patients' numbers on it."
CARE_FOLDER: Final = (
    "Nobody else's patients are in this folder. Their numbers stand here and, where somebody supervises you, in that "
    "person's folder; in no other.",
    _AGE,
    "What a page calls a sign is something to speak about. It is no diagnosis and no judgement of your work.",
    _PAPER,
)
OVERSEEN_LEAD: Final = (
    "The therapists whom you supervise, in the order of the service's list. A longer list does not mean worse work: "
    "it follows from who came and what was filled in."
)
SUPERVISOR_FOLDER: Final = (
    "They are the pages in the therapists' own folders, and nothing more: a therapist sees what you see.",
    "Speak about them with the therapist. They are not for ranking, pay or appraisal.",
    _AGE,
    _PAPER,
)


class NoticePart(NamedTuple):
    """One heading of the notice for patients, and what stands under it."""

    key: str
    title: str
    texts: tuple[str, ...]


PUBLIC_READING: Final = (
    "These figures stand still until another month is over; what came in later shows with the next month.",
    "Counts are rounded, and a figure with few people behind it, or few who differ, is not shown.",
    "They describe what happened here. They do not say why, and services differ in whom they treat.",
    "Reliably improved means: better by more than the questionnaire's error of measurement.",
    "Who has no first or no last questionnaire is in none of the figures about change.",
)

# What a figure means to somebody who never heard of it.
PUBLIC_MEANING: Final = {
    "wait_six_weeks": "From the referral to the first session, of those treated: no more than six weeks.",
    "wait_eighteen_weeks": "From the referral to the first session, of those treated: no more than eighteen weeks.",
    "reliable_improvement": "Better at the end than at the beginning, by more than a questionnaire can be wrong.",
    "reliable_deterioration": "Worse at the end than at the beginning, by more than a questionnaire can be wrong.",
    "reason_recorded": "Of treatments that ended: somebody wrote down how.",
    "silent_ending": "Of treatments that ended: nobody wrote down an end; the patient was not seen for a long time.",
    "early_ending": "Of those who finished as planned or stopped: the patient stopped coming, without having agreed "
    "it with the therapist. Some of them were well.",
    "talking_therapies_paired": "Two questionnaires, on depression and on anxiety, were filled in at the beginning "
    "and at the end.",
    "talking_therapies_caseness": "At the beginning the score for depression or for anxiety reached the threshold from "
    "which a disorder is likely.",
    "talking_therapies_recovery": "Of those: both scores were below their thresholds at the end.",
    "talking_therapies_reliable_recovery": "Recovered, and better by more than a questionnaire can be wrong.",
    "talking_therapies_improvement": "Better on one of the two, and not worse on the other.",
    "talking_therapies_deterioration": "Worse on one of the two, and not better on the other.",
    "talking_therapies_no_change": "No change that is larger than a questionnaire can be wrong, or better on one and "
    "worse on the other.",
}

NOTICE: Final = (
    NoticePart(
        "collected",
        "What is collected",
        (
            "Your answers to questionnaires, with the day you gave them.",
            "The days of your appointments and whether you came, when your treatment began and ended, and how it ended.",
            "Some facts about you that your clinic records anyway, such as your age group.",
            "Not your name or your address: your number at the clinic is replaced by a code before anything is worked out.",
        ),
    ),
    NoticePart(
        "computed",
        "What is worked out from it",
        (
            "Scores of the questionnaires, and whether they change by more than chance.",
            "How you and your therapist each rate your work together, where both of you are asked.",
            "Signs that something should be spoken about: that you are not getting better, that your rating of the "
            "work together has dropped, that a questionnaire or an appointment was missed.",
            "No machine decides about your treatment. Every sign is read by a person, who knows more than the figures.",
            "It is no alarm system: it runs at night, on what your clinic has sent. If you need help at once, do not "
            "write it into a questionnaire. Call your clinic or an emergency number.",
        ),
    ),
    NoticePart(
        "shown",
        "Who gets to see it",
        (
            "Your own course: your therapist and their supervisor, under the number you have at the clinic.",
            "Those who lead the clinic: counts and means of many patients, never a single one.",
            "Those who check that the figures are right: single rows under a code, where they work on the checks.",
            "Everyone else: figures of the whole service, rounded.",
            "All of it stays on machines of the service. Nothing is sent to a company or another country by this program.",
        ),
    ),
    NoticePart(
        "rights",
        "What you can ask for",
        (
            "You may ask what is stored about you, have mistakes put right, and object.",
            "You may leave questions out. Ask your clinic what it means for your treatment.",
        ),
    ),
)
NOTICE_THERAPISTS_SHOWN: Final = "Figures of a therapist's patients taken together: that therapist, their supervisor and those who lead the clinic, under an agreement."
NOTICE_THERAPISTS_HIDDEN: Final = "Figures of single therapists are not published to anyone."
