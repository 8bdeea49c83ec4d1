"""A stand-in for Stripe on the loopback interface: what the portal needs of its API, for development and tests.

It knows nothing of the portal and the portal nothing of it. Parameters and objects are checked against the installed
SDK's own annotations, outcomes are decided by published test numbers alone, and no other number is ever accepted.
"""
