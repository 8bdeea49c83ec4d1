"""Signatures on documents of any kind: who is asked, whose turn it is, the evidence."""
