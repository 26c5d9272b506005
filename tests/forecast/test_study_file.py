"""A study file is read or refused; refused, every mistake is named once, where it stands, with its mend."""

import copy
import json
import random
import subprocess
import sys
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.study import Study
from forecast.study_checks import CHECKS
from forecast.study_file import examined, read_study, schema, study_faults, study_json
from forecast.yaml_tree import yaml_text
from indicators.errors import Fault, FaultsError
from tests.strategies import AWKWARD, random_case, to_yaml

SOUND = """\
study: harbour
title: Harbour dispute
question: How does it end?
tags: [ports, labour]
assumptions:
  - The owner stays.
opens: 2026-01-01
horizon: 2026-12-31
tlp: green
words: icd203
prior_confidence: medium
drift: {half_life: 1 y}
grades: {B: 0.8, 1: 0.95}
sources: {Port authority: A2}
scenarios:
  - {id: settled, name: Settlement, prior: 0.5}
  - {id: simmering, prior: 0.3}
  - {id: strike, prior: 0.2}
indicators:
  - id: talks
    kind: state
    states: [stalled, moving]
    likelihoods:
      settled: [0.2, 0.8]
      simmering: [0.5, 0.5]
      strike: very unlikely
    confidence: high
    persistence: 60 d
    check_every: 14 d
  - id: tone
    kind: state
    states: [calm, tense, hostile]
    given: talks
    likelihoods:
      settled: {stalled: [0.3, 0.4, 0.3], moving: [0.6, 0.3, 0.1]}
      simmering: {stalled: [0.2, 0.4, 0.4], moving: [0.4, 0.4, 0.2]}
      strike: {stalled: [0.1, 0.3, 0.6], moving: [0.2, 0.4, 0.4]}
  - id: ballot
    kind: milestone
    rates: {settled: 0.3, simmering: 0.8, strike: 4}
    silence: always
  - id: walkouts
    kind: count
    unit: walkout
    rates:
      settled: 2
      simmering: 8
      strike: 20
  - id: wait
    kind: measure
    unit: hours
    values:
      settled: {mean: 20, sd: 6}
      simmering: {mean: 28, sd: 8}
      strike: {mean: 45, sd: 15}
"""

# Name, what is replaced in SOUND, by what, where the one fault is, a telling phrase of it.
ONE_FAULT = [
    # The writing of the file.
    ("duplicate key", "title: Harbour dispute", "study: again", "2:1", 'the key "study" again, first on line 1'),
    ("anchor", "title: Harbour dispute", "title: &t Harbour", "2:8", "the anchor &t"),
    ("alias", "title: Harbour dispute", "title: *t", "2:8", "the alias *t; write the value out"),
    ("tag", "title: Harbour dispute", "title: !x Harbour", "2:8", "a tag, which begins with !"),
    ("hexadecimal", "prior: 0.3", "prior: 0x1F", "17:28", "0x1F is not a plain decimal number"),
    ("infinite", "sd: 6", "sd: .inf", "53:31", ".inf is not a plain decimal number"),
    ("too large", "simmering: 8\n", "simmering: 1e400\n", "47:18", "1e400 is too large"),
    ("tab", "    kind: milestone", "\tkind: milestone", "39:1", "a tab on this line"),
    ("control character", "Harbour dispute", "Harbour\x07 dispute", "2:15", "the control character U+0007"),
    ("second document", "sd: 15}\n", "sd: 15}\n---\nmore: 1\n", "56:1", "a second document begins here"),
    ("colon in text", "How does it end?", "How: does it end?", "3:14", "a colon that does not fit here"),
    ("unclosed list", "[ports, labour]", "[ports, labour", "5:12", "a list in [ ] that is not closed"),
    ("unclosed quotes", "Harbour dispute", '"Harbour dispute', "2:8", "quotes that are never closed"),
    # Keys.
    ("unknown key", "tlp: green", "colour: green", "9:1", 'unknown key "colour"; one of: study, title'),
    ("mistyped key", "horizon:", "horzon:", "8:1", 'unknown key "horzon"; did you mean "horizon"?'),
    ("mistyped key in a scenario", "id: simmering, prior", "id: simmering, piror", "17:21", 'did you mean "prior"?'),
    ("mistyped key in an indicator", "check_every", "check-every", "29:5", 'did you mean "check_every"?'),
    (
        "mistyped table",
        "    likelihoods:\n      settled: [",
        "    likelyhoods:\n      settled: [",
        "23:5",
        '"likelihoods"?',
    ),
    ("mistyped given", "given: talks", "givn: talks", "33:5", 'unknown key "givn"; did you mean "given"?'),
    ("mistyped sd", "sd: 8", "std: 8", "54:29", 'unknown key "std"; did you mean "sd"?'),
    ("mistyped drift", "half_life: 1 y", "halflife: 1 y", "12:9", 'did you mean "half_life"?'),
    ("key in capitals", "title:", "TITLE:", "2:1", 'unknown key "TITLE"; did you mean "title"?'),
    (
        "no space after the colon",
        "{mean: 20, sd: 6}",
        "{mean: 20, sd: 6, x:6}",
        "53:34",
        "write a space after the colon",
    ),
    ("no opens", "opens: 2026-01-01\n", "", "1:1", 'the study has no "opens"; add "opens: YYYY-MM-DD"'),
    ("no id", "  - {id: simmering, prior: 0.3}", "  - {prior: 0.3}", "17:5", 'scenario 2 has no "id"'),
    ("no indicator id", "  - id: wait\n    kind: measure", "  - kind: measure", "49:5", 'indicator 5 has no "id"'),
    ("no half-life", "{half_life: 1 y}", "{}", "12:1", '"drift" has no "half_life"'),
    ("no sd", "{mean: 28, sd: 8}", "{mean: 28}", "54:7", 'the value of "simmering" has no "sd"'),
    ("no states", "    states: [stalled, moving]\n", "", "20:5", 'indicator 1 has no "states"'),
    ("key of another kind", "unit: walkout", "states: [a, b]", "44:5", 'kind count has no "states"; remove it'),
    ("persistence of a count", "unit: walkout", "persistence: 3 d", "44:5", "as it belongs to kind state and measure"),
    # Kinds.
    ("unknown kind", "kind: measure", "kind: gauge", "50:11", '"kind" is "gauge"; one of: state, count, milestone'),
    (
        "mistyped kind",
        "kind: milestone",
        "kind: Milestones",
        "39:11",
        '"kind" is "Milestones"; did you mean "milestone"?',
    ),
    ("no kind", "    kind: count\n", "", "42:5", 'indicator 4 has no "kind"'),
    # Types.
    ("title a number", "Harbour dispute", "1984", "2:8", '"title" must be text, not the number 1984; put it in quotes'),
    ("state a truth", "[stalled, moving]", "[true, moving]", "22:14", 'entry 1 of "states" must be text, not true'),
    ("tag empty", "[ports, labour]", "[ports, ~]", "4:15", 'entry 2 of "tags" must be text, not nothing'),
    ("title empty", "title: Harbour dispute", "title:", "2:1", '"title" must be text, not nothing'),
    ("name an empty text", "name: Settlement", 'name: ""', "16:25", '"name" is an empty text'),
    ("title too long", "Harbour dispute", "x" * 201, "2:8", '"title" has 201 characters, more than 200'),
    ("list a text", "[ports, labour]", "ports", "4:7", '"tags" must be a list, not the text "ports"'),
    (
        "scenario a text",
        "  - {id: simmering, prior: 0.3}",
        "  - simmering",
        "17:5",
        "scenario 2 must be a group of keys",
    ),
    ("table a list", "{settled: 0.3, simmering: 0.8, strike: 4}", "[0.3, 0.8, 4]", "40:12", '"rates" must be a group'),
    (
        "number a text",
        "strike: 20",
        'strike: "20"',
        "48:15",
        'the rate of "strike" must be a number, not the text "20"',
    ),
    ("decimal comma", "prior: 0.3", 'prior: "0,3"', "17:28", "write a decimal point: 0.3"),
    ("percent sign", "prior: 0.3", "prior: 30%", "17:28", "write a fraction: 0.3"),
    ("truth a text", "unit: hours", "retired: yes", "51:14", '"retired" must be true or false, not the text "yes"'),
    (
        "row a number",
        "settled: [0.2, 0.8]",
        "settled: 0.2",
        "24:16",
        "must be a list of probabilities or a probability word",
    ),
    (
        "confidence a word",
        "confidence: high",
        "confidence: hihg",
        "27:17",
        '"confidence" is "hihg"; write low, medium, high',
    ),
    ("confidence zero", "prior_confidence: medium", "prior_confidence: 0", "11:19", '"prior_confidence" is 0'),
    # Values.
    (
        "study id",
        "study: harbour",
        "study: Harbour 2",
        "1:8",
        '"study" is "Harbour 2"; write 1 to 64 of a-z, 0-9 and -',
    ),
    ("id suggested", "id: wait", "id: Berth wait", "49:9", 'like "berth-wait"'),
    ("level unknown", "tlp: green", "tlp: white", "9:6", '"tlp" is "white"; one of: clear, green, amber'),
    ("level in capitals", "tlp: green", "tlp: GREEN", "9:6", 'did you mean "green"?'),
    ("scale unknown", "words: icd203", "words: icd", "10:8", '"words" is "icd"; did you mean "icd203"?'),
    ("silence unknown", "silence: always", "silence: allways", "41:14", 'did you mean "always"?'),
    ("not a day", "opens: 2026-01-01", "opens: 2026-02-30", "7:8", '"opens" is "2026-02-30", which is not a day'),
    ("day in another order", "horizon: 2026-12-31", "horizon: 31.12.2026", "8:10", "write it as YYYY-MM-DD"),
    ("day a number", "opens: 2026-01-01", "opens: 2026", "7:8", '"opens" is 2026, which is not a day'),
    ("not a duration", "persistence: 60 d", "persistence: 2 months", "28:18", "write a number and d, w, m or y"),
    (
        "duration a number",
        "check_every: 14 d",
        "check_every: 14",
        "29:18",
        '"check_every" is 14, which is not a duration',
    ),
    ("duration of zero", "half_life: 1 y", "half_life: 0 d", "12:20", "not a duration above zero"),
    (
        "grade of a source",
        "authority: A2",
        "authority: A9",
        "14:27",
        'the grade of "Port authority" is "A9"; write a letter',
    ),
    (
        "grade value of one",
        "B: 0.8",
        "B: 1",
        "13:13",
        'the value of grade "B" is 1; write a number at least 0 and below 1',
    ),
    ("grade key", "B: 0.8", "G: 0.8", "13:10", '"G" is not half of a grade; write a letter A-F or a digit 1-6'),
    ("grade key small", "B: 0.8", "b: 0.8", "13:10", '"b" is not half of a grade; did you mean "B"?'),
    ("grade digit", "1: 0.95", "7: 0.95", "13:18", '"7" is not half of a grade'),
    ("mean too large", "mean: 45", "mean: 1e16", "55:22", '"mean" is 1e+16; write a number between -1e15 and 1e15'),
    ("sd zero", "sd: 15", "sd: 0", "55:30", '"sd" is 0; write a number above 0'),
    ("rate negative", "strike: 20", "strike: -1", "48:15", 'the rate of "strike" is -1; write a number above 0'),
    ("rate zero", "strike: 20", "strike: 0", "48:15", "zero can never be undone (Cromwell's rule)"),
    ("cost zero", "unit: hours", "cost: 0", "51:11", '"cost" is 0; write a number above 0 and at most 1e9'),
    (
        "probability of one",
        "settled: [0.2, 0.8]",
        "settled: [1e-7, 1]",
        "24:23",
        "certainty can never be undone (Cromwell's rule)",
    ),
    (
        "probability of zero",
        "settled: [0.2, 0.8]",
        "settled: [0, 0.9999999]",
        "24:17",
        "zero can never be undone (Cromwell's rule)",
    ),
    ("probability negative", "[0.2, 0.8]", "[-0.2, 0.8]", "24:17", "is -0.2, outside 0 to 1"),
    (
        "probability in percent",
        "[0.2, 0.8]",
        "[0.2, 80]",
        "24:22",
        "write a probability above 0 and below 1, 0.8 for 80 %",
    ),
    # Scenarios and priors.
    ("scenario id misspelt", "id: simmering, prior", "id: Simmering, prior", "17:10", '"id" is "Simmering"'),
    ("indicator id misspelt", "id: talks", "id: talks 1", "20:9", '"id" is "talks 1"'),
    ("id over two lines", "id: simmering, prior", "id: sim\n\n     mering, prior", "17:10", 'like "sim-mering"'),
    (
        "scenario id twice",
        "id: strike, prior",
        "id: settled, prior",
        "18:10",
        'the id "settled" is used twice, first by scenario 1',
    ),
    ("indicator id twice", "id: ballot", "id: tone", "38:9", 'the id "tone" is used twice, first by indicator 2'),
    (
        "one without a prior",
        "{id: strike, prior: 0.2}",
        "{id: strike}",
        "18:5",
        'a prior, but not "strike"; give every',
    ),
    (
        "two without a prior",
        "prior: 0.3}\n  - {id: strike, prior: 0.2}",
        "}\n  - {id: strike}",
        "17:5",
        'not "simmering", "strike"',
    ),
    ("priors above one", "prior: 0.3", "prior: 0.4", "15:1", "the priors sum to 1.1, not to 1; take away 0.1 in all"),
    ("priors just off", "prior: 0.3", "prior: 0.299998", "15:1", "the priors sum to 0.999998, not to 1; add 2e-06"),
    # Days.
    ("horizon on opens", "horizon: 2026-12-31", "horizon: 2026-01-01", "8:10", 'is 2026-01-01, not after "opens"'),
    ("horizon before opens", "horizon: 2026-12-31", "horizon: 2025-12-31", "8:10", "write a later day"),
    ("year too early", "opens: 2026-01-01", "opens: 1026-01-01", "7:8", '"opens" is 1026-01-01, outside 1900 to 2200'),
    ("year too late", "horizon: 2026-12-31", "horizon: 2926-12-31", "8:10", "outside 1900 to 2200; correct the year"),
    # Tables.
    (
        "scenario missing",
        "      simmering: 8\n",
        "",
        "45:5",
        '"rates" has nothing for scenario "simmering"; add a line',
    ),
    (
        "scenario unknown",
        "      strike: 20\n",
        "      strike: 20\n      war: 3\n",
        "49:7",
        'unknown scenario "war"; one of',
    ),
    (
        "scenario mistyped",
        "      simmering: 8\n",
        "      simering: 8\n",
        "47:7",
        '"simering"; did you mean "simmering"?',
    ),
    ("scenario mistyped in values", "      strike: {mean", "      Strike: {mean", "55:7", 'did you mean "strike"?'),
    (
        "all scenarios missing",
        "{settled: 0.3, simmering: 0.8, strike: 4}",
        "{}",
        "40:5",
        '"settled", "simmering", "strike"',
    ),
    (
        "no rates",
        "    rates: {settled: 0.3, simmering: 0.8, strike: 4}\n",
        "",
        "38:5",
        'of kind milestone, has no "rates"',
    ),
    ("rates empty", "{settled: 0.3, simmering: 0.8, strike: 4}", "", "40:5", 'kind milestone, has no "rates"'),
    # Baselines.
    (
        "rates and a baseline",
        "unit: walkout",
        "baseline: {history: w.csv, from: 2020-01-01, to: 2025-12-31}",
        "44:5",
        '"rates" and "baseline" state the same thing twice; keep "rates", or "baseline" and "multipliers"',
    ),
    (
        "values and shifts",
        "unit: hours",
        "shifts: {settled: 0, simmering: 0, strike: 1}",
        "51:5",
        '"values" and "shifts" state the same thing twice; keep "values", or "baseline" and "shifts"',
    ),
    (
        "multipliers alone",
        "    rates: {settled: 0.3, simmering: 0.8, strike: 4}\n",
        "    multipliers: {settled: 0.3, simmering: 0.8, strike: 4}\n",
        "38:5",
        'indicator 3 has "multipliers" but no "baseline"; add "baseline:" with the history',
    ),
    (
        "baseline alone",
        "    rates: {settled: 0.3, simmering: 0.8, strike: 4}\n",
        "    baseline: {history: w.csv, from: 2020-01-01, to: 2025-12-31}\n",
        "38:5",
        'indicator 3 has "baseline" but no "multipliers"; add "multipliers:" with a factor',
    ),
    (
        "key of the other kind's baseline",
        "unit: hours",
        "multipliers: {settled: 1}",
        "51:5",
        'has no "multipliers"; remove',
    ),
    (
        "baseline of a state",
        "confidence: high",
        "baseline: {history: w.csv}",
        "27:5",
        'kind state has no "baseline"; remove',
    ),
    # Rows and states.
    ("state twice", "[calm, tense, hostile]", "[calm, tense, calm]", "32:27", 'the state "calm" is named twice'),
    ("one state", "[stalled, moving]", "[moving]", "22:13", '"states" has 1 entry, fewer than 2'),
    ("row too short", "[0.3, 0.4, 0.3]", "[0.6, 0.4]", "35:26", 'row of "stalled" has 2 probabilities for 3 states'),
    ("row too long", "[0.2, 0.8]", "[0.2, 0.4, 0.4]", "24:16", 'the row of "settled" has 3 probabilities for 2 states'),
    ("row of one", "[0.2, 0.8]", "[0.8]", "24:16", 'the row of "settled" has 1'),
    ("row empty", "[0.2, 0.8]", "[]", "24:16", 'the row of "settled" has 0 entries, fewer than 2'),
    ("row sum", "[0.2, 0.8]", "[0.2, 0.7]", "24:16", 'the row of "settled" sums to 0.9, not to 1; add 0.1 in all'),
    ("row just off", "[0.2, 0.8]", "[0.2, 0.800002]", "24:16", "sums to 1.000002, not to 1; take away 2e-06 in all"),
    ("nested row sum", "moving: [0.4, 0.4, 0.2]", "moving: [0.4, 0.4, 0.4]", "36:53", 'row of "moving" sums to 1.2'),
    (
        "word for three states",
        "stalled: [0.2, 0.4, 0.4]",
        "stalled: likely",
        "36:28",
        'the word "likely" in place of a row, with 3',
    ),
    ("word unknown", "very unlikely", "improbable", "26:15", '"improbable" is not a probability word of icd203'),
    ("word in capitals", "very unlikely", "Very unlikely", "26:15", 'did you mean "very unlikely"?'),
    (
        "word of the other scale",
        "very unlikely",
        "probably",
        "26:15",
        'it is a word of the scale that "words: phia" sets',
    ),
    (
        "row by state",
        "settled: [0.2, 0.8]",
        "settled: {stalled: 0.2, moving: 0.8}",
        "24:16",
        "is keyed by state; write a list",
    ),
    # Given.
    ("given itself", "given: talks", "given: tone", "33:12", '"given" names the indicator itself'),
    (
        "given unknown",
        "given: talks",
        "given: talk",
        "33:12",
        'no indicator "talk" in the study; did you mean "talks"?',
    ),
    (
        "given a count",
        "given: talks",
        "given: walkouts",
        "33:12",
        '"walkouts" is of kind count; "given" needs one of kind state',
    ),
    (
        "given without persistence",
        "    persistence: 60 d\n",
        "",
        "32:12",
        '"talks" has no persistence, which "given" needs',
    ),
    ("given left out", "    given: talks\n", "", "34:16", 'are nested, but the indicator has no "given"'),
    (
        "given, rows flat",
        "{stalled: [0.1, 0.3, 0.6], moving: [0.2, 0.4, 0.4]}",
        "[0.1, 0.3, 0.6]",
        "37:15",
        'row of "strike" is not nested by the states of "talks"',
    ),
    (
        "given, state missing",
        "moving: [0.2, 0.4, 0.4]",
        "",
        "37:7",
        'the row of "strike" has nothing for state "moving"',
    ),
    (
        "given, state mistyped",
        "moving: [0.2, 0.4, 0.4]",
        "movin: [0.2, 0.4, 0.4]",
        "37:42",
        'unknown state "movin"; did you mean',
    ),
]

BASELINES = """\
study: harbour
opens: 2026-01-01
horizon: 2026-12-31
scenarios: [{id: settled, prior: 0.5}, {id: strike, prior: 0.5}]
indicators:
  - id: ballot
    kind: milestone
    baseline: {history: past/ballots.csv, from: 1990-01-01, to: 2026-01-01}
    multipliers: {settled: 0.5, strike: 3}
  - id: walkouts
    kind: count
    baseline:
      history: walkouts.csv
      from: 2020-01-01
      to: 2025-12-31
    multipliers: {settled: 1, strike: 1e6}
  - id: wait
    kind: measure
    unit: hours
    baseline: {history: past/wait-2025.CSV, model: local-trend}
    shifts: {settled: 0, strike: -4.5}
"""

# As ONE_FAULT, of BASELINES.
ONE_BASELINE_FAULT = [
    ("no history", "history: past/ballots.csv, ", "", "8:5", '"baseline" has no "history"; add "history: FILE.csv"'),
    ("no from", "from: 1990-01-01, ", "", "8:5", '"baseline" has no "from"; add "from: YYYY-MM-DD", the first day'),
    ("no to", "      to: 2025-12-31\n", "", "12:5", '"baseline" has no "to"; add "to: YYYY-MM-DD", the last day'),
    ("no model", ", model: local-trend", "", "20:5", '"baseline" has no "model"; add "model:", one of: local-level'),
    ("mistyped key", "model: ", "modle: ", "20:45", 'unknown key "modle"; did you mean "model"?'),
    ("key of the other kind", "model: local-trend", "from: 2020-01-01, model: ar1", "20:45", 'unknown key "from"'),
    ("mistyped baseline", "    baseline:\n", "    basline:\n", "12:5", 'unknown key "basline"; did you mean'),
    ("mistyped shifts", "shifts:", "shift:", "21:5", 'unknown key "shift"; did you mean "shifts"?'),
    ("unknown model", "local-trend", "local_trend", "20:52", '"model" is "local_trend"; did you mean "local-trend"?'),
    ("model in words", "local-trend", "arima", "20:52", '"model" is "arima"; one of: local-level, local-trend, ar1'),
    ("a file", "{history: past/wait-2025.CSV, model: local-trend}", "wait.csv", "20:15", "must be a group of keys"),
    ("history a number", "past/ballots.csv", "5", "8:25", '"history" must be text, not the number 5'),
    ("history empty", "past/ballots.csv", '""', "8:25", '"history" is an empty text'),
    ("absolute path", "past/ballots.csv", "/past/b.csv", "8:25", "which is not a path below the study file's folder"),
    ("home folder", "past/ballots.csv", "~/b.csv", "8:25", "which is not a path below the study file's folder"),
    ("address", "past/ballots.csv", "https://x.org/b.csv", "8:25", "which is not a path below the study file's folder"),
    ("drive", "past/ballots.csv", "'C:b.csv'", "8:25", "which is not a path below the study file's folder"),
    ("up and away", "past/ballots.csv", "past/../../b.csv", "8:25", "which leads through . or ..; write its place"),
    ("nothing between", "past/ballots.csv", "past//b.csv", "8:25", "which leads through . or .."),
    ("backslash", "past/ballots.csv", "past\\b.csv", "8:25", "which has a backslash; write its place below"),
    ("unseen", "past/ballots.csv", '"a\\u202eb.csv"', "8:25", "which has a character that cannot be seen"),
    ("no table", "past/ballots.csv", "past/ballots.xlsx", "8:25", "which does not end in .csv; write its place below"),
    ("not a day", "from: 1990-01-01", "from: 1990", "8:49", '"from" is 1990, which is not a day; write it as'),
    ("in the wrong order", "to: 2025-12-31", "to: 2019-12-31", "15:11", '"to" is 2019-12-31, before "from", 2020'),
    ("mad year", "from: 1990-01-01", "from: 0090-01-01", "8:49", '"from" is 0090-01-01, outside 1900 to 2200; correct'),
    ("into the study", "to: 2025-12-31", "to: 2026-01-02", "15:11", '"to" is 2026-01-02, after the study opens on'),
    ("persistence", "unit: hours", "persistence: 9 d", "19:5", '"persistence" beside a baseline, whose model'),
    ("multiplier zero", "settled: 0.5", "settled: 0", "9:28", "zero can never be undone (Cromwell's rule); write a"),
    ("multiplier negative", "settled: 0.5", "settled: -1", "9:28", 'the multiplier of "settled" is -1; write a number'),
    ("multiplier too large", "1e6", "2e6", "16:39", 'the multiplier of "strike" is 2000000.0; write a number above'),
    ("multiplier missing", "settled: 0.5, ", "", "9:5", '"multipliers" has nothing for scenario "settled"; add a line'),
    ("shift a text", "strike: -4.5", "strike: less", "21:34", 'the shift of "strike" must be a number, not the text'),
    ("shift too large", "strike: -4.5", "strike: -1e16", "21:34", 'the shift of "strike" is -1e+16; write a number'),
    ("shift of an unknown scenario", "strike: -4.5", "war: -4.5, strike: 1", "21:26", 'unknown scenario "war"; one of'),
    ("shift missing", ", strike: -4.5", "", "21:5", '"shifts" has nothing for scenario "strike"'),
    ("kind left out", "    kind: measure\n", "", "17:5", 'indicator 3 has no "kind"'),
]  # fmt: skip

# Name, what is replaced in SOUND, by what, and every fault: where, and a telling phrase.
SEVERAL_FAULTS = [
    (
        "zero and one",
        "[0.2, 0.8]",
        "[0, 1]",
        [("24:17", "zero can never be undone"), ("24:20", "certainty can never be undone")],
    ),
    (
        "prior of zero",
        "prior: 0.5",
        "prior: 0",
        [("15:1", "the priors sum to 0.5"), ("16:44", '"prior" is 0, and zero can never be undone (Cromwell')],
    ),
    (
        "a mistyped table still has its rows checked",
        "    likelihoods:\n      settled: [0.2, 0.8]",
        "    likelihods:\n      settled: [0.2, 0.9]",
        [("23:5", 'unknown key "likelihods"'), ("24:16", "sums to 1.1")],
    ),
    (
        "a mistyped kind still has its rows checked",
        "kind: state\n    states: [stalled, moving]\n    likelihoods:\n      settled: [0.2, 0.8]",
        "kind: stat\n    states: [stalled, moving]\n    likelihoods:\n      settled: [0.2, 0.9]",
        [("21:11", 'did you mean "state"?'), ("24:16", "sums to 1.1")],
    ),
    (
        "a mistyped list of scenarios still has its priors summed",
        "scenarios:\n  - {id: settled, name: Settlement, prior: 0.5}",
        "scenario:\n  - {id: settled, name: Settlement, prior: 0.6}",
        [("15:1", "the priors sum to 1.1"), ("15:1", 'unknown key "scenario"; did you mean "scenarios"?')],
    ),
    (
        "circle",
        "persistence: 60 d\n    check_every: 14 d\n",
        "persistence: 60 d\n    given: tone\n",
        [
            ("24:16", 'the rows of "settled", "simmering", "strike" are not nested by the states of "tone"'),
            ("29:12", '"given" goes in a circle: "talks", "tone", "talks"'),
            ("29:12", '"tone" has no persistence'),
        ],
    ),
    (
        "an id used twice does not hide a scenario mistyped elsewhere",
        "id: strike, prior: 0.2}\nindicators:\n  - id: talks\n    kind: state\n    states: [stalled, moving]\n"
        "    likelihoods:\n      settled:",
        "id: settled, prior: 0.2}\nindicators:\n  - id: talks\n    kind: state\n    states: [stalled, moving]\n"
        "    likelihoods:\n      setled:",
        [("18:10", 'the id "settled" is used twice'), ("24:7", 'unknown scenario "setled"; did you mean "settled"?')],
    ),
    (
        "every duplicate key",
        "title: Harbour dispute\n",
        "title: Harbour dispute\ntitle: Two\ntitle: Three\n",
        [("3:1", 'the key "title" again, first on line 2'), ("4:1", 'the key "title" again, first on line 2')],
    ),
    (
        "both days mad",
        "opens: 2026-01-01\nhorizon: 2026-12-31",
        "opens: 0001-01-01\nhorizon: 9999-12-31",
        [("7:8", "outside 1900 to 2200"), ("8:10", "outside 1900 to 2200")],
    ),
]

MANY_FAULTS = """\
study: Harbour
title: 1984
opens: 2026-10-01
horizon: 2026-09-01
tlp: white
drift: {halflife: 2 years}
scenarios:
  - {id: settled, prior: 0.5}
  - {id: strike, prior: 0.6}
  - {id: strike, prior: 0.1}
indicators:
  - id: talks
    kind: stat
    states: [stalled, moving]
    likelihoods:
      settled: [0.2, 0.9]
      strike: Likely
    given: mood
  - id: walkouts
    kind: count
    rates: {settled: 0, strike: 0x1F}
    rates: {}
"""
MANY_TOLD = """\
many.yaml:1:8: "study" is "Harbour"; write 1 to 64 of a-z, 0-9 and -, a letter first, like "harbour"
many.yaml:2:8: "title" must be text, not the number 1984; put it in quotes if it is meant as text
many.yaml:4:10: "horizon" is 2026-09-01, not after "opens", 2026-10-01; write a later day
many.yaml:5:6: "tlp" is "white"; one of: clear, green, amber, amber+strict, red
many.yaml:6:9: unknown key "halflife"; did you mean "half_life"?
many.yaml:6:19: "half_life" is "2 years", which is not a duration above zero; write a number and d, w, m or y, like 90 d
many.yaml:7:1: the priors sum to 1.2, not to 1; take away 0.2 in all
many.yaml:10:10: the id "strike" is used twice, first by scenario 2; give one of them another id
many.yaml:13:11: "kind" is "stat"; did you mean "state"?
many.yaml:16:16: the row of "settled" sums to 1.1, not to 1; take away 0.1 in all
many.yaml:16:16: the rows of "settled", "strike" are not nested by the states of "mood"; \
write a row for each of its states, like {low: [0.7, 0.3], high: [0.4, 0.6]}
many.yaml:17:15: "Likely" is not a probability word of icd203; did you mean "likely"?
many.yaml:18:12: no indicator "mood" in the study; remove "given", as there is no other state indicator
many.yaml:21:22: the rate of "settled" is 0, and zero can never be undone (Cromwell's rule); \
write a small rate such as 0.001
many.yaml:21:33: 0x1F is not a plain decimal number; write it like 1250 or 0.25, or in quotes if it is text
many.yaml:22:5: the key "rates" again, first on line 21; keep one of the two"""


def place(fault: Fault) -> str:
    return f"{fault.line}:{fault.column}"


def changed(old: str, new: str) -> str:
    assert SOUND.count(old) >= 1, "the case no longer fits the sound file"
    return SOUND.replace(old, new, 1)


class TestSoundFiles:
    def test_is_read(self) -> None:
        study = read_study(SOUND, file="s.yaml")
        assert study.scenario_ids == ("settled", "simmering", "strike")
        assert list(study.by_id) == ["talks", "tone", "ballot", "walkouts", "wait"]
        assert study.grades == {"B": 0.8, "1": 0.95}
        assert study_faults(SOUND, file="s.yaml") == []

    def test_as_windows_writes_it(self) -> None:
        content = b"\xef\xbb\xbf" + SOUND.replace("\n", "\r\n").encode()
        assert read_study(yaml_text(content, file="s"), file="s") == read_study(SOUND, file="s")

    def test_starter_is_sound_and_has_every_kind(self) -> None:
        text = (resources.files("forecast") / "cases" / "starter.yaml").read_text(encoding="utf-8")
        assert text.startswith("# yaml-language-server: $schema=./study.schema.json\n")
        study = read_study(text, file="starter.yaml")
        assert {indicator.kind for indicator in study.indicators} == {"state", "milestone", "count", "measure"}

    @pytest.mark.parametrize("seed", range(40))
    def test_random_studies_are_sound(self, seed: int) -> None:
        drawn = random_case(random.Random(seed))[0]
        study = read_study(to_yaml(drawn), file="s")
        assert study == Study.model_validate(drawn)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("prior: 0.3", "prior: 0.3000009"),
            ("[0.2, 0.8]", "[0.2, 0.8000009]"),
            ("[0.2, 0.8]", "[1e-9, 0.999999999]"),
            ("words: icd203\n", ""),
            ("title: Harbour dispute", "title: no"),
            ("title: Harbour dispute", "title: '1984'"),
            ("tlp: green", "tlp: amber+strict"),
            ("confidence: high", "confidence: 12.5"),
            ("horizon: 2026-12-31", "horizon: 2200-12-31"),
            ("strike: 20\n", "strike: 20\n    silence: never\n    retired: true\n    cost: 3\n"),
            ("settled: [0.2, 0.8]", "settled: almost certain"),
            ("opens: 2026-01-01", "opens: '2026-01-01'"),
            ("drift: {half_life: 1 y}", "drift:"),
        ],
    )
    def test_within_what_is_allowed(self, old: str, new: str) -> None:
        assert study_faults(changed(old, new), file="s") == []

    def test_baselines(self) -> None:
        """Both forms of every kind are read, and written back with the keys of the file."""
        study = read_study(BASELINES, file="s")
        assert Study.model_validate(study_json(study)) == study
        assert study_json(study)["indicators"][1]["baseline"] == {
            "history": "walkouts.csv",
            "from": "2020-01-01",
            "to": "2025-12-31",
        }

    def test_histories_are_named_with_their_places(self) -> None:
        """Also those of a study that has faults elsewhere, but not where the name itself is one."""
        found = examined(
            BASELINES.replace("opens: 2026-01-01", "opens: soon").replace("walkouts.csv", "/w.csv"), file="s"
        )
        assert [(named.indicator, named.name, named.model, named.opens) for named in found.histories] == [
            ("ballot", "past/ballots.csv", None, None),
            ("wait", "past/wait-2025.CSV", "local-trend", None),
        ]
        assert [(named.name_place, named.model_place) for named in found.histories] == [
            ((8, 25), (8, 5)),
            ((20, 25), (20, 52)),
        ]
        assert [named.opens for named in examined(BASELINES, file="s").histories] == [date(2026, 1, 1)] * 3

    def test_no_priors_at_all(self) -> None:
        text = SOUND.replace(", prior: 0.5", "").replace(", prior: 0.3", "").replace(", prior: 0.2", "")
        assert read_study(text, file="s").prior.tolist() == [1 / 3] * 3

    def test_words_of_the_other_scale(self) -> None:
        text = changed("words: icd203", "words: phia").replace("very unlikely", "probably")
        assert study_faults(text, file="s") == []


class TestFaults:
    @pytest.mark.parametrize(
        ("old", "new", "where", "phrase"), [case[1:] for case in ONE_FAULT], ids=[case[0] for case in ONE_FAULT]
    )
    def test_one_mistake_is_named_once(self, old: str, new: str, where: str, phrase: str) -> None:
        with pytest.raises(FaultsError) as caught:
            read_study(changed(old, new), file="s.yaml")
        (fault,) = caught.value.faults
        assert place(fault) == where
        assert phrase in str(fault)
        assert str(fault).startswith(f"s.yaml:{where}: ")
        assert fault.mend

    @pytest.mark.parametrize(
        ("old", "new", "where", "phrase"),
        [case[1:] for case in ONE_BASELINE_FAULT],
        ids=[case[0] for case in ONE_BASELINE_FAULT],
    )
    def test_one_mistake_in_a_baseline_is_named_once(self, old: str, new: str, where: str, phrase: str) -> None:
        assert BASELINES.count(old) == 1
        (fault,) = study_faults(BASELINES.replace(old, new), file="s.yaml")
        assert (place(fault), phrase in str(fault)) == (where, True), fault
        assert fault.mend

    @pytest.mark.parametrize(
        ("old", "new", "told"), [case[1:] for case in SEVERAL_FAULTS], ids=[case[0] for case in SEVERAL_FAULTS]
    )
    def test_several(self, old: str, new: str, told: list[tuple[str, str]]) -> None:
        faults = study_faults(changed(old, new), file="s.yaml")
        assert [place(fault) for fault in faults] == [where for where, _ in told]
        for fault, (_, phrase) in zip(faults, told, strict=True):
            assert phrase in str(fault)

    def test_all_at_once_and_in_order(self) -> None:
        with pytest.raises(FaultsError) as caught:
            read_study(MANY_FAULTS, file="many.yaml")
        assert str(caught.value) == MANY_TOLD

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("", 's:1:1: the file is empty; write "study: id" and the other keys of a study, one a line'),
            ("# nothing\n", 's:1:1: the file is empty; write "study: id" and the other keys of a study, one a line'),
            ("- a\n", 's:1:1: the file must hold keys, not a list; write "study: id" and the other keys of a study, '
             "one a line"),
            ("study", 's:1:1: the file must hold keys, not the text "study"; write "study: id" and the other keys of a '
             "study, one a line"),
        ],
    )  # fmt: skip
    def test_no_study_at_all(self, text: str, told: str) -> None:
        assert [str(fault) for fault in study_faults(text, file="s")] == [told]

    def test_everything_that_must_be_there(self) -> None:
        faults = study_faults("title: x", file="s")
        assert [fault.what for fault in faults] == [
            f'the study has no "{key}"' for key in ("horizon", "indicators", "opens", "scenarios", "study")
        ]
        assert {place(fault) for fault in faults} == {"1:1"}

    def test_too_many(self) -> None:
        scenarios = "".join(f"  - {{id: s{n}}}\n" for n in range(21))
        faults = study_faults(f"study: s\nopens: 2026-01-01\nhorizon: 2026-02-01\nscenarios:\n{scenarios}", file="s")
        assert '"scenarios" has 21 entries, more than 20; remove some' in str(faults[1])

    def test_a_broken_entry_does_not_hide_its_neighbour(self) -> None:
        faults = study_faults(SOUND.replace("  - id: ballot\n", "  - 5\n  - id: ballot\n"), file="s")
        assert [str(fault) for fault in faults] == [
            's:38:5: indicator 3 must be a group of keys, not the number 5; write a line "key: value" for each'
        ]

    def test_circle_of_three_is_told_once(self) -> None:
        def indicator(name: str, given: str) -> str:
            rows = "{s: {a: [0.5, 0.5], b: [0.5, 0.5]}, t: {a: [0.5, 0.5], b: [0.5, 0.5]}}"
            table = f"states: [a, b], persistence: 9 d, likelihoods: {rows}"
            return f"  - {{id: {name}, kind: state, given: {given}, {table}}}\n"

        text = "study: s\nopens: 2026-01-01\nhorizon: 2026-02-01\nscenarios: [{id: s}, {id: t}]\nindicators:\n"
        text += indicator("d", "x") + indicator("x", "y") + indicator("y", "z") + indicator("z", "x")
        (fault,) = study_faults(text, file="s")
        assert fault.what == '"given" goes in a circle: "x", "y", "z", "x"'
        assert fault.line == 7

    def test_names_like_our_own_words_confuse_nothing(self) -> None:
        """Scenarios and states may be called like keys or like the parts of a place."""
        text = SOUND.replace("settled", "cost").replace("simmering", "confidence").replace("strike", "prior")
        text = text.replace("stalled", "given").replace("moving", "row")
        assert study_faults(text, file="s") == []
        told = [str(f) for f in study_faults(text.replace("given: [0.3, 0.4, 0.3]", "given: [0, 0.7, 0.3]"), file="s")]
        assert told == [
            's:35:22: probability 1 of "given" is 0, and zero can never be undone (Cromwell\'s rule); '
            "write a small probability such as 0.01"
        ]
        told = [str(f) for f in study_faults(text.replace("confidence: 8\n", "confidence: 0\n"), file="s")]
        assert told == [
            's:47:19: the rate of "confidence" is 0, and zero can never be undone (Cromwell\'s rule); '
            "write a small rate such as 0.001"
        ]

    def test_messages_stay_on_one_line_and_short(self) -> None:
        text = changed("opens: 2026-01-01", f'opens: "two\\nlines \\u202e {"x" * 500}"')
        (fault,) = study_faults(text, file="s")
        assert "two\\nlines \\u202e xxx" in str(fault)
        assert len(str(fault)) < 200

    def test_checks_say_what_they_check(self) -> None:
        assert all(check.__doc__ for check in CHECKS)


class TestWhateverTheInput:
    """Nothing but a study or FaultsError comes out, with at least one fault and each fault on one line."""

    def read(self, text: str) -> None:
        told = study_faults(text, file="s")
        if told:
            with pytest.raises(FaultsError) as caught:
                read_study(text, file="s")
            assert list(caught.value.faults) == told
            assert all(str(fault).isprintable() and fault.what and fault.mend for fault in told)
            assert not any("Input should" in fault.what for fault in told), "a rule has no sentence of its own"
            assert len(set(told)) == len(told)
        else:
            study = read_study(text, file="s")
            assert Study.model_validate(study_json(study)) == study

    @settings(max_examples=200, deadline=None)
    @given(st.text() | st.text(alphabet="ab01.,:-#[]{}\"'|>&*!%?@\\~ \n\t"))
    def test_text(self, text: str) -> None:
        self.read(text)

    @settings(max_examples=200, deadline=None)
    @given(st.binary())
    def test_bytes(self, content: bytes) -> None:
        try:
            content.decode()
        except UnicodeDecodeError:
            with pytest.raises(FaultsError, match="is not UTF-8"):
                yaml_text(content, file="s")
        else:
            self.read(yaml_text(content, file="s"))

    @settings(max_examples=150, deadline=None)
    @given(st.data())
    def test_a_sound_file_with_parts_cut_out_doubled_or_replaced(self, data: st.DataObject) -> None:
        text = SOUND
        for _ in range(data.draw(st.integers(1, 3))):
            start = data.draw(st.integers(0, len(text)))
            end = data.draw(st.integers(start, min(len(text), start + 40)))
            put = data.draw(
                st.sampled_from(["", text[start:end] * 2, ": ", "- ", "[", "}", "'", "0", "\n", "  ", "&a "])
            )
            text = text[:start] + put + text[end:]
        self.read(text)

    @settings(max_examples=150, deadline=None)
    @given(st.data())
    def test_a_sound_study_with_values_replaced(self, data: st.DataObject) -> None:
        study = study_json(read_study(SOUND, file="s"))
        for _ in range(data.draw(st.integers(1, 4))):
            replace_somewhere(study, data)
        self.read(json.dumps(study, ensure_ascii=False))


ODD_VALUES: list[Any] = [
    None, True, 0, 1, -1, 0.5, 2, 1e15, 1e300, 10**300, "", "x", "talks", "settled", "state", "likely", "2026-01-01",
    "30 d", "B2", [], [0.5, 0.5], ["a", "a"], [[]], {}, {"settled": 1}, {"": 0}, *AWKWARD[:8],
]  # fmt: skip


def replace_somewhere(node: Any, data: st.DataObject) -> None:
    """Put an odd value in some place of the nested data, or take a key out, or rename one."""
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if isinstance(node[key], (dict, list)) and data.draw(st.integers(0, 3)):
            node = node[key]
            continue
        deed = data.draw(st.sampled_from(["replace", "replace", "remove", "rename"]))
        if deed == "replace":
            node[key] = copy.deepcopy(data.draw(st.sampled_from(ODD_VALUES)))
        else:
            value = node.pop(key)
            if deed == "rename" and isinstance(node, dict):
                node[data.draw(st.sampled_from(["kind", "given", "x", str(key)[:-1], str(key).upper()]))] = value
        return


class TestStudyJson:
    def test_round_trip_through_json_text(self) -> None:
        study = read_study(SOUND, file="s")
        written = json.dumps(study_json(study), sort_keys=True)
        again = Study.model_validate(json.loads(written))
        assert again == study
        assert json.dumps(study_json(again), sort_keys=True) == written

    def test_what_was_left_out_stays_out(self) -> None:
        content = study_json(read_study(SOUND, file="s"))
        assert "requirement" not in content
        assert content["opens"] == "2026-01-01"
        assert content["indicators"][0]["likelihoods"]["strike"] == "very unlikely"
        assert set(content["indicators"][3]) == {"id", "kind", "unit", "rates"}

    def test_how_a_file_is_written_does_not_matter(self) -> None:
        """Comments, quotes, order of keys and integer against decimal leave the content as it is."""
        written = SOUND.replace("strike: 20\n", "strike: 20.0 # many\n").replace("title: Harbour dispute\n", "")
        written += 'title: "Harbour dispute"\n'
        assert study_json(read_study(written, file="s")) == study_json(read_study(SOUND, file="s"))


@pytest.fixture(scope="module")
def validator() -> Any:
    jsonschema.Draft202012Validator.check_schema(schema())
    formats = jsonschema.Draft202012Validator.FORMAT_CHECKER
    return jsonschema.Draft202012Validator(schema(), format_checker=formats)


class TestSchema:
    def test_names_itself(self) -> None:
        assert schema()["$id"] == "watchfloor.study/1"
        assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        json.dumps(schema(), allow_nan=False)

    def test_every_key_is_described(self) -> None:
        records = [schema(), *schema()["$defs"].values()]
        without = [key for record in records for key, rule in record["properties"].items() if "description" not in rule]
        assert without == []

    def test_takes_the_sound_files_and_the_starter(self, validator: Any) -> None:
        starter = (resources.files("forecast") / "cases" / "starter.yaml").read_text(encoding="utf-8")
        for text in (SOUND, BASELINES, starter):
            validator.validate(study_json(read_study(text, file="s")))

    @pytest.mark.parametrize("seed", range(40))
    def test_takes_random_studies(self, validator: Any, seed: int) -> None:
        validator.validate(random_case(random.Random(seed))[0])

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (("colour",), "red"),
            (("scenarios", 0, "weight"), 1),
            (("indicators", 0, "weight"), 1),
            (("indicators", 0, "kind"), "gauge"),
            (("indicators", 0, "likelihoods", "settled"), 0.5),
            (("indicators", 0, "likelihoods", "settled"), [0, 1]),
            (("indicators", 2, "rates", "strike"), 0),
            (("indicators", 3, "baseline"), {"history": "x.csv"}),
            (("indicators", 4, "values", "strike"), {"mean": 1}),
            (("study",), "No Id"),
            (("tlp",), "white"),
            (("prior_confidence",), "very"),
            (("grades",), {"G": 0.5}),
            (("sources",), {"wire": "Z9"}),
            (("check_every",), "30 q"),
            (("scenarios",), [{"id": "one"}]),
        ],
    )
    def test_refuses(self, validator: Any, path: tuple[str | int, ...], value: object) -> None:
        content = study_json(read_study(SOUND, file="s"))
        node: Any = content
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = value
        assert not validator.is_valid(content)

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (("indicators", 0, "rates"), {"settled": 1, "strike": 1}),
            (("indicators", 0, "baseline"), None),
            (("indicators", 0, "multipliers"), None),
            (("indicators", 1, "baseline", "from"), "soon"),
            (("indicators", 1, "baseline", "history"), "/etc/x.csv"),
            (("indicators", 1, "baseline", "history"), "x.txt"),
            (("indicators", 1, "multipliers", "strike"), 0),
            (("indicators", 2, "values"), {"settled": {"mean": 1, "sd": 1}, "strike": {"mean": 1, "sd": 1}}),
            (("indicators", 2, "persistence"), "3 d"),
            (("indicators", 2, "baseline", "model"), "arima"),
            (("indicators", 2, "baseline", "from"), "2020-01-01"),
        ],
    )
    def test_refuses_of_baselines(self, validator: Any, path: tuple[str | int, ...], value: object) -> None:
        content = study_json(read_study(BASELINES, file="s"))
        validator.validate(content)
        node: Any = content
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = value
        assert not validator.is_valid(content)

    def test_takes_the_other_form_left_empty(self, validator: Any) -> None:
        """As the reader does: nothing under a key is as good as no key."""
        content = study_json(read_study(BASELINES, file="s"))
        content["indicators"][0]["rates"] = content["indicators"][2]["persistence"] = None
        validator.validate(content)
        assert study_faults(json.dumps(content), file="s") == []

    @pytest.mark.parametrize(("number", "table"), [(2, "rates"), (3, "rates"), (4, "values"), (0, "likelihoods")])
    def test_wants_the_table_of_each_kind(self, validator: Any, number: int, table: str) -> None:
        content = study_json(read_study(SOUND, file="s"))
        del content["indicators"][number][table]
        assert not validator.is_valid(content)


def test_the_study_itself_needs_no_yaml_reader() -> None:
    """Logging a report and the like must not pay for it at every start."""
    code = "import sys, forecast.study; print(sorted(m for m in sys.modules if m.startswith('ruamel')))"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout == "[]\n"
