"""What is watched and what was seen: indicators, reports, coverage, and the ledger that keeps them."""
