"""The command line: a thin skin over `workflow`, `reading` and the outputs.

It reads the clock, prints, and turns errors into exit codes: 0 done, 1 ran and the answer is no, 2 refused.
"""
