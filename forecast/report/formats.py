"""What writes a report in each of its formats; only the room of the one that is asked for is imported."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["report_writer"]


def report_writer(form: str) -> Callable[..., str | bytes]:
    """What writes a format: `(released, *, since, last, record) -> str or bytes`.

    Parameters
    ----------
    form : str
        `html`, `pdf`, `docx` or `markdown`.
    """
    if form == "html":
        from forecast.report.html import html_text

        return html_text
    if form == "pdf":
        from forecast.report.pdf import pdf_bytes

        return pdf_bytes
    if form == "docx":
        from forecast.report.docx import docx_bytes

        return docx_bytes
    from forecast.report.markdown import report_markdown

    return report_markdown
