"""Fixtures that tests of several folders share."""

from tests.postgres import database, server

__all__ = ["database", "server"]
