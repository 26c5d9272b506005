"""How a study and an outlook show themselves in a notebook: small tables in HTML, every text of a user escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["face"]


def face(title: str, about: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A title, a line about it and a table, as a piece of HTML without styles of its own.

    Parameters
    ----------
    title, about : str
        A line each; `about` may be empty.
    header : sequence of str
    rows : iterable of sequences of str
        As long as the header; the first cell names the row.
    """
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in header)
    body = "".join(_row(row) for row in rows)
    told = f"<p><b>{escape(title)}</b>{f'<br>{escape(about)}' if about else ''}</p>"
    return f"<div>{told}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _row(row: Sequence[str]) -> str:
    first, *rest = row
    return f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(text)}</td>" for text in rest)}</tr>'
