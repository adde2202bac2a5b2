"""Simulated lives: a worker and a few people on a tenant in which everything goes wrong, in virtual time, by a seed."""
