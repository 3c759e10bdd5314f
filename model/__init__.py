"""The model: what the world is and how it may change; standard library only."""
