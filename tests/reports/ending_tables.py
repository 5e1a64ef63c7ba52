"""Made-up rows of the page on endings and of the model card."""

from typing import Any

Rows = list[dict[str, Any]]


def ending_tables(hostile: str) -> dict[str, Rows]:
    """Rows of every table that the two pages read."""
    share = "13 % (11 to 16 %)"
    endings = [
        ("by_session", "Whole service", "ended early, not agreed", 3, 1, share, "of 3817 courses begun"),
        ("by_session", "Whole service", "ended early, not agreed", 5, 1, "17 % (15 to 18 %)", "of 3817 courses begun"),
        ("by_session", hostile, "ended early, not agreed", 3, 2, "9 % (7 to 12 %)", "of 812 courses begun"),
        ("by_session", hostile, "ended early, not agreed", 5, 2, "too few to show (n < 5)", None),
        ("by_session", hostile, "ended as planned", 5, 3, "4 % (3 to 6 %)", "of 812 courses begun"),
        ("by_alliance", "Lowest third of first ratings", "ended as planned", 5, 1, share, "of 1071 courses that came to session 3"),
        ("definition", "Ended after at most three sessions", None, None, None, share, "of 1864 endings"),
        ("agreement", "Recorded as dropout", "Ended after at most three sessions", None, None, "0.53", "1648 endings that both can judge"),
    ]  # fmt: skip
    model = [
        (
            "state",
            "Good enough to be shown",
            "no",
            "tested on 132 dropouts only; 400 are needed to judge it",
        ),
        ("data", hostile, "left out", "61 % of its endings carry a reason"),
        ("size", "Sessions needed", "8344", "there are 21045"),
        ("term", "a rupture is open", "0.23 (-0.17 to 0.63)", "odds times 1.26"),
        ("base_rate", "session 1", "6.1 %, 233 of 3817", None),
    ]
    test = [
        ("test", "Calibration slope", "0.95 (0.75 to 1.14)", None),
        ("month", "May 2026", "25 dropouts in 901 sessions", None),
        ("tenth", "tenth 1 of 10", "fewer than 5 dropouts in 459 sessions", None),
        ("group", "sex: female", "cannot be assessed", "fewer than 100 dropouts"),
    ]
    ending_names = ("topic", "label", "what", "session_no", "table_row", "value_text", "n_text")
    model_names = ("topic", "label", "value_text", "note")
    return {
        "calibration_curve": [
            {
                "curve_order": tenth, "n": 400 + tenth, "expected": 0.005 * tenth,
                "observed": None if tenth == 1 else 0.006 * tenth,
                "low": None if tenth == 1 else 0.004 * tenth,
                "high": None if tenth == 1 else 0.009 * tenth,
                "label": f"expected {0.5 * tenth:.1f} %, {hostile}",
            }
            for tenth in range(1, 11)
        ],
        "incidence_point": [
            {
                "group_kind": "early_alliance" if group else "service", "group_id": group or "service",
                "group_order": 1 if group else 0, "label": "Lowest third" if group else "Whole service",
                "cause": cause, "cause_text": cause_text, "session_no": session,
                "share": share * session, "low": share * session * 0.8, "high": share * session * 1.2,
                "value_text": f"{100 * share * session:.0f} % ({80 * share * session:.0f} to {120 * share * session:.0f} %)",
                "n_text": f"{100 - 3 * session} of 100",
            }
            for group in (None, "low")
            for cause, cause_text, share in (
                ("dropout", "ended early, not agreed", 0.02),
                ("planned", "ended as planned", 0.03),
            )
            for session in range(1, 21)
        ],
        "ending_fact": _ordered(ending_names, endings),
        "model_fact": _ordered(model_names, model),
        "model_test": _ordered(model_names, test),
    }  # fmt: skip


def _ordered(names: tuple[str, ...], rows: list[tuple[str | int | None, ...]]) -> Rows:
    return [
        dict(zip(names, row, strict=True)) | {"line_order": order}
        for order, row in enumerate(rows, start=1)
    ]
