"""The report: what a reader who decides needs on one page, and behind it an annex with all that it rests on.

`content` is the report as plain values, and says everything; `html`, `pdf`, `docx` and `markdown` only set it. No text
of a user is ever part of a template: templates are ours, or the house's, and what users wrote is a value in them.
"""
