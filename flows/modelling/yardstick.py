"""A flexible model beside the plain one: what it costs to be able to say why.

Gradient boosting finds bends and combinations by itself. It is fitted and tested on the same sessions
as the plain model and used for nothing else.
"""

from __future__ import annotations

import numpy as np

from flows.modelling.fit import FloatArray

# Small steps and small trees: dropouts are few, and this is a yardstick, not a contest.
STEPS, LEARNING_RATE, LEAVES, SESSIONS_IN_A_LEAF = 150, 0.05, 8, 100
DECIMALS = 6


def boosted(
    columns: FloatArray, happened: FloatArray, new_columns: FloatArray, new_happened: FloatArray
) -> tuple[float, float]:
    """Return the C statistic and the Brier score of gradient boosting on new rows.

    Args:
        columns: what it learns from; what is not known is not a number.
        happened: events, 0 or 1, of both kinds.
        new_columns: what it is tested on.
        new_happened: events of these, of both kinds.
    """
    # Deferred: scikit-learn takes longer to load than most commands take to run.
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import brier_score_loss, roc_auc_score
    from threadpoolctl import threadpool_limits

    # a column that nothing is known of, as in a clinic without that form, cannot be cut into bins
    known = ~np.isnan(columns).all(axis=0)
    columns, new_columns = columns[:, known], new_columns[:, known]
    model = HistGradientBoostingClassifier(
        max_iter=STEPS, learning_rate=LEARNING_RATE, max_leaf_nodes=LEAVES,
        min_samples_leaf=SESSIONS_IN_A_LEAF, random_state=0,
        early_stopping=False,  # pyright: ignore[reportArgumentType] - the stubs know the default alone
    )  # fmt: skip
    # threads that wait for each other after every small step cost more than they save
    with threadpool_limits(limits=1, user_api="openmp"):
        model.fit(columns, happened)
        chance = np.asarray(model.predict_proba(new_columns))[:, 1]
    return (
        round(float(roc_auc_score(new_happened, chance)), DECIMALS),
        round(float(brier_score_loss(new_happened, chance)), DECIMALS),
    )
