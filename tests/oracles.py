"""A second reading of SPEC 4, slow and obvious, for the tests to hold the engine against.

The trick is to have none. LL_i(k; R, t), the log-likelihood of indicator i under scenario k from its reports R through
day t, is worked out from scratch for every prefix of the log; a contribution is the difference of two of them, and the
rest are loops over days. Results are remembered only under everything they depend on. It takes a study as plain data
that SPEC 2 would accept, and knows nothing of baselines, of draws (4.6), or of reading and refusing files.
"""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

Plain = dict[str, Any]
Vector = dict[str, float]  # one number per scenario, or per state, in file order

DAYS_PER = {"d": 1.0, "w": 7.0, "m": 30.4375, "y": 365.25}
YEAR = 365.25
WORTH = {"A": 0.99, "B": 0.75, "C": 0.50, "D": 0.25, "E": 0.0, "F": 0.50}
WORTH |= {"1": 0.99, "2": 0.75, "3": 0.50, "4": 0.25, "5": 0.0, "6": 0.50}
RANGES = {  # SPEC 4.8, in percent
    "icd203": {
        "almost no chance": (1, 5),
        "very unlikely": (5, 20),
        "unlikely": (20, 45),
        "roughly even chance": (45, 55),
        "likely": (55, 80),
        "very likely": (80, 95),
        "almost certain": (95, 99),
    },
    "phia": {
        "remote chance": (0, 5),
        "highly unlikely": (10, 20),
        "unlikely": (25, 35),
        "realistic possibility": (40, 50),
        "likely": (55, 75),
        "probably": (55, 75),
        "highly likely": (80, 90),
        "almost certain": (95, 100),
    },
}


def outlook(study: Plain, reports: Sequence[Plain], coverage: Sequence[Plain], as_of: date) -> Plain:
    """Everything SPEC 4.1-4.5 and the explanation and boards of 4.7 and 4.3 say about a study as of a day.

    Parameters
    ----------
    study
        The content of a study file (SPEC 2) as plain data; dates as ISO text or `date`.
    reports
        Records of SPEC 3 in ledger order; a missing, empty or None field is one left out. Those dated after `as_of`
        are not looked at.
    coverage
        Records with `indicator`, `from`, `to` and, if not 1, `detect`.
    as_of
        The day T, not before `opens`.

    Returns
    -------
    dict
        `timeline`: per day `date`, `probability` (filtered), `smoothed`. `contributions`: per report, by dated day and
        then ledger sequence, `index` (position in `reports`), `loglik`, `decibans`, `change`. `boards`: per state
        indicator P(state now). `rows`: what moved the log-odds, in order: `date`, `what` (drift, silence or report),
        `indicator`, `index` (both None where they do not apply), `log_odds` (the step ln p/(1-p) takes); silence
        that adds nothing has no row. Dates are ISO text, numbers are by scenario id.
    """
    case = _Case(study, coverage, as_of)
    live = case.live(reports)
    steps = case.steps(live)
    filtered = case.filtered(steps)
    smoothed = case.smoothed(steps)
    final = _exp(filtered[-1])
    contributions = []
    for step in steps:
        if step.report is not None:
            without = case.filtered(case.steps(tuple(r for r in live if r is not step.report)))[-1]
            contributions.append(
                {
                    "index": step.report.index,
                    "loglik": step.loglik,
                    "decibans": _decibans(step.before, step.loglik),
                    "change": {k: final[k] - math.exp(without[k]) for k in final},
                }
            )
    return {
        "timeline": [
            {"date": case.iso(t), "probability": _exp(filtered[t]), "smoothed": smoothed[t]} for t in case.days()
        ],
        "contributions": contributions,
        "boards": {i: case.board(i, final, live) for i in case.of_kind("state")},
        "rows": [
            {
                "date": case.iso(step.day),
                "what": step.what,
                "indicator": step.indicator,
                "index": None if step.report is None else step.report.index,
                "log_odds": _difference(_log_odds(step.after), _log_odds(step.before)),
            }
            for step in steps
        ],
    }


def smoothed_by_paths(study: Plain, reports: Sequence[Plain], coverage: Sequence[Plain], as_of: date) -> list[Vector]:
    """Smoothed probabilities per day, summed over every path of scenarios through the days (SPEC 4.1).

    A path k_0 .. k_T weighs pi(k_0), times e^(-h) [k_t = k_(t-1)] + (1 - e^(-h)) pi(k_t) for each later day, times
    exp(LL through t less LL through t - 1, under k_t) for every day. There are K^(T+1) of them: for tiny studies.
    """
    case = _Case(study, coverage, as_of)
    live = case.live(reports)
    day_logliks = []
    for t in case.days():
        through = {i: case.loglik_through(i, live, t) for i in case.indicators}
        earlier = {i: case.loglik_through(i, live, t - 1) for i in case.indicators}
        day_logliks.append({k: math.fsum(through[i][k] - earlier[i][k] for i in through) for k in case.prior})
    emissions = [_exp(_log_normalised(loglik)) for loglik in day_logliks]
    marginals = [dict.fromkeys(case.prior, 0.0) for _ in emissions]
    for path in itertools.product(case.prior, repeat=len(emissions)):
        weight = case.prior[path[0]]
        for before, now in itertools.pairwise(path):
            weight *= case.stay * (before == now) + (1 - case.stay) * case.prior[now]
        for t, k in enumerate(path):
            weight *= emissions[t][k]
        for t, k in enumerate(path):
            marginals[t][k] += weight
    return [_normalised(m) for m in marginals]


def state_loglik_by_paths(study: Plain, reports: Sequence[Plain], indicator: str, as_of: date) -> Vector:
    """LL of a state indicator through `as_of`, summed over every path of true states, one per event (SPEC 4.3).

    A path s_1 .. s_n weighs L[k, s_1], times phi [s_e = s_(e-1)] + (1 - phi) L[k, s_e] for each later event, times
    P(x_r|s_e) for every counted report of every event. With `given` the rows are mixed over the other's paths. There
    are S^n of them.
    """
    case = _Case(study, [], as_of)
    live = case.live(reports)
    own = tuple(r for r in live if r.indicator == indicator)
    return {k: math.log(math.fsum(_weights_by_paths(case, indicator, k, own, live).values())) for k in case.prior}


@dataclass(frozen=True, eq=False)
class _Report:
    """One report as section 4 sees it. Days count from `opens`; a span is dated its last day."""

    index: int
    indicator: str
    day: int
    first: int | None
    """First day of its span; None for a report of one day."""
    state: str
    count: int
    value: float
    rho: float
    event: tuple[str, str]
    origin: str


@dataclass(frozen=True, eq=False)
class _Step:
    """One move of the filter: log probabilities before and after, and what was added to them (nothing by drift)."""

    day: int
    what: str
    indicator: str | None
    report: _Report | None
    loglik: Vector
    before: Vector
    after: Vector


class _Case:
    """A study, what was covered, and a day: all that is fixed while reports are put in and taken out."""

    def __init__(self, study: Plain, coverage: Sequence[Plain], as_of: date) -> None:
        self.study = study
        self.opens = _date(study["opens"])
        self.last_day = (as_of - self.opens).days
        self.prior = _prior(study)
        self.indicators: dict[str, Plain] = {i["id"]: i for i in study["indicators"]}
        self.rows = {i: _rows(self.indicators[i], study) for i in self.of_kind("state")}
        self.coverage = [
            (c["indicator"], self.day(c["from"]), self.day(c["to"]), c.get("detect", 1.0)) for c in coverage
        ]
        drift = study.get("drift")
        self.stay = math.exp(-math.log(2) / _duration(drift["half_life"])) if drift else 1.0
        self._known: dict[Any, Any] = {}

    def day(self, when: str | date) -> int:
        """Days since `opens`."""
        return (_date(when) - self.opens).days

    def days(self) -> range:
        """The days 0 .. T."""
        return range(self.last_day + 1)

    def iso(self, t: int) -> str:
        """Day t as ISO text."""
        return date.fromordinal(self.opens.toordinal() + t).isoformat()

    def of_kind(self, *kinds: str) -> list[str]:
        """Ids of the indicators of some kinds, in file order."""
        return [i for i, indicator in self.indicators.items() if indicator["kind"] in kinds]

    def live(self, reports: Sequence[Plain]) -> tuple[_Report, ...]:
        """The reports dated up to as-of, by dated day and then ledger sequence (SPEC 3, 4.1)."""
        read = [self._report(index, report) for index, report in enumerate(reports)]
        return tuple(sorted((r for r in read if r.day <= self.last_day), key=lambda r: (r.day, r.index)))

    def _report(self, index: int, report: Plain) -> _Report:
        """One record, its defaults filled in (SPEC 3) and its event and origin named (4.3)."""
        filled = {name: value for name, value in report.items() if value not in (None, "")}
        itself = f"report {index}"
        if "event" in filled:
            event = ("event", filled["event"])
        elif "origin" in filled:
            event = ("origin", filled["origin"])
        else:
            event = ("alone", itself)
        return _Report(
            index=index,
            indicator=filled["indicator"],
            day=self.day(filled["to"] if "to" in filled else filled["observed"]),
            first=self.day(filled["from"]) if "from" in filled else None,
            state=filled.get("state", ""),
            count=filled.get("count", 1),
            value=filled.get("value", math.nan),
            rho=_rho(filled, self.study),
            event=event,
            origin=f"origin {filled['origin']}" if "origin" in filled else itself,
        )

    # 4.3 State

    def row(self, i: str, k: str, day: int, live: tuple[_Report, ...]) -> Vector:
        """L[k, .] on a day; with `given` sum_u b_other(u) L[k, u, .], b_other carried to that day (SPEC 4.3)."""
        other = self.indicators[i].get("given")
        belief = self.belief(other, k, day, live) if other else {"": 1.0}
        table = self.rows[i][k]
        return {s: math.fsum(belief[u] * table[u][s] for u in belief) for s in self.indicators[i]["states"]}

    def phi(self, i: str, dt: int) -> float:
        """exp(-dt / persistence), 0 without one (SPEC 4.3, 4.5)."""
        persistence = self.indicators[i].get("persistence")
        return math.exp(-dt / _duration(persistence)) if persistence else 0.0

    def chance(self, report: _Report) -> Vector:
        """P(x|s) = rho [x = s] + (1 - rho) q(x) for each true state s; q over scenarios, after a plain mean over u."""
        x, rho = report.state, report.rho
        q = 0.0
        for k, pi in self.prior.items():
            rows = self.rows[report.indicator][k].values()
            q += pi * math.fsum(row[x] for row in rows) / len(rows)
        return {s: rho * (x == s) + (1 - rho) * q for s in self.indicators[report.indicator]["states"]}

    def chain(
        self, i: str, k: str, own: tuple[_Report, ...], live: tuple[_Report, ...]
    ) -> tuple[float, Vector, int | None]:
        """Log-likelihood, belief after the last event, and the day of that event (SPEC 4.3).

        b-(s) = phi b(s) + (1 - phi) L[k, s]; b(s) ~ b-(s) prod_r P(x_r|s); the log of the normaliser is added up.
        """
        loglik, belief, last = 0.0, dict[str, float](), None
        for event in _events(own):
            day = event[0].day
            row = self.row(i, k, day, live)
            expected = row if last is None else _mixed(self.phi(i, day - last), belief, row)
            chances = [self.chance(r) for r in _counted(event)]
            joint = {s: expected[s] * math.prod(c[s] for c in chances) for s in expected}
            loglik += math.log(math.fsum(joint.values()))
            belief, last = _normalised(joint), day
        return loglik, belief, last

    def belief(self, i: str, k: str, day: int, live: tuple[_Report, ...]) -> Vector:
        """Belief in the state of i under k from all reports dated up to a day, carried forward to it (SPEC 4.3)."""
        lineage = self.lineage(i)
        seen = tuple(r for r in live if r.indicator in lineage and r.day <= day)
        known = ("belief", i, k, day, seen)
        if known not in self._known:
            own = tuple(r for r in seen if r.indicator == i)
            row = self.row(i, k, day, live)
            _, belief, last = self.chain(i, k, own, live)
            self._known[known] = row if last is None else _mixed(self.phi(i, day - last), belief, row)
        found: Vector = self._known[known]
        return found

    def lineage(self, i: str) -> list[str]:
        """The indicator, the one it is `given`, the one that is given, and so on."""
        lineage = [i]
        while other := self.indicators[lineage[-1]].get("given"):
            lineage.append(other)
        return lineage

    def board(self, i: str, final: Vector, live: tuple[_Report, ...]) -> Vector:
        """P(state now): the belief carried to as-of under each scenario, mixed over P_T (SPEC 4.3)."""
        beliefs = {k: self.belief(i, k, self.last_day, live) for k in final}
        return {s: math.fsum(final[k] * beliefs[k][s] for k in final) for s in self.indicators[i]["states"]}

    # 4.4 Count and milestone

    def exposure(self, i: str, own: tuple[_Report, ...], t: int) -> float:
        """Silent days 0 .. t that count, each times its detect (SPEC 4.4).

        `always`: every day. `covered`: the highest detect of the coverage entries over the day; without one, 1 on the
        day of an event given by day; nothing inside a span, whose own term has it. `never`: none. After a milestone's
        event day only (1 - w) of it.
        """
        indicator = self.indicators[i]
        silence = indicator.get("silence", "covered")
        events = _events(own)
        forms = [(event[0].day, _best(event)) for event in events]
        stops = [(event[0].day, _weight(event)) for event in events if indicator["kind"] == "milestone"]
        entries = [(first, last, detect) for of, first, last, detect in self.coverage if of == i]
        exposure = []
        for day in range(t + 1):
            looked = [detect for first, last, detect in entries if first <= day <= last]
            looked = looked or [1.0 for event_day, form in forms if form.first is None and event_day == day]
            in_span = any(form.first is not None and form.first <= day <= form.day for _, form in forms)
            detects = {"always": 1.0, "covered": 0.0 if in_span else max(looked, default=0.0), "never": 0.0}
            going_on = math.prod(1 - w for event_day, w in stops if event_day < day)
            exposure.append(detects[silence] * going_on)
        return math.fsum(exposure)

    def count_loglik(self, i: str, own: tuple[_Report, ...], t: int) -> Vector:
        """-lambda_k exposure / 365.25, and for each event n log(w lambda_k + (1 - w) lbar) or its span's term.

        A span of D years: log(w Pois(n; lambda_k D) + (1 - w) sum_j pi_j Pois(n; lambda_j D)) (SPEC 4.4). The number n
        and the form, day or span, are those of the event's report of highest rho.
        """
        rates: Vector = self.indicators[i]["rates"]
        mean = math.fsum(pi * rates[k] for k, pi in self.prior.items())
        exposure = self.exposure(i, own, t)
        loglik = {k: -rates[k] * exposure / YEAR for k in self.prior}
        for event in _events(own):
            w, form = _weight(event), _best(event)
            if form.first is None:
                for k in loglik:
                    loglik[k] += form.count * math.log(w * rates[k] + (1 - w) * mean)
            else:
                years = (form.day - form.first + 1) / YEAR
                poisson = {k: _log_poisson(form.count, rates[k] * years) for k in loglik}
                for k in loglik:
                    loglik[k] += self._informed(w, poisson[k], poisson)
        return loglik

    # 4.5 Measure

    def measure_loglik(self, i: str, own: tuple[_Report, ...]) -> Vector:
        """Sum over events of log(rho N(y; m, v) + (1 - rho) sum_j pi_j N(y; mu_j, sd_j^2)) (SPEC 4.5).

        m = mu_k and v = sd_k^2; with a persistence, dt days after the last reading y' of rho >= .5 of an earlier day,
        m = mu_k + phi (y' - mu_k) and v = sd_k^2 (1 - phi^2). Of an event the reading of highest rho counts.
        """
        values = self.indicators[i]["values"]
        readings = [(event[0].day, _best(event)) for event in _events(own)]
        loglik = dict.fromkeys(self.prior, 0.0)
        for day, reading in readings:
            earlier = [(d, r.value) for d, r in readings if d < day and r.rho >= 0.5]
            anyway = {k: _log_normal(reading.value, values[k]["mean"], values[k]["sd"] ** 2) for k in self.prior}
            for k in loglik:
                mean, variance = values[k]["mean"], values[k]["sd"] ** 2
                if earlier:
                    phi = self.phi(i, day - earlier[-1][0])
                    mean, variance = mean + phi * (earlier[-1][1] - mean), variance * (1 - phi**2)
                loglik[k] += self._informed(reading.rho, _log_normal(reading.value, mean, variance), anyway)
        return loglik

    def _informed(self, w: float, log_here: float, log_by_scenario: Vector) -> float:
        """log(w e^here + (1 - w) sum_j pi_j e^(l_j)): informed with chance w, else what such reports say anyway."""
        weights = [w, *((1 - w) * self.prior[j] for j in self.prior)]
        logs = [log_here, *(log_by_scenario[j] for j in self.prior)]
        return _log_mixture(weights, logs)

    # 4.1 Filter

    def loglik(self, i: str, own: tuple[_Report, ...], live: tuple[_Report, ...], t: int) -> Vector:
        """LL_i(k; R, t) for every k, silence included, from scratch.

        `own` is R: the indicator's reports so far. What a `given` looks at is taken from `live`, which has them all:
        its chain asks for reports up to and including the event's day, whatever their sequence.
        """
        above = self.lineage(i)[1:]
        others = tuple(r for r in live if r.indicator in above and r.day <= t)
        known = ("loglik", i, own, others, t)
        if known not in self._known:
            kind = self.indicators[i]["kind"]
            if kind == "state":
                self._known[known] = {k: self.chain(i, k, own, live)[0] for k in self.prior}
            elif kind == "measure":
                self._known[known] = self.measure_loglik(i, own)
            else:
                self._known[known] = self.count_loglik(i, own, t)
        found: Vector = self._known[known]
        return found

    def loglik_through(self, i: str, live: tuple[_Report, ...], t: int) -> Vector:
        """LL_i of everything dated up to t, through t."""
        return self.loglik(i, tuple(r for r in live if r.indicator == i and r.day <= t), live, t)

    def steps(self, live: tuple[_Report, ...]) -> list[_Step]:
        """Every move from the prior to P_T: each day drift, silence by indicator, reports by sequence (SPEC 4.1).

        P-_t = e^(-h) P_(t-1) + (1 - e^(-h)) pi for t > 0, then P_t(k) ~ P-_t(k) exp(sum of what the day brings).
        A report brings LL(R with it, t) - LL(R before it, t), silence LL(R before t, t) - LL(R before t, t-1).
        """
        log_p = {k: math.log(pi) for k, pi in self.prior.items()}
        steps = []
        for t in self.days():
            if t > 0 and self.stay < 1:
                drifted = {
                    k: math.log(self.stay * math.exp(log_p[k]) + (1 - self.stay) * pi) for k, pi in self.prior.items()
                }
                steps.append(_Step(t, "drift", None, None, dict.fromkeys(log_p, 0.0), log_p, drifted))
                log_p = drifted
            for i in self.indicators:
                before = tuple(r for r in live if r.indicator == i and r.day < t)
                silence = _difference(self.loglik(i, before, live, t), self.loglik(i, before, live, t - 1))
                if any(silence.values()):
                    steps.append(_update(t, "silence", i, None, silence, log_p))
                    log_p = steps[-1].after
            for n, report in enumerate(live):
                if report.day == t:
                    i = report.indicator
                    before = tuple(r for r in live[:n] if r.indicator == i)
                    brings = _difference(self.loglik(i, (*before, report), live, t), self.loglik(i, before, live, t))
                    steps.append(_update(t, "report", i, report, brings, log_p))
                    log_p = steps[-1].after
        return steps

    def filtered(self, steps: list[_Step]) -> list[Vector]:
        """log P_t for each day: where the day's last step left it."""
        log_p = {k: math.log(pi) for k, pi in self.prior.items()}
        left = {step.day: step.after for step in steps}
        filtered = []
        for t in self.days():
            log_p = left.get(t, log_p)
            filtered.append(log_p)
        return filtered

    def smoothed(self, steps: list[_Step]) -> list[Vector]:
        """The backward pass (SPEC 4.1): P_t(k) beta_t(k), normalised.

        beta_T = 1; beta_t(j) = sum_k A[j, k] exp(what day t+1 brings under k) beta_(t+1)(k), where
        A[j, k] = e^(-h) [j = k] + (1 - e^(-h)) pi_k.
        """
        brought = [dict.fromkeys(self.prior, 0.0) for _ in self.days()]
        for step in steps:
            brought[step.day] = _sum(brought[step.day], step.loglik)
        log_beta = dict.fromkeys(self.prior, 0.0)
        smoothed = []
        for t, log_p in reversed(list(enumerate(self.filtered(steps)))):
            smoothed.append(_exp(_log_normalised(_sum(log_p, log_beta))))
            after = _log_normalised(_sum(brought[t], log_beta))
            log_beta = {
                j: _log_mixture(
                    [self.stay * (j == k) + (1 - self.stay) * pi for k, pi in self.prior.items()], list(after.values())
                )
                for j in self.prior
            }
        return smoothed[::-1]


def _weights_by_paths(
    case: _Case, i: str, k: str, own: tuple[_Report, ...], live: tuple[_Report, ...]
) -> dict[str | None, float]:
    """Summed weight of the paths of true states that end in each state; all of it on None without events."""
    events = _events(own)
    event_days = [event[0].day for event in events]
    rows = [_row_by_paths(case, i, k, day, live) for day in event_days]
    ends: dict[str | None, float] = {}
    for path in itertools.product(case.indicators[i]["states"], repeat=len(events)):
        weight = 1.0
        for e, s in enumerate(path):
            phi = case.phi(i, event_days[e] - event_days[e - 1]) if e else 0.0
            weight *= phi * (e > 0 and path[e - 1] == s) + (1 - phi) * rows[e][s]
            for report in _counted(events[e]):
                weight *= case.chance(report)[s]
        end = path[-1] if path else None
        ends[end] = ends.get(end, 0.0) + weight
    return ends


def _row_by_paths(case: _Case, i: str, k: str, day: int, live: tuple[_Report, ...]) -> Vector:
    """L[k, .] on a day; with `given` mixed over where the other's paths have got to by then."""
    other = case.indicators[i].get("given")
    belief = {"": 1.0}
    if other:
        own = tuple(r for r in live if r.indicator == other and r.day <= day)
        row = _row_by_paths(case, other, k, day, live)
        ends = _weights_by_paths(case, other, k, own, live)
        phi = case.phi(other, day - _events(own)[-1][0].day) if own else 0.0
        belief = {u: phi * ends.get(u, 0.0) / math.fsum(ends.values()) + (1 - phi) * row[u] for u in row}
    table = case.rows[i][k]
    return {s: math.fsum(belief[u] * table[u][s] for u in belief) for s in case.indicators[i]["states"]}


# 2 The study file: dates, durations, priors, rows


def _date(when: str | date) -> date:
    return date.fromisoformat(when) if isinstance(when, str) else when


def _duration(text: str) -> float:
    """Days in `30 d`, `6 w`, `3 m` (30.4375 days each) or `2 y` (365.25) (SPEC 2)."""
    number, unit = text.split()
    return float(number) * DAYS_PER[unit]


def _prior(study: Plain) -> Vector:
    """Priors by scenario; all left out = equal (SPEC 2)."""
    scenarios = study["scenarios"]
    return {s["id"]: s.get("prior", 1 / len(scenarios)) for s in scenarios}


def _rows(indicator: Plain, study: Plain) -> dict[str, dict[str, Vector]]:
    """L[k, u, s] as {scenario: {state u of the other: {state: p}}}; without `given` the only u is "" (SPEC 2)."""
    states = indicator["states"]

    def row(written: list[float] | str) -> Vector:
        if isinstance(written, str):
            low, high = RANGES[study.get("words", "icd203")][written]
            middle = (low + high) / 200
            written = [1 - middle, middle]
        return dict(zip(states, written, strict=True))

    likelihoods = indicator["likelihoods"]
    if "given" in indicator:
        return {k: {u: row(written) for u, written in by_other.items()} for k, by_other in likelihoods.items()}
    return {k: {"": row(written)} for k, written in likelihoods.items()}


# 4.2 What a grade means; 4.3, 4.4 events and origins


def _rho(report: Plain, study: Plain) -> float:
    """sqrt(letter x digit) of the report's grade, else its source's, else F6 (SPEC 3, 4.2)."""
    grade = report.get("grade") or study.get("sources", {}).get(report.get("source"), "F6")
    worth = WORTH | {str(mark): value for mark, value in study.get("grades", {}).items()}
    return math.sqrt(worth[grade[0]] * worth[grade[1]])


def _events(own: Iterable[_Report]) -> list[list[_Report]]:
    """The reports of one indicator by event, ordered by their first report (SPEC 4.3)."""
    events: dict[tuple[str, str], list[_Report]] = {}
    for report in own:
        events.setdefault(report.event, []).append(report)
    return list(events.values())


def _counted(event: list[_Report]) -> list[_Report]:
    """Of the reports that share an origin the one of highest rho, the earliest on a tie (SPEC 4.3)."""
    origins = {report.origin: [r for r in event if r.origin == report.origin] for report in event}
    return [_best(copies) for copies in origins.values()]


def _best(event: list[_Report]) -> _Report:
    """The report of highest rho, the earliest on a tie."""
    return max(event, key=lambda r: r.rho)


def _weight(event: list[_Report]) -> float:
    """w = (A - B)/(A + B), A = prod(rho + (1 - rho)/2), B = prod((1 - rho)/2) over origins (SPEC 4.4)."""
    a = math.prod(r.rho + (1 - r.rho) / 2 for r in _counted(event))
    b = math.prod((1 - r.rho) / 2 for r in _counted(event))
    return (a - b) / (a + b)


# 4.1 Filter; 4.7 Explanation


def _update(day: int, what: str, indicator: str, report: _Report | None, loglik: Vector, before: Vector) -> _Step:
    """P(k) ~ P-(k) exp(l(k)) (SPEC 4.1)."""
    return _Step(day, what, indicator, report, loglik, before, _log_normalised(_sum(before, loglik)))


def _decibans(log_p: Vector, loglik: Vector) -> Vector:
    """10/ln 10 (l_k - log of the mixture of the others' e^l, weighted by P just before) (SPEC 4.7)."""
    decibans = {}
    for k in log_p:
        others = [j for j in log_p if j != k]
        mixture = _log_sum(log_p[j] + loglik[j] for j in others) - _log_sum(log_p[j] for j in others)
        decibans[k] = 10 / math.log(10) * (loglik[k] - mixture)
    return decibans


def _log_odds(log_p: Vector) -> Vector:
    """ln p/(1 - p), the 1 - p as the sum of the others so that nothing is lost near one."""
    return {k: log_p[k] - _log_sum(log_p[j] for j in log_p if j != k) for k in log_p}


# Arithmetic


def _log_poisson(n: int, mean: float) -> float:
    return n * math.log(mean) - mean - math.lgamma(n + 1)


def _log_normal(y: float, mean: float, variance: float) -> float:
    return -0.5 * math.log(2 * math.pi * variance) - (y - mean) ** 2 / (2 * variance)


def _log_sum(logs: Iterable[float]) -> float:
    """log of the sum of e^x, the largest taken out first."""
    logs = list(logs)
    return _log_mixture([1.0] * len(logs), logs)


def _log_mixture(weights: list[float], logs: list[float]) -> float:
    """log sum_n w_n e^(x_n), the largest x of positive weight taken out first."""
    used = [(w, x) for w, x in zip(weights, logs, strict=True) if w > 0]
    top = max(x for _, x in used)
    return top + math.log(math.fsum(w * math.exp(x - top) for w, x in used))


def _mixed(phi: float, belief: Vector, row: Vector) -> Vector:
    """phi b + (1 - phi) L."""
    return {s: phi * belief[s] + (1 - phi) * row[s] for s in row}


def _normalised(weights: Vector) -> Vector:
    total = math.fsum(weights.values())
    return {k: w / total for k, w in weights.items()}


def _log_normalised(logs: Vector) -> Vector:
    """Logs of shares that sum to one; the largest is taken out first so that they do so however far down it lies."""
    top = max(logs.values())
    total = _log_sum(x - top for x in logs.values())
    return {k: (x - top) - total for k, x in logs.items()}


def _exp(logs: Vector) -> Vector:
    return {k: math.exp(x) for k, x in logs.items()}


def _sum(a: Vector, b: Vector) -> Vector:
    return {k: a[k] + b[k] for k in a}


def _difference(a: Vector, b: Vector) -> Vector:
    return {k: a[k] - b[k] for k in a}
