"""Promises as data: policies with their ladder, working hours, categories."""
