"""YAML becomes plain data with places, or faults; it never raises, and nothing is guessed."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.yaml_tree import DEPTH_LIMIT, SIZE_LIMIT, UNREADABLE, Position, Tree, read_tree, shown, yaml_text
from indicators.errors import FaultsError


def read(text: str) -> Tree:
    return read_tree(text, file="f")


def told(text: str) -> list[str]:
    return [str(fault) for fault in read(text).faults]


# What stands after "a: ", and its value.
PLAIN = [
    ("0", 0),
    ("-3", -3),
    ("+1", 1),
    ("1250", 1250),
    ("0.25", 0.25),
    (".5", 0.5),
    ("5.", 5.0),
    ("1e3", 1000.0),
    ("1E-3", 0.001),
    ("-1.5e+2", -150.0),
    ("0e0", 0.0),
    ("1e308", 1e308),
    ("", None),
    ("~", None),
    ("null", None),
    ("NULL", None),
    ("true", True),
    ("False", False),
    # YAML 1.1 makes truths, numbers and days of these; YAML 1.2 and we do not.
    ("no", "no"),
    ("NO", "NO"),
    ("on", "on"),
    ("yes", "yes"),
    ("y", "y"),
    ("12:30:45", "12:30:45"),
    ("2025-04-22", "2025-04-22"),
    ("2025-04-22T10:00:00Z", "2025-04-22T10:00:00Z"),
    ("nan", "nan"),
    ("inf", "inf"),
    ("1.2.3", "1.2.3"),
    ("1,5", "1,5"),
    ("50%", "50%"),
    (".", "."),
    ("e5", "e5"),
    ("<<", "<<"),
    ("a\\tb", "a\\tb"),
    # Quotes make text of anything.
    ("'12'", "12"),
    ('"0x1F"', "0x1F"),
    ('""', ""),
    ("'~'", "~"),
    ('"a\\tb\\u00e9"', "a\tbé"),
    ("|\n  one\n  two\n", "one\ntwo\n"),
    (">-\n  one\n  two\n", "one two"),
    ("|\n  12\n", "12\n"),
]

NOT_PLAIN_DECIMAL = [
    "0x1F", "-0xff", "0o17", "0b101", "1_000", "1_000.5", "007", "-007.5", "00", ".inf", "-.inf", "+.INF", ".nan",
    ".NaN",
]  # fmt: skip

# Name, text, the faults.
FAULTY = [
    ("too large", "a: 1e400", ["f:1:4: 1e400 is too large for a number; write a number below 1e308"]),
    (
        "too many digits",
        "a: " + "9" * 400,
        [f"f:1:4: {'9' * 37}... is too large for a number; write a number below 1e308"],
    ),
    (
        "too small",
        "a: 1e-400",
        ["f:1:4: 1e-400 is too small for a number other than zero; write a number above 1e-307"],
    ),
    (
        "each duplicate",
        "a: 1\nb: {c: 1, c: 2}\na: 3\n'a': 4",
        [
            'f:2:11: the key "c" again, first on line 2; keep one of the two',
            'f:3:1: the key "a" again, first on line 1; keep one of the two',
            'f:4:1: the key "a" again, first on line 1; keep one of the two',
        ],
    ),
    (
        "duplicate as number and text",
        "1: a\n'1': b",
        ['f:2:1: the key "1" again, first on line 1; keep one of the two'],
    ),
    (
        "anchor and aliases",
        "a: &x [1]\nb: *x\nc: [*x, *y]",
        [
            "f:1:4: the anchor &x; remove it, or put text that begins so in quotes",
            "f:2:4: the alias *x; write the value out where it is used",
            "f:3:5: the alias *x; write the value out where it is used",
            "f:3:9: the alias *y; write the value out where it is used",
        ],
    ),
    (
        "tags",
        "a: !!str 1\nb: ! x\nc: !new {d: 1}\ne: !!python/object/apply:os.system [ls]",
        [f"f:{n}:4: a tag, which begins with !; remove it, or put text that begins so in quotes" for n in (1, 2, 3, 4)],
    ),
    (
        "keys that are no text",
        "true: 1\n0.5: 1\n~: 1\n: 1\n? [a]\n: 1\n{b: 1}: 1",
        [
            "f:1:1: the key true is not text; put it in quotes",
            "f:2:1: the key 0.5 is not text; put it in quotes",
            "f:3:1: no key before the colon; write the key, or remove the line",
            "f:4:1: no key before the colon; write the key, or remove the line",
            "f:5:3: brackets in place of a key; put a key that begins with a bracket in quotes",
            "f:7:1: brackets in place of a key; put a key that begins with a bracket in quotes",
        ],
    ),
    (
        "key that is no decimal",
        "0x1F: 1",
        ["f:1:1: 0x1F is not a plain decimal number; write it like 1250 or 0.25, or in quotes if it is text"],
    ),
    ("second document", "a: 1\n---\nb: 2", ['f:2:1: a second document begins here; remove the "---" or "..."']),
    ("after the end", "a: 1\n...\nb: 2", ['f:3:1: a second document begins here; remove the "---" or "..."']),
    (
        "other version of YAML",
        "%YAML 1.1\n---\na: no",
        ["f:2:1: a %YAML or %TAG line stands before this; remove that line"],
    ),
    (
        "version that does not exist",
        "%YAML 1.9\n---\na: no",
        ["f:1:1: what follows here is not YAML; look for a \\U escape or a %YAML line to remove"],
    ),
    (
        "beyond Unicode",
        'a: 1\nb: "\\U00110000"',
        ["f:2:2: what follows here is not YAML; look for a \\U escape or a %YAML line to remove"],
    ),
    (
        "tab before a key",
        "a:\n\tb: 1\n\tc: 1",
        [
            "f:2:1: a tab on this line (and in the indentation of 1 more); "
            "use spaces, or put text that holds a tab in quotes"
        ],
    ),
    ("tab after a colon", "a:\t1", ["f:1:3: a tab on this line; use spaces, or put text that holds a tab in quotes"]),
    ("tab in plain text", "a: b\tc", ["f:1:5: a tab on this line; use spaces, or put text that holds a tab in quotes"]),
    ("NUL", "a: b\x00", ["f:1:5: the control character U+0000; remove it"]),
    (
        "control characters",
        "# \x1b[31m\na: \x07",
        ["f:1:3: the control character U+001B (and 1 more in the file); remove it"],
    ),
    ("line separator", "a: 1 # c\u2028b: 2", ["f:1:9: the control character U+2028; remove it"]),
    ("half surrogate", "a: \ud800", ["f:1:4: the control character U+D800; remove it"]),
    ("NUL by escape", 'a: "\\0"', ["f:1:4: an escape for the control character U+0000; remove it"]),
    ("half surrogate by escape", 'a: "\\ud800"', ["f:1:4: an escape for the control character U+D800; remove it"]),
]

# Text, place, and a telling phrase of the one fault: the parser stops at the first.
SYNTAX = [
    ("a: b: c", "1:5", 'put text that has ": " in it in quotes'),
    ("a: x\n  b: 1", "2:4", "a colon that does not fit here"),
    ("a: 1\nb\nc: 1", "2:1", "a line that is neither a key with its value nor part of the text above"),
    ("a:\n  b: 1\n c: 2", "3:2", "this does not fit the lines above it"),
    ('a: "x" y', "1:8", "write nothing after closing quotes"),
    ("a: 1\n- b", "2:1", "this does not fit the lines above it"),
    ("a: [1, 2\nb: 3", "2:2", "a list in [ ] that is not closed, or lacks a comma (opened on line 1)"),
    ("a: {b: 1\nc: 2", "2:2", "a group in { } that is not closed, or lacks a comma (opened on line 1)"),
    ("a: {b: 1]", "1:9", "a group in { } that is not closed"),
    ("a: [1, {", "1:9", "the file ends inside brackets; close them"),
    ("{\n", "2:1", "the file ends inside brackets"),
    ("a: 1\nb: 'x", "2:4", "quotes that are never closed; close them"),
    ('a: "x\n---\ny"', "1:4", "quotes that are never closed"),
    ("a: - b", "1:4", 'a "- " that does not fit here'),
    ("a: ? b", "1:4", 'a "? " that does not fit here'),
    ("a: @x", "1:4", '"@" cannot begin a text; put text that begins with a special character in quotes'),
    ("a: `x`", "1:4", '"`" cannot begin a text'),
    ("a: %x", "1:4", '"%" cannot begin a text'),
    ("a: ]", "1:4", "this cannot be read as YAML"),
    ('a: "\\q"', "1:6", "a backslash that stands for nothing in double quotes"),
    ('a: "\\x1"', "1:7", "an escape with too few digits"),
    ("a: |x\n", "1:4", "begin the text on the next line"),
    ("{a: 1}\nb: 2", "2:1", "text after the end of the document"),
    ("a: *", "1:5", "this cannot be read as YAML"),
]

SIGNS = st.text(alphabet="ab01.,:-#[]{}\"'|>&*!%?@\\~U \n\t")
ODD = st.text(st.characters(exclude_categories=["L"]))


class TestValues:
    @pytest.mark.parametrize(("written", "value"), PLAIN)
    def test_plain_and_quoted(self, written: str, value: object) -> None:
        tree = read(f"a: {written}")
        assert tree.faults == ()
        assert tree.data == {"a": value}
        assert type(tree.data["a"]) is type(value)

    @pytest.mark.parametrize("written", NOT_PLAIN_DECIMAL)
    def test_looks_like_a_number_and_is_none_of_ours(self, written: str) -> None:
        tree = read(f"a: {written}\nb: ['{written}']")
        assert tree.data == {"a": UNREADABLE, "b": [written]}
        assert [str(fault) for fault in tree.faults] == [
            f"f:1:4: {written} is not a plain decimal number; write it like 1250 or 0.25, or in quotes if it is text"
        ]

    def test_integers_as_keys_are_text(self) -> None:
        assert read("{1: a, B: b, 2025: c}").data == {"1": "a", "B": "b", "2025": "c"}

    @pytest.mark.parametrize("text", ["", "\n", "# only a comment", "---\n", "\ufeff"])
    def test_empty(self, text: str) -> None:
        assert (read(text).data, read(text).faults) == (None, ())

    @settings(max_examples=150, deadline=None)
    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers(-(10**20), 10**20)
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(st.characters(exclude_categories=("C", "Zl", "Zp"))),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(categories=("L", "N"))), inner),
            max_leaves=20,
        )
    )  # fmt: skip
    def test_json_is_yaml(self, value: Any) -> None:
        """YAML 1.2, 1.2: "every JSON file is also a valid YAML file"; the json module is the oracle."""
        tree = read(json.dumps(value, ensure_ascii=False, indent=1))
        assert tree.faults == ()
        assert tree.data == value
        if isinstance(value, float):
            assert math.copysign(1, tree.data) == math.copysign(1, value)


class TestPlaces:
    TREE = read("# c\na: 1\nb:\n  - x\n  - {c: 2,\n     d: }\n'e f':   \"g\"\nh:\ni: 1\n")

    @pytest.mark.parametrize(
        ("path", "key", "value"),
        [
            ((), (2, 1), (2, 1)),
            (("a",), (2, 1), (2, 4)),
            (("b",), (3, 1), (4, 3)),
            (("b", 0), (4, 5), (4, 5)),
            (("b", 1), (5, 5), (5, 5)),
            (("b", 1, "c"), (5, 6), (5, 9)),
            (("b", 1, "d"), (6, 6), (6, 6)),
            (("e f",), (7, 1), (7, 10)),
            (("h",), (8, 1), (8, 1)),
            # What is not there has the place of what it is missing from.
            (("z",), (2, 1), (2, 1)),
            (("a", "z"), (2, 1), (2, 1)),
            (("b", 2), (3, 1), (3, 1)),
            (("b", 1, "z"), (5, 5), (5, 5)),
            (("b", 1, "z", 4, "y"), (5, 5), (5, 5)),
        ],
    )
    def test_from_one(self, path: tuple[str | int, ...], key: tuple[int, int], value: tuple[int, int]) -> None:
        assert self.TREE.key_place(path) == Position(*key)
        assert self.TREE.value_place(path) == Position(*value)

    def test_other_line_ends_count_the_same(self) -> None:
        for end in ("\r\n", "\r"):
            assert read(f"a: 1{end}b: 2{end}").keys == read("a: 1\nb: 2\n").keys

    def test_astral_characters_are_one_column(self) -> None:
        assert read("{a: 🛰, b: 1}").keys["b",] == Position(1, 8)

    def test_root_of_nothing(self) -> None:
        assert read("").value_place(()) == Position(1, 1)


class TestFaults:
    @pytest.mark.parametrize(("text", "faults"), [case[1:] for case in FAULTY], ids=[case[0] for case in FAULTY])
    def test_named_where_they_stand(self, text: str, faults: list[str]) -> None:
        assert told(text) == faults

    @pytest.mark.parametrize(("text", "place", "phrase"), SYNTAX)
    def test_syntax(self, text: str, place: str, phrase: str) -> None:
        (fault,) = read(text).faults
        assert str(fault).startswith(f"f:{place}: ")
        assert phrase in str(fault)
        assert fault.mend
        assert read(text).data is UNREADABLE

    def test_what_follows_is_still_read(self) -> None:
        tree = read("a: \x07\nb: *x\nc: !t q\nd: 0x1\nd: 2\ne: 3\n")
        assert tree.data == {"a": UNREADABLE, "b": UNREADABLE, "c": UNREADABLE, "d": UNREADABLE, "e": 3}
        assert [fault.line for fault in tree.faults] == [1, 2, 3, 4, 5]

    def test_faults_before_a_syntax_error_are_kept(self) -> None:
        assert [fault.line for fault in read("a: 1\na: 2\nb: @").faults] == [2, 3]

    def test_depth(self) -> None:
        deep = "[" * DEPTH_LIMIT + "1" + "]" * DEPTH_LIMIT
        assert told(deep) == []
        assert told(f"[{deep}]") == ["f:1:21: nested more than 20 deep; remove brackets or indentation"]
        assert told("- " * 500) == ["f:1:41: nested more than 20 deep; remove brackets or indentation"]
        assert "nested more than 20 deep" in told("{a: " * 100_000)[0]

    def test_many_aliases_cost_nothing(self) -> None:
        """Each alias of the "billion laughs" is refused where it stands; none is followed."""
        laughs = "a0: &a0 [x]\n" + "".join(f"a{n + 1}: &a{n + 1} [{f'*a{n}, ' * 9}]\n" for n in range(9))
        assert len(read(laughs).faults) == 10 + 81

    def test_size(self) -> None:
        big = "a: " + "é" * (SIZE_LIMIT // 2)
        assert told(big) == ["f: 2,000,003 bytes, more than the 2,000,000 that are read; split or shorten the file"]
        with pytest.raises(FaultsError, match="2,000,003 bytes, more than"):
            yaml_text(big.encode(), file="f")

    @settings(max_examples=300, deadline=None)
    @given(st.text() | SIGNS | ODD)
    def test_no_text_raises(self, text: str) -> None:
        tree = read(text)
        assert (tree.data is UNREADABLE) <= bool(tree.faults)
        assert all("\n" not in str(fault) and fault.line and fault.column and fault.mend for fault in tree.faults)


class TestBytes:
    def test_utf8_with_and_without_mark(self) -> None:
        assert yaml_text("a: é".encode(), file="f") == "a: é"
        assert yaml_text(b"\xef\xbb\xbfa: 1", file="f") == "a: 1"

    @pytest.mark.parametrize(
        ("content", "fault"),
        [
            (b"a: 1\nb: caf\xe9\n", "f:2:7: the byte 0xE9 is not UTF-8; save the file as UTF-8"),
            (b"\xef\xbb\xbfa: \xff", "f:1:4: the byte 0xFF is not UTF-8; save the file as UTF-8"),
            ("a: 1".encode("utf-16"), "f:1:1: the byte 0xFF is not UTF-8; save the file as UTF-8"),
            (b"a: \xed\xa0\x80", "f:1:4: the byte 0xED is not UTF-8; save the file as UTF-8"),
            ("é: ".encode() + b"\x80", "f:1:4: the byte 0x80 is not UTF-8; save the file as UTF-8"),
        ],
    )
    def test_refused(self, content: bytes, fault: str) -> None:
        with pytest.raises(FaultsError) as caught:
            yaml_text(content, file="f")
        assert str(caught.value) == fault


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", '"a"'),
        ("two\nlines\u202e\x1b", '"two\\nlines\\u202e\\x1b"'),
        ("x" * 61, '"' + "x" * 57 + '..."'),
        (True, "true"),
        (None, "nothing"),
        (0.1, "0.1"),
        (5, "5"),
    ],
)
def test_shown(value: object, text: str) -> None:
    assert shown(value) == text
