"""From a score to item answers that add up to it."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from flows.synthetic.parameters import Instrument

FloatArray = NDArray[np.float64]


def draw_answers(rng: Generator, scores: FloatArray, instrument: Instrument) -> FloatArray:
    """Draw raw answers (form, item) whose keyed sum is the score; NaN = not answered.

    Scores are clipped to the scale. Reversed items come back as the patient ticked them. Ten-point
    items are visual analogues with one decimal, and their sum is close to the score, not equal.
    """
    analogue = instrument.maximum == 10.0
    keyed = _lines(rng, scores, instrument) if analogue else _ticks(rng, scores, instrument)
    for item in instrument.reversed:
        keyed[:, item - 1] = instrument.minimum + instrument.maximum - keyed[:, item - 1]
    keyed[rng.random(keyed.shape) < instrument.missing_item] = np.nan
    return keyed


def _ticks(rng: Generator, scores: FloatArray, instrument: Instrument) -> FloatArray:
    """Hand out whole points: each item has as many slots as points; the lowest keys are taken."""
    n, items = len(scores), instrument.items
    steps = int(instrument.maximum - instrument.minimum)
    points = np.clip(np.rint(scores - items * instrument.minimum), 0, items * steps).astype(int)
    # Items differ in how readily they are endorsed, patients in which items are theirs.
    ease = rng.normal(0.0, 0.15, items) + rng.normal(0.0, 0.25, (n, items))
    keys = rng.random((n, items, steps)) + ease[:, :, None]
    ordered = np.sort(keys.reshape(n, -1), axis=1)
    edge = np.where(
        points > 0, np.take_along_axis(ordered, np.maximum(points - 1, 0)[:, None], 1)[:, 0], -9.0
    )
    return instrument.minimum + (keys <= edge[:, None, None]).sum(axis=2, dtype=np.float64)


def _lines(rng: Generator, scores: FloatArray, instrument: Instrument) -> FloatArray:
    spread = rng.normal(0.0, 0.9, (len(scores), instrument.items))
    spread -= spread.mean(axis=1, keepdims=True)
    lines = scores[:, None] / instrument.items + spread
    return np.round(np.clip(lines, instrument.minimum, instrument.maximum), 1)
