"""Initialization: how the first weights are drawn, and why."""
