"""Sweeps: Optuna's studies on a store."""
