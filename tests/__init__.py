"""The tests, one room per floor, and what they share."""
