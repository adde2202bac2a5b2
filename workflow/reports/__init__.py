"""Pages to take away: one HTML file that loads nothing. The home of the template engine."""
