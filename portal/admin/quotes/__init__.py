"""Quotes of customers, in the back office."""
