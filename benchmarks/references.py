"""The same question put to tools that others wrote: pyagrum, pgmpy, hmmlearn, and a plain script on a pandas table.

What is compared, and what is not. Without drift a study is a Bayesian network: the scenario is the parent of every
event's true state, the true state of the event before is another parent where a state persists, and every report hangs
on its event. With drift the scenario has a node for every day; the reports of indicators that keep no state hang on
their day. Where states persist as well, such a network is another model than SPEC 4: in it the state of an indicator
would remember which scenarios there were, where SPEC 4 tells each indicator's story under one scenario at a time, which
is what keeps it linear. So `network(.., drift=True)` with persistent indicators is what a modeller would draw, and is
asked for its cost alone. hmmlearn knows days only; it is handed the daily log likelihoods.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import hmmlearn.base
import numpy as np
import pyagrum
from numpy.typing import NDArray

from benchmarks.studies import Case, by_indicator

__all__ = ["Node", "hmm_smoothed", "network", "pandas_script", "pgmpy_posterior", "pyagrum_posterior"]

Floats = NDArray[np.float64]


class Node(NamedTuple):
    """One variable of a network.

    Attributes
    ----------
    name : str
    parents : tuple of str
    table : float array
        P(value | parents): one axis for each parent, and the last for the value.
    seen : int or None
        The value that was observed.
    """

    name: str
    parents: tuple[str, ...]
    table: Floats
    seen: int | None = None


def network(case: Case, *, drift: bool) -> tuple[list[Node], str]:
    """The study as a network, parents first, and the name of the scenario on the last day."""
    days = case.size.days if drift else 1
    move = case.daily_stay * np.eye(case.size.scenarios) + (1.0 - case.daily_stay) * case.prior
    nodes = [Node("z0", (), case.prior)]
    nodes += [Node(f"z{t}", (f"z{t - 1}",), move) for t in range(1, days)]
    return [*nodes, *_reported(case, drift=drift)], f"z{days - 1}"


def _reported(case: Case, *, drift: bool) -> Iterator[Node]:
    """True states and reports, indicator by indicator."""
    states = case.size.states
    for j, reports in by_indicator(case):
        rows = case.rows[j]
        average = case.prior @ rows
        before, last = "", 0
        for r, day, state, rho in zip(reports.index, reports["day"], reports["state"], reports["rho"], strict=True):
            scenario = f"z{day}" if drift else "z0"
            spoken = rho * np.eye(states) + (1.0 - rho) * average
            if not case.persistence[j]:
                yield Node(f"r{r}", (scenario,), rows @ spoken, int(state))
                continue
            stay = np.exp(-(day - last) / case.persistence[j])
            kept = stay * np.eye(states) + (1.0 - stay) * rows[:, None, :]
            yield Node(f"s{r}", (scenario, before), kept) if before else Node(f"s{r}", (scenario,), rows)
            yield Node(f"r{r}", (f"s{r}",), spoken, int(state))
            before, last = f"s{r}", day


def pyagrum_posterior(nodes: list[Node], asked: str) -> Floats:
    """P(asked | all that was seen), by pyagrum's lazy propagation."""
    net = pyagrum.BayesNet()
    for node in nodes:
        net.add(pyagrum.LabelizedVariable(node.name, node.name, node.table.shape[-1]))
        for parent in node.parents:
            net.addArc(parent, node.name)
        # Its tables run through the variable fastest, then through the parents in the order of their arcs.
        turned = node.table.transpose(*reversed(range(node.table.ndim - 1)), node.table.ndim - 1)
        net.cpt(node.name).fillWith(turned.ravel().tolist())
    engine = pyagrum.LazyPropagation(net)
    engine.setEvidence({node.name: node.seen for node in nodes if node.seen is not None})
    engine.addTarget(asked)
    engine.makeInference()
    found: Floats = engine.posterior(asked).toarray()
    return found


def pgmpy_posterior(nodes: list[Node], asked: str) -> Floats:
    """P(asked | all that was seen), by pgmpy's variable elimination."""
    from pgmpy.factors.discrete import TabularCPD  # seconds to import, and only the benchmark has it
    from pgmpy.inference import VariableElimination
    from pgmpy.models import DiscreteBayesianNetwork

    net = DiscreteBayesianNetwork()
    net.add_nodes_from([node.name for node in nodes])
    net.add_edges_from([(parent, node.name) for node in nodes for parent in node.parents])
    for node in nodes:
        table = node.table.reshape(-1, node.table.shape[-1]).T
        net.add_cpds(TabularCPD(node.name, len(table), table, list(node.parents), list(node.table.shape[:-1])))
    seen = {node.name: node.seen for node in nodes if node.seen is not None}
    found: Floats = VariableElimination(net).query([asked], evidence=seen, show_progress=False).values
    return found


class _Given(hmmlearn.base.BaseHMM):  # type: ignore[misc]
    """A hidden Markov model that is handed the log likelihoods in place of observations."""

    def _compute_log_likelihood(self, X: Floats) -> Floats:  # noqa: N803
        return X

    def _compute_likelihood(self, X: Floats) -> Floats:  # noqa: N803
        return np.exp(X)


def hmm_smoothed(prior: Floats, stay: float, daily: Floats) -> Floats:
    """P(scenario on each day | all days), shape (T, K); on the last day that is the filter's, too.

    Each day is handed over relative to its largest: hmmlearn sums up logs over all days, and digits with them.
    """
    model = _Given(n_components=len(prior))
    model.n_features = len(prior)
    model.startprob_ = prior
    model.transmat_ = stay * np.eye(len(prior)) + (1.0 - stay) * prior
    found: Floats = model.score_samples(daily - daily.max(axis=1, keepdims=True))[1]
    return found


def pandas_script(case: Case, *, drift: bool = True) -> Floats:
    """P(scenario | what was seen up to each day), shape (T, K): a row at a time, as a notebook would have it."""
    daily = np.zeros((case.size.days, case.size.scenarios))
    for j, reports in by_indicator(case):
        rows, lasts = case.rows[j], case.persistence[j]
        average = case.prior @ rows
        belief, last = rows.copy(), 0
        for _, report in reports.iterrows():
            if lasts:
                stay = np.exp(-(report["day"] - last) / lasts)
                belief = stay * belief + (1.0 - stay) * rows
            heard = np.full(case.size.states, (1.0 - report["rho"]) * average[report["state"]])
            heard[report["state"]] += report["rho"]
            chance = belief @ heard
            daily[report["day"]] += np.log(chance)
            if lasts:
                belief, last = belief * heard / chance[:, None], report["day"]
    course, predicted = [], case.prior
    for logs in daily:
        today = predicted * np.exp(logs - logs.max())
        course.append(today / today.sum())
        predicted = case.daily_stay * course[-1] + (1.0 - case.daily_stay) * case.prior if drift else course[-1]
    return np.array(course)
