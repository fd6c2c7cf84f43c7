"""Every public function meets every member of the zoo that fits its signature."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from zoo import contract, general, models
from zoo.examples import example
from zoo.oracles import ORACLES

SUBJECTS = contract.subjects()
MET = [
    key
    for key, subject in SUBJECTS.items()
    if subject.parameters and not contract.experiment(subject) and key not in contract.PLUMBING
]


@pytest.mark.parametrize("key", MET)
def test_a_function_does_what_it_says_or_refuses(
    key: str, record_property: Callable[[str, object], None]
) -> None:
    subject = SUBJECTS[key]
    oracle = ORACLES.get(key)
    first = contract.meet(subject, example(subject), oracle, True)
    if first.end == "failed":
        pytest.fail(f"{key} does not work on its example: {first.why}\nGive it one in examples.py.")
    if key in contract.SLOW:
        return
    counts: Counter[str] = Counter({"verified": 0})
    failures = []
    calls = (contract.meetings(subject, example) for _ in range(2))
    for call, twin in zip(*calls, strict=True):
        outcome, spoke = general.judge(subject, call, twin, example, oracle)
        counts[outcome.end] += 1
        counts.update(f"oracle {name}" for name in spoke)
        if outcome.end == "failed":
            failures.append(f"{call.name}: {call.member}: {outcome.why}")
    assert not failures, f"{key}\n" + "\n".join(failures)
    for end, count in counts.items():
        record_property(end, count)


WIDER = {  # what is stated is the meaning: the mean over the first axis takes anything
    "applications_kfac.kfac_factors: shape of s",
    "applications_kfac.damped_solve: numbers of tau",  # nan of nan
    "multivariate_module.flat_loss: shape of inputs",  # the function that it returns reads them
}


@pytest.mark.parametrize("key", MET)
def test_what_a_docstring_excludes_does_not_work(key: str) -> None:
    """A stated shape, type or number may not hide a member that the function serves."""
    subject = SUBJECTS[key]
    if key in contract.SLOW:
        return
    for group, calls in contract.beyond(subject, example).items():
        served = []
        for call in calls:
            found = contract.Meeting(call.name, "as it is", call.arguments)
            outcome, _ = general.judge(subject, found, None, example, ORACLES.get(key))
            if outcome.end != "verified":
                break
            served.append(call.member)
        if f"{key}: {group}" in WIDER:
            continue
        assert len(served) < len(calls), f"{key}: {group} excludes what works: {served}"


def test_every_member_has_its_trap() -> None:
    assert all(model.trap for model in models.MODELS.values())
    assert len(models.MODELS) >= 65


def test_the_contract_covers_the_book() -> None:
    assert len(MET) > 250
    assert not set(ORACLES) - set(MET), "an oracle for a function that is not met"
