"""Foundations: units, tasks and activation functions."""
