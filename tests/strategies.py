"""Random studies with their logs, and the awkward values that go into text fields.

`random_case` draws, from one seeded generator, a study that SPEC 2 accepts with reports and coverage that SPEC 3
accepts, and leans towards what is easy to get wrong: same-day reports, copies of one story, late reports on old events,
silence, chains of `given`. Everything is plain data as a YAML or JSON reader would give it; `to_yaml` writes the study
as a person would. Baselines are not drawn, as they need a history file.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

Plain = dict[str, Any]
Case = tuple[Plain, list[Plain], list[Plain], date]
"""Study, reports in ledger order, coverage, as-of."""

KINDS = ("state", "milestone", "count", "measure")
FIRST_DAY = date(2024, 1, 1)
LAST_DAY = date(2026, 6, 30)
SOURCES = ("MOFA Japan", "wire: Kyodo", "no")
WORDS = {
    "icd203": ["almost no chance", "very unlikely", "unlikely", "roughly even chance", "likely", "almost certain"],
    "phia": ["highly unlikely", "unlikely", "realistic possibility", "highly likely"],
}
"""Words for a row; PHIA's are those whose range SPEC 4.8 gives with both ends."""

AWKWARD = (
    "",
    " ",
    "\n",
    "line one\nline two\r\nline three\r",
    "tab\tand bell\x07 and escape \x1b[31mred\x1b[0m",
    "NUL\x00inside",
    "\x7f\x80\x85\x9f",
    "line\u2028and paragraph\u2029separators",
    "\u202egnitirw tfel-ot-thgir\u202c",
    "مرحبا بالعالم",
    "שלום",
    "日本の軍事的役割",
    "e\u0301 is not \u00e9 until normalised",
    "zero\u200bwidth\ufeffand byte order mark",
    "👩‍👩‍👧‍👦 🇯🇵 🛰️",
    '=HYPERLINK("http://example.invalid","click")',
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1:A9)",
    "|calc",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}",
    "${HOME} $(id) `id`",
    "%s %d %n",
    "'; DROP TABLE ledger; --",
    '"quoted", and, commas; semicolons',
    "back\\slash \\n",
    "../../etc/passwd",
    "no",
    "null",
    "NaN",
    "1e400",
    "2024-02-30",
    "# not a comment",
    "- not: a list",
    "&anchor *alias !!tag",
    "#set page(fill: red)",
    "[link](http://example.invalid) **bold**",
    "x" * 10_000,
)


def random_case(
    rng: random.Random,
    *,
    kinds: Sequence[str] = KINDS,
    n_indicators: int | None = None,
    days: int | None = None,
    n_reports: int | None = None,
) -> Case:
    """A valid study with a valid log.

    Parameters
    ----------
    rng
        The only source of chance.
    kinds
        Kinds of indicator to draw from.
    n_indicators, n_reports
        How many; None draws 1 to 5 indicators and 0 to 15 reports.
    days
        From `opens` to as-of; None draws 0 to 60. Some reports and coverage may lie a few days beyond as-of.

    Returns
    -------
    tuple
        Study, reports in ledger order, coverage, as-of. All days lie between 2024-01-01 and 2026-06-30.
    """
    n_indicators = rng.randint(1, 5) if n_indicators is None else n_indicators
    n_reports = rng.randint(0, 15) if n_reports is None else n_reports
    days = rng.choice([0, 1, *(rng.randint(2, 60) for _ in range(8))]) if days is None else days
    log_days = days + rng.choice([0, 0, 7])
    opens = FIRST_DAY + timedelta(days=rng.randint(0, (LAST_DAY - FIRST_DAY).days - log_days - 1))
    study = _study(rng, opens=opens, kinds=kinds, n_indicators=n_indicators)
    study["horizon"] = (opens + timedelta(days=rng.randint(log_days + 1, (LAST_DAY - opens).days))).isoformat()
    logs = [_Log(rng, indicator, opens, days, log_days) for indicator in study["indicators"]]
    reports = [rng.choice(logs).report(number) for number in range(n_reports)]
    if rng.random() < 0.5:
        reports.sort(key=lambda report: str(report.get("observed", report.get("to"))))
    return study, reports, [entry for log in logs for entry in log.coverage], opens + timedelta(days=days)


def probability_vectors(k: int) -> st.SearchStrategy[list[float]]:
    """Vectors of k positive probabilities, from even to one in a million, that sum to one but for rounding."""
    weights = st.lists(st.floats(min_value=1e-6, max_value=1.0), min_size=k, max_size=k)
    return weights.map(lambda drawn: [weight / sum(drawn) for weight in drawn])


def awkward_text() -> st.SearchStrategy[str]:
    """Text that has broken other programs, alone, joined, or inside arbitrary text (no half surrogates)."""
    pool = st.sampled_from(AWKWARD)
    return st.one_of(pool, st.text(), st.builds("".join, st.lists(st.one_of(pool, st.text(max_size=5)), max_size=4)))


def cases(
    *,
    kinds: Sequence[str] = KINDS,
    n_indicators: int | None = None,
    days: int | None = None,
    n_reports: int | None = None,
) -> st.SearchStrategy[Case]:
    """`random_case` from a drawn seed; the arguments are its own."""

    def case(seed: int) -> Case:
        return random_case(random.Random(seed), kinds=kinds, n_indicators=n_indicators, days=days, n_reports=n_reports)

    return st.integers(min_value=0, max_value=2**32 - 1).map(case)


def to_yaml(study: Plain) -> str:
    """The study as YAML text in block style: dates bare, words bare where nothing else could be read in them."""
    return "\n".join(_yaml_lines(study, 0)) + "\n"


# The study file (SPEC 2)


def _study(rng: random.Random, *, opens: date, kinds: Sequence[str], n_indicators: int) -> Plain:
    """A study without its horizon."""
    words = rng.choice(["icd203", "phia"])
    study: Plain = {
        "study": f"study-{rng.randint(1, 999)}",
        "title": "A study drawn at random",
        "question": "Which of these will it be?",
        "opens": opens.isoformat(),
        "horizon": opens.isoformat(),
        "tlp": "clear",
        "words": words,
        "scenarios": _scenarios(rng),
    }
    if words == "icd203" and rng.random() < 0.5:
        del study["words"]
    if rng.random() < 0.3:
        study["tags"] = ["drawn", "no: person"]
    if rng.random() < 0.5:
        study["prior_confidence"] = _confidence(rng)
    if rng.random() < 0.5:
        study["drift"] = {"half_life": rng.choice(["20 d", "10 w", "3 m", "2 y"])}
    if rng.random() < 0.3:
        marks = rng.sample("ABCDEF123456", rng.randint(1, 3))
        study["grades"] = {mark: rng.choice([0.05, 0.3, 0.6, 0.8, 0.95]) for mark in marks}
    if rng.random() < 0.6:
        study["sources"] = {source: _grade(rng) for source in SOURCES[: rng.randint(1, 3)]}
    if rng.random() < 0.3:
        kinds = [rng.choice(kinds)]  # long chains of `given` need one kind
    study["indicators"] = indicators = []
    for number in range(n_indicators):
        name = f"{rng.choice(['talks', 'launches', 'y', 'no', 'on-order'])}-{number}"
        kind = rng.choice(kinds)
        indicators.append(_INDICATORS[kind](rng, {"id": name, "name": f"Indicator {number}", "kind": kind}, study))
    if rng.random() < 0.3:
        rng.shuffle(indicators)
    return study


def _scenarios(rng: random.Random) -> list[Plain]:
    k = rng.randint(2, 6)
    scenarios: list[Plain] = [{"id": f"way-{number}", "name": f"Way {number}"} for number in range(k)]
    if rng.random() < 0.8:
        for scenario, prior in zip(scenarios, _simplex(rng, k), strict=True):
            scenario["prior"] = prior
    return scenarios


def _state(rng: random.Random, indicator: Plain, study: Plain) -> Plain:
    """A state indicator, often `given` one of those drawn before it that have a persistence."""
    indicator["states"] = ["no", "some", "marked", "null"][: rng.choice([2, 2, 3, 4])]
    parents = [i for i in study["indicators"] if i["kind"] == "state" and "persistence" in i]
    if rng.random() < 0.7:
        indicator["persistence"] = _duration(rng)
    scenarios = [s["id"] for s in study["scenarios"]]
    if parents and rng.random() < 0.7:
        parent = rng.choice(parents[-2:])  # the latest, which may have one itself
        indicator["given"] = parent["id"]
        indicator["likelihoods"] = {
            k: {state: _row(rng, indicator, study) for state in parent["states"]} for k in scenarios
        }
    else:
        indicator["likelihoods"] = {k: _row(rng, indicator, study) for k in scenarios}
    return _options(rng, indicator)


def _row(rng: random.Random, indicator: Plain, study: Plain) -> list[float] | str:
    if len(indicator["states"]) == 2 and rng.random() < 0.3:
        return rng.choice(WORDS[study.get("words", "icd203")])
    return _simplex(rng, len(indicator["states"]))


def _milestone(rng: random.Random, indicator: Plain, study: Plain) -> Plain:
    return _happening(rng, indicator, study, highest=3.0)


def _count(rng: random.Random, indicator: Plain, study: Plain) -> Plain:
    indicator["unit"] = "agreement"
    return _happening(rng, indicator, study, highest=50.0)


def _happening(rng: random.Random, indicator: Plain, study: Plain, *, highest: float) -> Plain:
    indicator["rates"] = {s["id"]: _rate(rng, highest) for s in study["scenarios"]}
    silence = rng.choice(["always", "covered", "never", None])
    if silence is not None:
        indicator["silence"] = silence
    return _options(rng, indicator)


def _measure(rng: random.Random, indicator: Plain, study: Plain) -> Plain:
    indicator["unit"] = "percent"
    indicator["values"] = {
        s["id"]: {"mean": round(rng.uniform(-20, 120), 1), "sd": rng.choice([1, 2.5, 5, 12.5])}
        for s in study["scenarios"]
    }
    if rng.random() < 0.6:
        indicator["persistence"] = _duration(rng)
    return _options(rng, indicator)


_INDICATORS = {"state": _state, "milestone": _milestone, "count": _count, "measure": _measure}


def _options(rng: random.Random, indicator: Plain) -> Plain:
    """The keys any indicator may have and mathematics does not read."""
    if rng.random() < 0.5:
        indicator["confidence"] = _confidence(rng)
    if rng.random() < 0.5:
        indicator["check_every"] = _duration(rng)
    if rng.random() < 0.3:
        indicator["cost"] = rng.choice([0.5, 1, 3])
    return indicator


def _simplex(rng: random.Random, k: int) -> list[float]:
    """k thousandths or more that sum to one; steep ones as often as even ones."""
    weights = [rng.random() ** rng.choice([1, 6]) for _ in range(k)]
    whole = [1 + int((1000 - k) * weight / sum(weights)) for weight in weights]
    whole[rng.randrange(k)] += 1000 - sum(whole)
    return [thousandths / 1000 for thousandths in whole]


def _rate(rng: random.Random, highest: float) -> float:
    """From one in two hundred years to `highest` a year, evenly over magnitudes."""
    return float(f"{0.005 * (highest / 0.005) ** rng.random():.3g}")


def _duration(rng: random.Random) -> str:
    return rng.choice(["5 d", "30 d", "6 w", "3 m", "1 y"])


def _confidence(rng: random.Random) -> str | int:
    choices: list[str | int] = ["low", "medium", "high", 12]
    return rng.choice(choices)


def _grade(rng: random.Random) -> str:
    return rng.choice("ABCDEF") + rng.choice("123456")


# The log (SPEC 3)


@dataclass
class _Event:
    """One event of one indicator; its reports share `event`, or `origin`, or there is but one."""

    event: str | None
    origin: str | None
    reports: list[Plain] = field(default_factory=list)

    @property
    def can_be_joined(self) -> bool:
        return self.event is not None or self.origin is not None


class _Log:
    """The reports and the coverage of one indicator as they come in."""

    def __init__(self, rng: random.Random, indicator: Plain, opens: date, days: int, log_days: int) -> None:
        self.rng = rng
        self.indicator = indicator
        self.opens = opens
        self.days = days
        self.log_days = log_days
        self.events: list[_Event] = []
        self.taken: list[tuple[int, int]] = []
        """Day ranges that no further span may touch."""
        self.coverage: list[Plain] = []
        happens = indicator["kind"] in ("milestone", "count")
        if happens and indicator.get("silence", "covered") == "covered":
            self.coverage = [self._covered() for _ in range(rng.choice([0, 1, 2, 3]))]

    def report(self, number: int) -> Plain:
        """The next report; `number` keeps its reference its own."""
        rng = self.rng
        event = self._event()
        report: Plain = {"indicator": self.indicator["id"], **self._when(event), **self._what()}
        if event.event is not None:
            report["event"] = event.event
        origin = self._origin(event)
        if origin is not None:
            report["origin"] = origin
        if rng.random() < 0.7:
            report["source"] = rng.choice([*SOURCES, "a stranger"])
        if rng.random() < 0.8:
            report["grade"] = _grade(rng)
        report["ref" if rng.random() < 0.5 else "note"] = f"item {number}"
        event.reports.append(report)
        return report

    def _event(self) -> _Event:
        """An event already there that can be joined, or a new one; a milestone has one only."""
        rng = self.rng
        milestone = self.indicator["kind"] == "milestone"
        old = [event for event in self.events if event.can_be_joined]
        if old and (milestone or rng.random() < 0.4):
            return rng.choice(old)
        style = rng.choice(["event", "origin"] if milestone else ["event", "origin", "alone", "alone"])
        # Numbered by the log of this indicator alone, so that indicators share names of events and origins.
        name = f"{style} {len(self.events)}"
        new = _Event(event=name if style == "event" else None, origin=name if style == "origin" else None)
        self.events.append(new)
        return new

    def _origin(self, event: _Event) -> str | None:
        """What the event's reports must share; else a copy's, or one of a few that events share, or none."""
        if event.event is None:
            return event.origin
        told = [report["origin"] for report in event.reports if "origin" in report]
        if told and self.rng.random() < 0.5:
            return str(self.rng.choice(told))
        return self.rng.choice([None, "wire story 1", "wire story 2", "eyewitness"])

    def _what(self) -> Plain:
        kind = self.indicator["kind"]
        if kind == "state":
            return {"state": self.rng.choice(self.indicator["states"])}
        if kind == "measure":
            about = self.rng.choice(list(self.indicator["values"].values()))
            return {"value": round(self.rng.gauss(about["mean"], about["sd"]), self.rng.choice([0, 2]))}
        if kind == "count" and self.rng.random() < 0.7:
            return {"count": self.rng.randint(0, 5)}
        return {"count": 1} if self.rng.random() < 0.3 else {}

    def _when(self, event: _Event) -> Plain:
        """The day of the report, or its span where the indicator may have one and there is room."""
        silent_always = self.indicator.get("silence") == "always"
        if self.indicator["kind"] == "count" and not silent_always and self.rng.random() < 0.4:
            for _ in range(5):
                first, last = sorted((self._day(), self._day()))
                if all(last < start or end < first for start, end in self.taken):
                    self.taken.append((first, last))
                    return {"from": self._iso(first), "to": self._iso(last)}
        near = [report["observed"] for report in event.reports if "observed" in report]
        if near and self.rng.random() < 0.3:
            return {"observed": self.rng.choice(near)}
        return {"observed": self._iso(self._day())}

    def _covered(self) -> Plain:
        first, last = sorted((self._day(), self._day()))
        self.taken.append((first, last))
        entry = {"indicator": self.indicator["id"], "from": self._iso(first), "to": self._iso(last)}
        detect = self.rng.choice([None, None, 1, 0.9, 0.5, 0.05])
        return entry if detect is None else {**entry, "detect": detect}

    def _day(self) -> int:
        """Days after `opens`: often the first or as-of, now and then a little later."""
        return self.rng.choice([0, self.days, *(self.rng.randint(0, self.log_days) for _ in range(8))])

    def _iso(self, day: int) -> str:
        return (self.opens + timedelta(days=day)).isoformat()


# YAML by hand

_BARE = re.compile(r"[A-Za-z][A-Za-z0-9 _/.+-]*(?<! )")
_READ_AS_SOMETHING_ELSE = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
"""What YAML 1.1 or 1.2 takes for a boolean or nothing."""


def _yaml_lines(value: Plain | list[Any], indent: int) -> Iterator[str]:
    """The lines of a mapping or a sequence, each `indent` spaces in."""
    pad = " " * indent
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, dict | list) and item:
                yield f"{pad}{_scalar(key)}:"
                yield from _yaml_lines(item, indent + 2)
            else:
                yield f"{pad}{_scalar(key)}: {item if key in ('opens', 'horizon') else _scalar(item)}"
    else:
        for item in value:
            if isinstance(item, dict | list) and item:
                first, *rest = _yaml_lines(item, indent + 2)
                yield f"{pad}- {first.lstrip(' ')}"
                yield from rest
            else:
                yield f"{pad}- {_scalar(item)}"


def _scalar(value: Any) -> str:
    """One value on one line; text bare only where YAML 1.1 and 1.2 both read it as that text."""
    if isinstance(value, str):
        plain = _BARE.fullmatch(value) and value.lower() not in _READ_AS_SOMETHING_ELSE
        return value if plain else '"' + "".join(map(_escaped, value)) + '"'
    if isinstance(value, float):
        mantissa, e, exponent = repr(value).partition("e")
        return mantissa + ("" if "." in mantissa or not e else ".0") + e + exponent
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)  # whole numbers, and {} and [] with nothing in them


def _escaped(character: str) -> str:
    """A character inside double quotes: printable ASCII as it is, all else by its number."""
    if character in '"\\':
        return "\\" + character
    if " " <= character <= "~":
        return character
    return f"\\U{ord(character):08X}"
