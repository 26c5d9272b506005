"""Fixtures that tests of several folders share."""

from tests.commands import commands
from tests.postgres import database, server

__all__ = ["commands", "database", "server"]
