"""Tests of the filling that speaks to Microsoft 365."""
