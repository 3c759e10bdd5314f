"""Right ones."""
