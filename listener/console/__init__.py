"""Pages in a browser for those who answer, lead and tune."""
