"""Tests of Watchfloor: laws, oracles, refusals, and the commands as a person types them."""
