"""Datasets: what they are told by, and a digest of their content."""
