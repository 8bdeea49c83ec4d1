"""Contracts in the back office."""
