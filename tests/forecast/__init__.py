"""What is concluded from it."""
