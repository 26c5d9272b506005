"""A command group that answers a mistyped subcommand with the nearest one."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import click

__all__ = ["SuggestingGroup", "unknown_command"]


class SuggestingGroup(click.Group):
    """Refuses an unknown subcommand in one line that says which one was probably meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """See click; refuses what is not listed."""
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            raise click.UsageError(unknown_command(args[0], known), ctx)
        return super().resolve_command(ctx, args)


def unknown_command(name: str, known: Sequence[str]) -> str:
    """The refusal of a mistyped command, with the nearest one."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f'no command "{name}"; ' + (f'did you mean "{close[0]}"?' if close else f"one of: {', '.join(known)}")
