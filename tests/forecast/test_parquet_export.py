import io
import json
from datetime import date

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from forecast.export.parquet_export import METADATA_KEY, parquet_bytes
from forecast.export.tables import TABLES, UnknownTableError, table_of
from tests.forecast.build import japan_sar, outlook_of, released
from tests.forecast.test_export import hostile
from tests.strategies import Case, cases


@settings(max_examples=10, deadline=None)
@given(cases())
def test_every_cell_comes_back_with_its_type_and_to_the_last_digit(case: Case) -> None:
    what = released(outlook_of(*case))
    for name in TABLES:
        read = pq.read_table(io.BytesIO(parquet_bytes(what, table=name)))
        table = table_of(what, name)
        assert read.column_names == [column.name for column in table.columns]
        assert [tuple(row.values()) for row in read.to_pylist()] == [tuple(row) for row in table.rows]


def test_pandas_reads_the_timeline_by_itself() -> None:
    what = released(japan_sar(date(2026, 6, 7)))
    read = pd.read_parquet(io.BytesIO(parquet_bytes(what)))
    assert read["probability"].tolist() == what.outlook.course.ravel().tolist()
    assert read["date"].tolist() == [row[0] for row in table_of(what, "timeline").rows]


def test_the_file_says_where_it_comes_from() -> None:
    metadata = pq.read_schema(io.BytesIO(parquet_bytes(released(hostile("x")), table="evidence"))).metadata
    told = json.loads(metadata[METADATA_KEY])
    assert told == {
        "format": "watchfloor.tables/1",
        "table": "evidence",
        "study": "hostile",
        "revision": "ab" * 32,
        "as_of": "2025-03-02",
        "known_at": "2026-06-30T12:00:00.000000Z",
        "engine": "0.0.0",
        "ledger": {"entries": 7, "head": "cd" * 32},
        "tlp": "clear",
        "without": [],
        "flags": [],
    }


def test_a_list_without_rows_has_its_columns() -> None:
    study = outlook_of(
        {
            "study": "bare",
            "opens": "2025-01-01",
            "horizon": "2025-12-31",
            "scenarios": [{"id": "a"}, {"id": "b"}],
            "indicators": [{"id": "c", "kind": "count", "rates": {"a": 1.0, "b": 2.0}}],
        },
        [],
        [],
        date(2025, 2, 1),
    )
    read = pq.read_table(io.BytesIO(parquet_bytes(released(study), table="evidence")))
    assert (read.num_rows, read.num_columns) == (0, len(table_of(released(study), "evidence").columns))


def test_an_unknown_list_is_refused() -> None:
    with pytest.raises(UnknownTableError, match="no table"):
        parquet_bytes(released(hostile("x")), table="timelines")
