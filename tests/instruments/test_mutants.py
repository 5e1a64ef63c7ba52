"""A small sample of what `make mutants` does whole: no break of a file goes unnoticed."""

import random

import pytest

from tests.instruments.mutants import EXAMPLES, REGISTRY, SECOND_ENTRY, judge, mutants
from tests.instruments.published import contents


@pytest.mark.parametrize("name", contents())
def test_a_broken_file_is_noticed(name: str) -> None:
    every = list(mutants(contents()[name]))
    sample = random.Random(name).sample(every, 8)
    noticed = judge(sample)
    assert [mutant.what for mutant, by in zip(sample, noticed, strict=True) if by is None] == []


def test_each_kind_of_check_notices_something() -> None:
    noticed = judge(list(mutants(contents()["core10"])))
    assert {REGISTRY, EXAMPLES, SECOND_ENTRY} <= set(noticed)


def test_an_unbroken_file_is_not_noticed() -> None:
    from tests.instruments.mutants import Mutant

    assert judge([Mutant(name, "nothing", data) for name, data in contents().items()]) == [
        None
    ] * len(contents())
