"""What is watched and seen, and the record of it."""
