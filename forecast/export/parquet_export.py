"""One list of an outlook as Parquet: the columns of `forecast.export.tables`, typed; where it comes from as metadata.

Days are `date32`, numbers `double`, counts `int64`, texts UTF-8; what does not apply is null. The metadata of the file
has one key, `watchfloor`, whose value is a JSON object.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from forecast.assessment import flags
from forecast.export.tables import FORMAT, TABLES, Table, table_of
from forecast.release import Released

__all__ = ["METADATA_KEY", "parquet_bytes"]

METADATA_KEY = b"watchfloor"


def parquet_bytes(released: Released, *, table: str = TABLES[0]) -> bytes:
    """One list of the outlook as a Parquet file; the timeline in long form where none is named.

    Parameters
    ----------
    released : Released
        What the gate lets out.
    table : str
        As for `forecast.export.tables.table_of`.

    Raises
    ------
    UnknownTableError
        No such list.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    chosen = table_of(released, table)
    schema = pa.schema(_fields(pa, chosen), metadata={METADATA_KEY: json.dumps(_about(released, table))})
    columns = [list(column) for column in zip(*chosen.rows, strict=True)] or [[] for _ in chosen.columns]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _fields(pa: Any, table: Table) -> list[Any]:
    types: Mapping[str, Any] = {
        "text": pa.string(),
        "day": pa.date32(),
        "probability": pa.float64(),
        "number": pa.float64(),
        "count": pa.int64(),
        "truth": pa.bool_(),
    }
    return [pa.field(column.name, types[column.kind]) for column in table.columns]


def _about(released: Released, table: str) -> dict[str, object]:
    """Where the list comes from; keys are only ever added under the same format."""
    outlook, provenance = released.outlook, released.provenance
    return {
        "format": FORMAT,
        "table": table,
        "study": outlook.study.study,
        "revision": provenance.revision,
        "as_of": outlook.as_of.isoformat(),
        "known_at": provenance.known_at,
        "engine": provenance.engine,
        "ledger": {"entries": provenance.head.entries, "head": provenance.head.hash},
        "tlp": released.tlp,
        "without": list(provenance.without),
        "flags": flags(outlook, known=released.flags),
    }
