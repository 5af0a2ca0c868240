"""Encoders of rich values, one file a kind: from what a user holds to bytes that are data."""
