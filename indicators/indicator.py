"""The four kinds of thing to watch, as records: what may be seen of them, and how that differs between scenarios.

A `state` indicator is in one of a few named states, a `count` happens any number of times, a `milestone` at most once,
a `measure` is a number read from time to time. The tables are keyed by scenario id; this room does not know the
scenarios (the study does) and computes nothing from the tables (the likelihood does). Numbers stay as the analyst wrote
them: a probability word stays a word, a duration stays text.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from indicators.days import duration_days, parse_day
from indicators.errors import WatchfloorError

__all__ = [
    "Confidence",
    "CountBaseline",
    "CountIndicator",
    "Day",
    "Duration",
    "Identifier",
    "Indicator",
    "MeasureBaseline",
    "MeasureIndicator",
    "MeasureValue",
    "MilestoneIndicator",
    "Record",
    "StateIndicator",
    "Word",
]


def _read_day(value: object) -> object:
    if isinstance(value, str):
        try:
            return parse_day(value)
        except WatchfloorError as error:
            raise PydanticCustomError("day", "{what}", {"what": error.what, "mend": error.mend}) from None
    return value


def _read_duration(value: object) -> object:
    if not isinstance(value, str):
        raise PydanticCustomError(
            "duration",
            "{what}",
            {"what": f"{value!r} is not a duration", "mend": "write a number and d, w, m or y, like 90 d"},
        )
    try:
        duration_days(value)
    except WatchfloorError as error:
        raise PydanticCustomError("duration", "{what}", {"what": error.what, "mend": error.mend}) from None
    return value


def _read_history_name(value: object) -> object:
    if not isinstance(value, str) or not value:
        return value
    fault = next((what for what, is_wrong in _NAME_FAULTS if is_wrong(value)), None)
    if fault:
        mend = "write its place below the study file's folder, like history/poll.csv"
        raise PydanticCustomError("history_name", "{what}", {"what": fault, "mend": mend})
    return value


# A recorded study must be readable on any machine, so a name is a plain path that says the same everywhere.
_NAME_FAULTS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("has a backslash", lambda name: "\\" in name),
    ("is not a path below the study file's folder", lambda name: name.startswith(("/", "~")) or ":" in name),
    ("leads through . or ..", lambda name: any(part in ("", ".", "..") for part in name.split("/"))),
    ("has a character that cannot be seen", lambda name: not name.isprintable()),
    ("does not end in .csv", lambda name: not name.lower().endswith(".csv")),
)


def _row_form(value: Any) -> str | None:
    forms: tuple[tuple[type, str], ...] = ((list, "row"), (str, "word"), (dict, "given"))
    return next((form for kind, form in forms if isinstance(value, kind)), None)


class Record(BaseModel):
    """A frozen record that takes exactly the keys it names and converts nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Day = Annotated[
    date,
    BeforeValidator(_read_day),
    PlainSerializer(date.isoformat, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date"}),
]
Duration = Annotated[
    str,
    BeforeValidator(_read_duration),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? ?[dwmy]$", "examples": ["90 d", "6 w", "2 y"]}),
]
HistoryName = Annotated[
    str,
    BeforeValidator(_read_history_name),
    Field(min_length=1, max_length=200),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[^/~\\:][^\\:]*\.[cC][sS][vV]$"}),
]
Confidence = Literal["low", "medium", "high"] | Annotated[float, Field(gt=0, le=1e9)]
Probability = Annotated[float, Field(gt=0, lt=1)]
Rate = Annotated[float, Field(gt=0, le=1e12)]
Multiplier = Annotated[float, Field(gt=0, le=1e6)]
Shift = Annotated[float, Field(ge=-1e15, le=1e15)]
Word = Annotated[str, Field(min_length=1, max_length=60)]
Row = Annotated[
    Annotated[list[Probability], Tag("row"), Field(min_length=2, max_length=50)] | Annotated[Word, Tag("word")],
    Discriminator(
        _row_form,
        custom_error_type="row_form",
        custom_error_message="a row is a list of probabilities, one for each state, or a probability word",
    ),
]
LikelihoodRow = Annotated[
    Annotated[list[Probability], Tag("row"), Field(min_length=2, max_length=50)]
    | Annotated[Word, Tag("word")]
    | Annotated[dict[str, Row], Tag("given")],
    Discriminator(
        _row_form,
        custom_error_type="row_form",
        custom_error_message="a row is a list of probabilities, one for each state, or a probability word",
    ),
]


class _Watched(Record):
    """What every indicator has."""

    id: Identifier = Field(description="A short name of a-z, 0-9 and -, by which reports name it.")
    name: Name | None = Field(None, description="For people; the id where it is left out.")
    watch_item: str | None = Field(None, description="Where in the source text it comes from.")
    description: str | None = Field(None, description="For people; nothing is computed from it.")
    confidence: Confidence = Field(
        "medium", description="How sure the rows are: low, medium, high = sample size 4, 20, 100, or a number."
    )
    check_every: Duration | None = Field(None, description="When a look is due again.")
    cost: Annotated[float, Field(gt=0, le=1e9)] = Field(1.0, description="Of one look, relative to the others.")
    retired: bool = Field(False, description="Takes no new reports; what is logged goes on counting.")

    @property
    def label(self) -> str:
        """The name, or the id where there is none."""
        return self.name or self.id


class StateIndicator(_Watched):
    """One of a few named states holds at any time.

    `likelihoods[scenario]` is P(state given scenario) in the order of `states`, or a probability word for the last of
    two states. With `given`, the rows are keyed by the state of that other indicator first.
    """

    kind: Literal["state"] = Field(description="One of a few named states holds at any time.")
    states: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(
        min_length=2, max_length=50, description="Every state it can be in, in the order of the rows."
    )
    likelihoods: dict[str, LikelihoodRow] = Field(
        description="P(state given scenario): a row that sums to 1, or a word for the last of two states."
    )
    persistence: Duration | None = Field(
        None, description="How long a state typically lasts; left out, every event is a new draw."
    )
    given: Identifier | None = Field(None, description="A state indicator with a persistence on which the rows depend.")


class CountBaseline(Record):
    """The outside view of a rate: how often such things happened over some years before."""

    model_config = ConfigDict(serialize_by_alias=True)

    history: HistoryName = Field(description="A CSV file beside or below the study file, with a row for each event.")
    from_: Day = Field(alias="from", description="First day that the history speaks for, YYYY-MM-DD.")
    to: Day = Field(description="Last day that the history speaks for, YYYY-MM-DD.")


class _Happening(_Watched):
    """What counts and milestones share: a rate under each scenario, and which quiet days count.

    Either `rates`, or a `baseline` with `multipliers` of its rate.
    """

    rates: dict[str, Rate] | None = Field(None, description="Events per year under each scenario.")
    baseline: CountBaseline | None = Field(None, description="A history whose rate is taken, times the multipliers.")
    multipliers: dict[str, Multiplier] | None = Field(
        None, description="By how much each scenario multiplies the rate of the baseline."
    )
    silence: Literal["always", "covered", "never"] = Field("covered", description="Which quiet days count.")


class CountIndicator(_Happening):
    """May happen any number of times; Poisson with its scenario's rate a year."""

    kind: Literal["count"] = Field(description="May happen any number of times.")
    unit: str | None = Field(None, description="What is counted, in the singular.")


class MilestoneIndicator(_Happening):
    """Happens at most once, with its scenario's rate a year as hazard."""

    kind: Literal["milestone"] = Field(description="Happens at most once.")


class MeasureValue(Record):
    """What a measure reads under one scenario: normal with this mean and standard deviation."""

    mean: Annotated[float, Field(ge=-1e15, le=1e15)] = Field(description="The reading to be expected.")
    sd: Annotated[float, Field(gt=0, le=1e15)] = Field(description="Standard deviation of the readings around it.")


class MeasureBaseline(Record):
    """The outside view of a number: how it went before, and the model that carries it on."""

    history: HistoryName = Field(description="A CSV file beside or below the study file, with a row for each reading.")
    model: Literal["local-level", "local-trend", "ar1"] = Field(
        description="A level that wanders; a level with a wandering trend; or a return to a fixed mean."
    )


class MeasureIndicator(_Watched):
    """A number read from time to time.

    Either `values`, the mean and standard deviation under each scenario; or a `baseline` with `shifts` against it.
    """

    kind: Literal["measure"] = Field(description="A number read from time to time.")
    unit: str | None = Field(None, description="What the number is given in.")
    values: dict[str, MeasureValue] | None = Field(None, description="Mean and standard deviation under each scenario.")
    persistence: Duration | None = Field(
        None, description="How long a departure from the mean lasts; left out, every reading is a new draw."
    )
    baseline: MeasureBaseline | None = Field(None, description="A history whose course is carried on, plus the shifts.")
    shifts: dict[str, Shift] | None = Field(
        None, description="By how much a year each scenario moves the readings against the baseline."
    )


Indicator = Annotated[
    StateIndicator | CountIndicator | MilestoneIndicator | MeasureIndicator, Field(discriminator="kind")
]
