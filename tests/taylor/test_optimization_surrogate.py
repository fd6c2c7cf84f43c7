"""Training loss and risk."""

import numpy as np
import pytest

from x0.taylor.optimization_surrogate import demo, train_and_test


@pytest.mark.claim("C-18")
def test_the_training_loss_falls_while_the_loss_on_new_data_rises() -> None:
    train, test = train_and_test(3000)
    assert (np.diff(train) < 0).all()
    best = int(test.argmin())
    assert 10 < best < 300
    assert test[-1] > 2 * test[best]
    values = demo()
    assert values["train_last"] < values["train_best"]
    assert values["test_last"] > 2 * values["test_best"]
