"""What a questionnaire is: frozen records, without item wording."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Scale:
    """One score of an instrument, made of items or of other scales."""

    name: str
    label: str
    items: tuple[int, ...]  # of a scale made of parts: all items of the parts
    parts: tuple[str, ...]
    method: str
    factor: Decimal
    range_min: Decimal
    range_max: Decimal
    missing_rule: str
    max_missing: int
    missing_over: str


@dataclass(frozen=True)
class Threshold:
    """A cut-off or a reliable change with its operator and where it comes from."""

    scale: str
    op: str
    value: Decimal
    unrounded: Decimal | None
    use: str  # of a reliable change: its basis, published or computed
    population: str
    version: int
    is_default: bool
    is_verified: bool
    source: str


@dataclass(frozen=True)
class Band:
    """A named range of a score, both ends inclusive; read as left-closed between whole points."""

    scale: str
    low: Decimal
    high: Decimal
    label: str
    source: str


@dataclass(frozen=True)
class Norm:
    """Mean and standard deviation of a published group."""

    scale: str
    group: str
    n: int | None
    mean: Decimal
    sd: Decimal
    version: int
    source: str


@dataclass(frozen=True)
class Reliability:
    """One reliability coefficient and its kind."""

    scale: str
    type: str
    value: Decimal
    source: str


@dataclass(frozen=True)
class ChangeNorm:
    """What indices of change on one scale are computed from; the functional group may be unknown."""

    scale: str
    clinical: Norm
    functional: Norm | None
    reliability: Reliability
    source: str


@dataclass(frozen=True)
class RiskItem:
    """An item whose raw answer is looked at whatever becomes of the score."""

    item: int
    op: str
    value: Decimal
    topic: str
    source: str


@dataclass(frozen=True)
class Criterion:
    """A pattern of symptoms: when an item counts as present, and how many must be."""

    name: str
    symptoms: tuple[tuple[int, str, Decimal], ...]  # item, operator, value
    needs: tuple[tuple[tuple[int, ...], int], ...]  # items, and how many of them at least
    source: str


@dataclass(frozen=True)
class Loinc:
    """Verified LOINC codes: of the form, of its items in order, of its total, of its answers."""

    panel: str
    items: tuple[str, ...]
    total: str
    answers: Mapping[str, Decimal]


@dataclass(frozen=True)
class RuptureItem:
    """An item by which patient or therapist report a rupture, on the answer as on paper."""

    item: int
    op: str
    value: Decimal
    source: str


@dataclass(frozen=True)
class Counterpart:
    """The patient's form that a therapist's form goes with, and whether their items are parallel."""

    instrument: str
    is_parallel: bool
    source: str


@dataclass(frozen=True)
class Example:
    """A worked example: answers in item order (None missing, 'na' not applicable), and scores."""

    answers: tuple[Decimal | str | None, ...]
    input_form: str
    expect: Mapping[str, Decimal | None]
    band: Mapping[str, str]
    risk: tuple[int, ...]
    criteria: Mapping[str, bool | None]
    source: str


@dataclass(frozen=True)
class Instrument:
    """One questionnaire: how it is scored and read. Holds no item wording."""

    id: str
    name: str
    full_name: str
    names: tuple[str, ...]
    version: str
    kind: str
    respondent: str
    direction: int  # +1 higher is better, -1 lower is better
    recall_period: str
    is_enabled: bool
    item_count: int
    answer_min: Decimal
    answer_max: Decimal
    answer_step: Decimal
    reversed: frozenset[int]
    is_key_known: bool  # False where it is not known which items are reversed
    not_applicable: frozenset[int]
    not_applicable_value: Decimal | None
    primary: str
    scales: Mapping[str, Scale]
    cutoffs: tuple[Threshold, ...]
    reliable_change: tuple[Threshold, ...]
    bands: tuple[Band, ...]
    norms: tuple[Norm, ...]
    reliability: tuple[Reliability, ...]
    change_norms: tuple[ChangeNorm, ...]
    risk: tuple[RiskItem, ...]
    loinc: Loinc | None
    criteria: tuple[Criterion, ...]
    counterpart: Counterpart | None
    rupture: tuple[RuptureItem, ...]
    licence: str
    source: str
    note: str
    examples: tuple[Example, ...]
    content_hash: str  # SHA-256 of the file's bytes
