"""What a person's name for a ledger means, and that a password in it is never shown."""

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators.address import HIDDEN, AddressError, DatabaseAddress, address_of
from tests.small import steady


@pytest.mark.parametrize(
    "name", ["forecast.db", "/var/lib/a b.db", "postgres", "postgresql.db", "C:\\ledger.db", "a=b.db", "", "é:x"]
)
def test_any_other_name_is_a_file(name: str) -> None:
    assert address_of(name) == Path(name)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://", "postgresql://"),
        ("postgres://db", "postgresql://db"),
        ("postgresql:///team", "postgresql:///team"),
        ("postgresql://ana@db.example.org:5433/team", "postgresql://ana@db.example.org:5433/team"),
        ("postgresql://ana:hush@db/team", "postgresql://ana@db/team"),
        ("postgresql://:hush@db/team", "postgresql://db/team"),
        ("postgresql://ana:hush:hush@db/team", "postgresql://ana@db/team"),
        ("postgresql://ana:hu?sh#@db/team", "postgresql://ana@db/team"),
        ("postgresql://ana@a:1,b:2/team?target_session_attrs=read-write", "postgresql://ana@a:1,b:2/team"),
        ("postgresql://ana@[::1]:5432/team", "postgresql://ana@[::1]:5432/team"),
        ("postgresql://ana@/team?host=/run/pg&password=hush", "postgresql://ana@/team"),
        ("postgresql://%2Frun%2Fpg/team", "postgresql://%2Frun%2Fpg/team"),
        ("postgresql://ana:hu@sh@db/team", HIDDEN),
        ("postgresql://ana:hu/sh@db/team", HIDDEN),
        ("postgresql://ana:12/hush@db/team", HIDDEN),
        ("postgresql://ana:hush", HIDDEN),
        ("postgresql://ana:hush\n@db/team", "postgresql://ana@db/team"),
        ("postgresql://db/te am", HIDDEN),
    ],
)
def test_a_url_is_shown_without_password_and_parameters(url: str, shown: str) -> None:
    address = address_of(url)
    assert isinstance(address, DatabaseAddress)
    assert address.url == url
    assert str(address) == shown
    assert "hush" not in repr(address)


@given(
    parts=st.lists(st.sampled_from([*"@/:?#&=% []%\\", "%40", "%2F", "KANARIA"]), min_size=1).map("".join),
    form=st.sampled_from(
        ["postgresql://ana:{}@db/team", "postgres://:{}@db", "postgresql://db/team?password={}&port=5432"]
    ),
    is_quoted=st.booleans(),
)
@steady
def test_no_password_however_it_is_written_shows(parts: str, form: str, is_quoted: bool) -> None:
    password = f"KANARIA{parts}KANARIA"
    address = address_of(form.format(quote(password, safe="") if is_quoted else password))
    assert "KANARIA" not in str(address) + repr(address)


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("mysql://ana:hush@db/team", '"mysql://" is no kind of ledger'),
        ("sqlite:///forecast.db", '"sqlite://" is no kind of ledger'),
        ("postgresql:/ana:hush@db/team", "begins with postgresql://"),
        ("postgresql+psycopg://ana:hush@db/team", "begins with postgresql://"),
        ("PostgreSQL://ana:hush@db/team", "begins with postgresql://"),
        ("host=db user=ana password=hush", "is named by a URL"),
        ("dbname = team", "is named by a URL"),
    ],
)
def test_what_only_looks_like_a_ledger_is_refused_and_not_repeated(name: str, phrase: str) -> None:
    with pytest.raises(AddressError, match=phrase) as caught:
        address_of(name)
    assert "give a file, or postgresql://USER@HOST/DATABASE" in str(caught.value)
    assert "hush" not in str(caught.value)
