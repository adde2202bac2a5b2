"""Tests of the services: the verbs, on real databases."""
