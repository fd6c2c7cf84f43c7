"""Training: mini-batches, optimizers, schedules, data, reproducibility."""
