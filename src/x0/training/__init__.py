"""Training: mini-batches, optimizers, schedules, data and what makes a result hold."""
