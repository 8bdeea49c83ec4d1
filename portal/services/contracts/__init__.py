"""Contracts: drafted by the team, signed by both sides, sealed."""
