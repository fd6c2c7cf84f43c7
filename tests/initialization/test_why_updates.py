import pytest

from x0.initialization.why_updates import first_step


@pytest.mark.claim("A-20")
def test_vanishing_does_not_move_and_exploding_moves_too_far():
    small, large = first_step(0.5, "SGD"), first_step(2.0, "SGD")
    assert small["change"] < 1e-7
    assert large["change"] > 10
    assert large["after"] > 1e10 * large["before"]


@pytest.mark.claim("A-20")
def test_adam_rescales_until_its_epsilon():
    moderate, he, lost = (first_step(scale, "Adam")["change"] for scale in (0.5, 1.0, 0.1))
    assert 0.5 < moderate / he < 2
    assert lost < 1e-10


def test_rate_is_proportional_for_sgd():
    assert first_step(1.0, "SGD", 0.02)["change"] == pytest.approx(
        2 * first_step(1.0, "SGD", 0.01)["change"]
    )


def test_optimizer_is_checked():
    with pytest.raises(ValueError, match="Received: optimizer='RMSprop'"):
        first_step(1.0, "RMSprop")


def test_change_by_sgd_grows_with_the_scale(values):
    sgd = values("why_updates")["sgd"]
    change = [sgd[name]["change"] for name in ("vanishing", "barely", "He")]
    assert change[0] < change[1] < change[2]
