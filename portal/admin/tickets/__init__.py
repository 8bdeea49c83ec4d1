"""The desk: the team's queue and a ticket at work."""
