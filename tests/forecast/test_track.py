"""The track record: day by day against a slow and obvious version, by what was published and by nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecast import settling, workflow
from forecast.crowd import crowd_of
from forecast.forecast_table import ForecastTable, TableError
from forecast.reading import read_study
from forecast.release import ReleasedTrack, StrictRecordError
from forecast.settled import released_record, settled_study
from forecast.study_file import read_study as study_of_file
from forecast.study_file import study_json
from forecast.track import Against, SettledStudy, Summary, study_score
from indicators.ledger import MemoryLedger
from tests.forecast.test_publication import TESTED

OPENS, ON = date(2024, 1, 1), date(2024, 6, 1)


class House:
    """A ledger whose clock is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2024, 1, 1, 8, tzinfo=UTC)
        self.ledger = MemoryLedger(lambda: self.now)

    def on(self, day: str) -> "House":
        self.now = max(self.now, datetime.fromisoformat(f"{day}T08:00:00+00:00"))
        return self

    @property
    def today(self) -> date:
        return self.now.date()

    def study(self, name: str = "port", text: str = TESTED, **lines: str) -> None:
        text = text.replace("study: port", "\n".join([f"study: {name}", *(f"{k}: {v}" for k, v in lines.items())]))
        study = study_of_file(text, file="x.yaml")
        workflow.record_study(self.ledger, study, content=study_json(study), text=text, file="x.yaml", author="ana")

    def log(self, state: str, *, name: str = "port", day: date | None = None, **more: str) -> None:
        raw = {"indicator": "mood", "state": state, "observed": str(day or self.today), "grade": "A1", **more}
        workflow.log_report(self.ledger, name, raw, author="ana", today=self.today, place=str)

    def publish(self, *, name: str = "port", author: str = "ana", **more: Any) -> None:
        settling.publish(self.ledger, name, author=author, today=self.today, draws=100, **more)

    def resolve(self, scenario: str = "strike", *, name: str = "port", on: date = ON) -> None:
        settling.resolve(self.ledger, name, scenario, on=on, author="ana", today=self.today)

    def settled(self, name: str = "port") -> SettledStudy:
        return settled_study(read_study(self.ledger, name))

    def record(self, **more: Any) -> ReleasedTrack:
        return released_record(self.ledger, self.ledger.studies(), **more)[0]


def published_house() -> House:
    """Two publications of the engine, one with an opinion, and strike came true on 1 June."""
    house = House()
    house.study()
    house.on("2024-02-01").log("hostile")
    house.publish()
    house.on("2024-03-01").log("calm")
    house.publish(opinion={"settled": 0.3, "strike": 0.7}, author="bo")
    house.on("2024-07-01").resolve()
    return house


def days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def brier(p: Mapping[str, float], outcome: str) -> float:
    return sum((q - (name == outcome)) ** 2 for name, q in p.items())


def by_hand(said: Sequence[tuple[date, Mapping[str, float]]], prior: Mapping[str, float]) -> float:
    """Each day by what had been said by then."""
    total = []
    for day in days(OPENS, ON):
        holding = prior
        for since, p in said:
            if since <= day:
                holding = p
        total.append(brier(holding, "strike"))
    return sum(total) / len(total)


PRIOR = {"settled": 0.6, "strike": 0.4}


def engine(house: House) -> list[tuple[date, dict[str, float]]]:
    found = read_study(house.ledger, "port").publications
    return [
        (date.fromisoformat(p.recorded_at[:10]), {said.scenario: said.probability for said in p.scenarios})
        for p in found
    ]


def test_every_day_is_scored_by_what_had_been_published() -> None:
    house = published_house()
    found = study_score(house.settled(), "engine")
    assert found is not None
    said = engine(house)
    assert len(found.own) == 153
    assert found.mean[0] == pytest.approx(by_hand(said, PRIOR), abs=1e-12)
    assert found.references["prior"][:, 0].mean() == pytest.approx(by_hand([], PRIOR), abs=1e-12)
    assert found.references["uniform"][:, 0].mean() == pytest.approx(0.5, abs=1e-12)
    assert found.references["persistence"][:, 0].mean() == pytest.approx(by_hand(said[:1], PRIOR), abs=1e-12)
    day = 40  # between the two
    p = said[0][1]
    expected = [brier(p, "strike"), -np.log(p["strike"]), p["settled"] ** 2]
    np.testing.assert_allclose(found.own[day], expected, rtol=0, atol=1e-12)


def test_an_opinion_is_a_track_of_its_own() -> None:
    house = published_house()
    found = study_score(house.settled(), "opinion")
    assert found is not None
    own = [(date(2024, 3, 1), {"settled": 0.3, "strike": 0.7})]
    assert found.mean[0] == pytest.approx(by_hand(own, PRIOR), abs=1e-12)
    assert study_score(house.settled(), "opinion", "ana") is None
    assert study_score(house.settled(), "engine", "bo") is not None


def test_what_comes_on_the_day_that_settles_it_or_later_counts_no_more() -> None:
    house = published_house()
    before = study_score(house.settled(), "engine")
    late = House()
    late.study()
    late.on("2024-02-01").log("hostile")
    late.publish()
    late.on("2024-03-01").log("calm")
    late.publish(opinion={"settled": 0.3, "strike": 0.7}, author="bo")
    late.on("2024-06-01").publish(opinion={"settled": 0.001, "strike": 0.999})
    late.on("2024-06-20").publish(opinion={"settled": 0.001, "strike": 0.999})
    late.on("2024-07-01").resolve()
    after = study_score(late.settled(), "engine")
    assert before is not None and after is not None
    assert (after.own == before.own).all()
    assert len(after.spoken) == 2


def test_a_backdated_entry_changes_no_score() -> None:
    """What is logged late, amended, retracted, and what speaks of an earlier day than it was published on."""
    house, other = published_house(), House()
    other.study()
    other.on("2024-02-01").log("hostile")
    other.publish()
    other.on("2024-03-01").log("calm")
    other.publish(opinion={"settled": 0.3, "strike": 0.7}, author="bo")
    other.on("2024-06-25").log("hostile", day=date(2024, 1, 5))
    workflow.retract(other.ledger, "port", "e4", why="a mistake", author="ana")
    other.publish(as_of=date(2024, 3, 1))
    other.study(text=TESTED.replace("prior: 0.6", "prior: 0.1").replace("prior: 0.4", "prior: 0.9"))
    other.on("2024-07-01").resolve()
    for track in ("engine", "opinion"):
        one, two = study_score(house.settled(), track), study_score(other.settled(), track)
        assert one is not None and two is not None
        assert (one.own == two.own).all()
        assert all((one.references[name] == two.references[name]).all() for name in one.references)


def test_a_prior_that_was_revised_holds_from_when_it_was_recorded() -> None:
    house = House()
    house.study()
    house.on("2024-02-01").study(text=TESTED.replace("prior: 0.6", "prior: 0.2").replace("prior: 0.4", "prior: 0.8"))
    course = house.on("2024-07-01")
    course.resolve()
    prior = house.settled().prior_course
    assert prior[30].tolist() == [0.6, 0.4]
    assert prior[31].tolist() == [0.2, 0.8]


def test_a_scenario_that_came_later_had_no_chance_before() -> None:
    house = House()
    house.study(text=_minimal())
    house.on("2024-02-01").publish()
    house.on("2024-03-01").study(text=_minimal("  - {id: fog, prior: 0.2, resolves_if: z}\n", 0.2))
    house.on("2024-07-01").resolve("fog")
    found = study_score(house.settled(), "engine")
    assert found is not None
    assert house.settled().scenarios == ("settled", "strike", "fog")
    assert found.own[40, 0] == pytest.approx(0.36 + 0.16 + 1.0)
    assert found.own[40, 1] == np.inf


def _minimal(more: str = "", taken: float = 0.0) -> str:
    row = "{settled: 1, strike: 2, fog: 3}" if more else "{settled: 1, strike: 2}"
    return (
        "study: port\nopens: 2024-01-01\nhorizon: 2024-12-31\nscenarios:\n"
        f"  - {{id: settled, prior: {0.6 - taken:g}, resolves_if: x}}\n  - {{id: strike, prior: 0.4, resolves_if: y}}\n"
        f"{more}indicators:\n  - {{id: raids, kind: count, rates: {row}}}\n"
    )


# The record of a ledger


def of(record: ReleasedTrack, by: str, name: str = "", track: str = "engine") -> Summary:
    [found] = [s for s in record.record.summaries if (s.by, s.name, s.track) == (by, name, track)]
    return found


def over(summary: Summary, baseline: str) -> Against:
    [found] = [item for item in summary.against if item.baseline == baseline]
    return found


@pytest.fixture(scope="module")
def four() -> House:
    """Three settled studies of which one was never published, a void one and an open one."""
    house = House()
    for name, tags in (("a", "[north]"), ("b", "[north, sea]"), ("c", "[sea]"), ("d", "[]"), ("e", "[]")):
        house.study(name, tags=tags)
    house.on("2024-02-01")
    for name, state in (("a", "hostile"), ("b", "calm")):
        house.log(state, name=name)
        house.publish(name=name, opinion={"settled": 0.5, "strike": 0.5} if name == "a" else None)
    house.on("2024-05-01").publish(name="a", author="bo")
    house.on("2024-12-15").resolve(name="a", on=date(2024, 12, 10))
    house.resolve("settled", name="b", on=date(2024, 4, 1))
    house.resolve(name="c")
    settling.resolve_void(house.ledger, "d", why="nobody can tell", author="ana")
    return house


def test_every_study_has_its_place(four: House) -> None:
    record = four.record().record
    assert [(s.study.study, s.track) for s in record.studies] == [("a", "engine"), ("b", "engine"), ("a", "opinion")]
    assert [(item.study, item.why) for item in record.void] == [("d", "nobody can tell")]
    assert [item.study for item in record.unsaid] == ["c"]
    assert [item.study for item in record.open] == ["e"]


def test_each_study_counts_the_same_however_long_it_was_open(four: House) -> None:
    record = four.record()
    a, b = (score for score in record.record.studies if score.track == "engine")
    whole = of(record, "all")
    np.testing.assert_allclose(whole.scores, (a.mean + b.mean) / 2, rtol=1e-12)
    assert (whole.studies, whole.days) == (2, len(a.own) + len(b.own))
    against = over(whole, "prior")
    expected = 1 - (a.mean + b.mean) / (a.references["prior"].mean(axis=0) + b.references["prior"].mean(axis=0))
    np.testing.assert_allclose(against.skill, expected, rtol=1e-12)
    assert (against.low <= against.skill + 1e-12).all()
    assert (against.skill <= against.high + 1e-12).all()


def test_by_tag_author_and_lead(four: House) -> None:
    record = four.record()
    names = [(s.by, s.name) for s in record.record.summaries if s.track == "engine"]
    leads = ["30 days or less", "31 to 90 days", "91 to 365 days"]
    assert names == [
        ("all", ""),
        *(("tag", tag) for tag in ("north", "sea")),
        *(("author", author) for author in ("ana", "bo")),
        *(("lead", lead) for lead in leads),
    ]
    assert (of(record, "tag", "sea").studies, of(record, "author", "bo").studies) == (1, 1)
    near, middle, far = (of(record, "lead", lead) for lead in leads)
    assert (near.studies, near.days, middle.days) == (1, 10, 60)
    assert near.days + middle.days + far.days == of(record, "all").days
    a = record.record.studies[0]
    np.testing.assert_allclose(near.scores, a.own[-10:].mean(axis=0), rtol=1e-12)


def test_of_one_study_no_interval_is_told(four: House) -> None:
    against = over(of(four.record(), "tag", "sea"), "uniform")
    assert np.isnan(against.low).all()
    assert np.isfinite(against.skill).all()


def test_calibration_counts_each_publication_once(four: House) -> None:
    record = four.record()
    assert of(record, "all").calibration.count == 6  # two of a, one of b, two scenarios each
    assert of(record, "all", track="opinion").calibration.count == 2
    assert of(record, "all").calibration.frequency == 0.5


def test_the_same_ledger_makes_the_same_intervals(four: House) -> None:
    one, two = (over(of(four.record(), "all"), "uniform") for _ in range(2))
    assert one.low.tolist() == two.low.tolist()


def test_the_interval_holds_the_skill_of_the_population() -> None:
    """Of 60 studies whose skill is drawn around a known one, in about nine of ten samples the interval holds it."""
    from forecast.track import _bootstrapped

    rng = np.random.default_rng(8)
    held = []
    for _ in range(200):
        theirs = rng.uniform(0.3, 0.7, (60, 3))
        own = theirs * 0.8 + rng.normal(0, 0.1, (60, 3))
        low, high = _bootstrapped(own, theirs, rng)
        held.append((low < 0.2) & (high > 0.2))
    assert 0.83 < np.mean(held) < 0.95


# Handling


def test_a_study_is_as_strict_as_what_was_published_of_it() -> None:
    house = House()
    house.study("open")
    house.study("closed")
    house.on("2024-02-01").log("hostile", name="closed", tlp="red", note="canary")
    for name in ("open", "closed"):
        house.publish(name=name, author=f"author-of-{name}")
    house.on("2024-07-01")
    house.resolve(name="open")
    house.resolve(name="closed")
    assert house.record().mark == "TLP:RED"
    with pytest.raises(StrictRecordError, match="the study itself is marked above TLP:GREEN, or something published"):
        house.record(max_tlp="green")
    below = house.record(max_tlp="green", without_above=True)
    assert (below.mark, below.record.left_out) == ("TLP:CLEAR", 1)
    assert below.gap == "One study is marked above the level asked for, and left out."
    assert "closed" not in repr(below)


def test_only_the_gate_lets_a_record_out(four: House) -> None:
    record = four.record()
    with pytest.raises(TypeError, match=r"only forecast\.release makes what is released"):
        ReleasedTrack(record=record.record, tlp="clear", head=record.head)


# A crowd


def crowd(folder: Path, *rows: str) -> ForecastTable:
    (folder / "crowd.csv").write_text("\n".join(["question,forecaster,date,outcome,probability", *rows]) + "\n")
    return ForecastTable(str(folder / "crowd.csv"), resolved=False)


def test_a_crowd_is_the_mean_of_everybodys_latest(tmp_path: Path) -> None:
    table = crowd(
        tmp_path,
        *("port,x,2024-02-01,settled,0.2", "port,x,2024-02-01,strike,0.8"),
        *("port,y,2024-02-03,settled,0.6", "port,y,2024-02-03,strike,0.4"),
        *("port,x,2024-02-05,settled,0.4", "port,x,2024-02-05,strike,0.6"),
        *("port,z,2024-02-05,settled,0.4", "port,w,2024-02-06,settled,0.4", "port,w,2024-02-06,strike,0.7"),
        "harbour,x,2024-02-01,settled,1",
    )
    found = crowd_of(table, {"port": ["settled", "strike"]})
    assert (found.unfit, found.others) == (2, 1)
    told = [(since.day.day, round(since.probabilities["settled"], 12)) for since in found.courses["port"]]
    assert told == [(1, 0.2), (3, 0.4), (5, 0.5)]


def test_against_a_crowd_only_its_days_count(tmp_path: Path) -> None:
    house = published_house()
    table = crowd(tmp_path, "port,x,2024-03-01,settled,0.1", "port,x,2024-03-01,strike,0.9")
    record, told = released_record(house.ledger, ["port"], crowd=table)
    assert told is not None and list(told.courses) == ["port"]
    against = over(of(record, "all"), "crowd")
    assert against.reference[0] == pytest.approx(0.02, abs=1e-12)
    assert against.own[0] == pytest.approx(brier(engine(house)[1][1], "strike"), abs=1e-12)


def test_a_table_without_questions_is_no_crowd(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("question,outcome,probability\nport,settled,1\n")
    with pytest.raises(TableError, match="it does not tell whose numbers of which day these are"):
        crowd_of(ForecastTable(str(tmp_path / "c.csv"), resolved=False), {})
