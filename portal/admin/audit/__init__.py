"""The audit log of the back office."""
