"""Scenarios, the engine and its outputs."""

__version__ = "0.1.0"
