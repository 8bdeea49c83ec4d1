"""Turns a bare clone into a running product: environment, servers, children. Imports nothing of `portal`."""
