"""Tests of the windows on the tenant."""
