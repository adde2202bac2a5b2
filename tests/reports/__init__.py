"""Tests of the pages to take away."""
