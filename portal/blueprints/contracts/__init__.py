"""Contracts: pages and API of customers, API of the team, and the check of sealed documents for anybody."""
