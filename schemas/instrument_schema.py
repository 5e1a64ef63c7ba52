"""JSON Schema of a questionnaire file, so that editors complete and check while one types.

It says which keys there are and what each holds. What the values must mean together (scales that do not overlap, bands
without gaps) is said by `faults_of` when the file is read.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas import instrument_shape as shape

FILE = Path(__file__).with_name("instrument.schema.json")

# One line for each key, as editors show it.
MEANINGS: Mapping[str, str] = {
    "id": "registry id: lower-case letters, digits and underscores",
    "name": "short name, printed on pages",
    "full_name": "name in full",
    "names": "names a mapping may use; no other instrument may have them",
    "version": "version of the questionnaire",
    "scoring_version": "raised when its scoring changes without a new version of the questionnaire; 1 where it is left out",
    "kind": "what it measures; alliance forms follow a session, the others precede it",
    "respondent": "who fills it in; a form for each has a file of its own",
    "better": "whether higher or lower scores are better",
    "recall_period": "the time that the questions are about",
    "enabled": "false where the scoring key is not verified; the note says why",
    "items": "number of scored items",
    "answers": "range of one answer, as ticked",
    "answers.min": "lowest answer",
    "answers.max": "highest answer",
    "answers.step": "distance between two answers: 1, or 0.1 for a line measured in millimetres",
    "reversed": "items that count max + min - answer; unknown where the key is not public",
    "not_applicable": "items that need not apply, and what they count then",
    "not_applicable.items": "items with an answer like: does not apply to me",
    "not_applicable.keyed_value": "what such an answer counts",
    "primary": "the scale that measures and charts use",
    "scales": "scores by name: made of items, or of other scales",
    "scales.label": "name of the score, printed on pages",
    "scales.items": "items of the scale, by number from 1",
    "scales.parts": "scales made of items whose items together make this one",
    "scales.method": "sum, or mean, of the keyed answers",
    "scales.factor": "the result is multiplied by this; 1 where it is left out",
    "scales.range": "lowest and highest score; held against items and answers",
    "scales.missing": "what happens where answers are missing",
    "scales.missing.rule": "none: no score; prorate: mean of the others; impute: the same, rounded half up",
    "scales.missing.max": "how many may be missing",
    "scales.missing.over": "counted over the scale, or over the whole form",
    "scales.missing.source": "who says so",
    "cutoffs": "cut-offs by population",
    "reliable_change": "sizes of change beyond the error of measurement",
    "no_reliable_change": "why no reliable change is in use for the primary scale",
    "bands": "named ranges of a score, from the lowest to the highest without gaps",
    "norms": "means and standard deviations of published groups",
    "reliability": "reliability coefficients",
    "change_norms": "which norms and reliability the indices of change in the audit tables are computed from",
    "risk": "items whose raw answer is looked at whatever becomes of the score",
    "loinc": "verified LOINC codes",
    "loinc.panel": "code of the questionnaire",
    "loinc.items": "codes of the items, in order",
    "loinc.total": "code of the total",
    "loinc.answers": "codes of the answers, with their numbers",
    "criteria": "patterns of symptoms, on raw answers, that a diagnosis asks for",
    "rupture": "items by which patient or therapist report a rupture of the alliance",
    "counterpart": "of a therapist's form: the patient's form that it goes with",
    "counterpart.instrument": "id of the patient's form",
    "counterpart.parallel": "whether both ask the same items, so that their levels can be compared",
    "counterpart.source": "who says so",
    "licence": "who owns it, and under which terms it may be used",
    "source": "where the scoring key was published",
    "note": "what one has to know to read the scores; may be empty",
    "examples": "answers with the scores they must give; tested through the SQL of the night",
    "*.scale": "name of the scale",
    "*.op": "operator between score, change or answer and the value",
    "*.value": "the number itself",
    "*.unrounded": "the number before it was rounded",
    "*.population": "whom it was found for",
    "*.version": "raised when the value changes",
    "*.default": "whether it is in use",
    "*.verified": "false where the number was not found in the source that it is said to be from",
    "*.source": "who published it; no number stands without one",
    "*.use": "what the cut-off is for",
    "*.basis": "published, or computed from standard deviation and reliability",
    "*.from": "first score of the band",
    "*.to": "last score of the band; what lies between two bands belongs to the lower one",
    "*.label": "name of the band",
    "*.group": "which group",
    "*.n": 'size of the group; written "n", because a bare n means no in older YAML',
    "*.mean": "mean",
    "*.sd": "standard deviation",
    "*.type": "kind of reliability",
    "*.clinical": "group of norms that stands for patients at the start",
    "*.functional": "group of norms that stands for people without the complaint; left out where none fits",
    "*.reliability": "kind of reliability",
    "*.item": "item number, from 1",
    "*.topic": "what the item is about, in a word or two",
    "*.name": "name of the pattern",
    "*.symptoms": "when an item counts as present",
    "*.needs": "how many of which items must be present; all needs must be met",
    "*.items": "items, by number from 1",
    "*.at_least": "how many of them",
    "*.answers": "one answer for each item; null missing, na not applicable",
    "*.expect": "score by scale; null where there must be none",
    "*.input_form": "keyed where reversed items are already turned; else raw",
    "*.band": "name of the band by scale",
    "*.risk": "items that must be flagged",
    "*.criteria": "true, false or null by pattern",
}


def json_schema() -> dict[str, Any]:
    """The whole schema, from the closed vocabulary of instrument_shape."""
    schema = _table("", shape.TOP, shape.TOP_MAY)
    within = schema["properties"]
    for key, (must, may) in shape.TABLES.items():
        within[key] |= _table(f"{key}.", must, may)
    for key, (must, may) in shape.LISTS.items():
        within[key]["items"] = _table("*.", must, may)
    for key, must in shape.CRITERION.items():
        within["criteria"]["items"]["properties"][key]["items"] = _table("*.", must, {})
    scale = _table("scales.", shape.SCALE, shape.SCALE_MAY)
    scale["properties"]["missing"] |= _table("scales.missing.", shape.MISSING, {})
    scale["oneOf"] = [{"required": ["items", "missing"]}, {"required": ["parts"]}]
    within["scales"]["additionalProperties"] = scale
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rapport instrument file",
        **schema,
    }


def schema_text() -> str:
    """The schema as it stands in instrument.schema.json."""
    return json.dumps(json_schema(), indent=1) + "\n"


def _table(prefix: str, must: shape.Shape, may: shape.Shape) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            key: {"description": MEANINGS[f"{prefix}{key}"], **kind.schema}
            for key, kind in {**must, **may}.items()
        },
        "required": list(must),
        "additionalProperties": False,
    }


if __name__ == "__main__":
    sys.stdout.write(schema_text())
