"""Taylor expansion."""
