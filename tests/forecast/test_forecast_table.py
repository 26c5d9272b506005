"""The reader of anybody's tables: whatever the bytes, a value or a refusal in words."""

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from forecast.forecast_table import YES, ForecastTable, key_of
from forecast.table_scores import table_scores
from indicators.errors import WatchfloorError
from tests.forecast.test_table_scores import HEADER
from tests.small import steady

HEADERS = ["probability,outcome", HEADER, "question,date,probability,resolution", "question;outcome;p;resolution"]
CELLS = st.sampled_from(["", "q", "x", "0.5", "1", "0", "yes", "2024-01-01", '"', '"a\nb"', "=1", "void", "\x00", "\r"])


@steady
@given(
    header=st.sampled_from(HEADERS),
    rows=st.lists(st.lists(CELLS, max_size=8).map(",".join), max_size=6),
    tail=st.one_of(st.just(b""), st.binary(max_size=40)),
)
def test_whatever_the_bytes_it_is_scored_or_refused_in_words(header: str, rows: list[str], tail: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_bytes("\n".join([header, *rows]).encode() + tail)
        try:
            found = table_scores(ForecastTable(str(path)))
        except WatchfloorError as refused:
            told = str(refused)
        else:
            told = ""
            assert found.forecasts > 0
            assert 0.0 <= found.brier <= 2.0
        assert "Traceback" not in told


@steady
@given(text=st.text(max_size=20))
def test_a_text_has_one_number_and_none_that_means_something_else(text: str) -> None:
    assert YES < key_of(text) < 2**64
    assert key_of(text) == key_of(text)
    assert key_of(text) != key_of(text + "x")
