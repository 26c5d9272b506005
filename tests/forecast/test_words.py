"""Probability words (SPEC 4.8): every edge and every gap of both scales, and the words read back."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.words import SCALES, WordError, band_index, word_for, word_value
from indicators.errors import WatchfloorError

# ICD 203: the bands touch, so on an edge both are equally near and the one nearer to 50 % is taken.
ICD203 = [
    (0.0, "almost no chance"),
    (0.001, "almost no chance"),
    (0.01, "almost no chance"),
    (0.049, "almost no chance"),
    (0.05, "very unlikely"),
    (0.051, "very unlikely"),
    (0.199, "very unlikely"),
    (0.20, "unlikely"),
    (0.201, "unlikely"),
    (0.449, "unlikely"),
    (0.45, "roughly even chance"),
    (0.50, "roughly even chance"),
    (0.55, "roughly even chance"),
    (0.551, "likely"),
    (0.799, "likely"),
    (0.80, "likely"),
    (0.801, "very likely"),
    (0.949, "very likely"),
    (0.95, "very likely"),
    (0.951, "almost certain"),
    (0.99, "almost certain"),
    (0.999, "almost certain"),
    (1.0, "almost certain"),
]

# PHIA: a number in a gap takes the nearer band; in the middle of a gap, the one nearer to 50 %.
PHIA = [
    (0.0, "remote chance"),
    (0.05, "remote chance"),
    (0.074, "remote chance"),
    (0.075, "highly unlikely"),
    (0.076, "highly unlikely"),
    (0.10, "highly unlikely"),
    (0.20, "highly unlikely"),
    (0.224, "highly unlikely"),
    (0.225, "unlikely"),
    (0.226, "unlikely"),
    (0.25, "unlikely"),
    (0.35, "unlikely"),
    (0.374, "unlikely"),
    (0.375, "realistic possibility"),
    (0.376, "realistic possibility"),
    (0.40, "realistic possibility"),
    (0.50, "realistic possibility"),
    (0.524, "realistic possibility"),
    (0.525, "realistic possibility"),
    (0.526, "likely or probably"),
    (0.55, "likely or probably"),
    (0.75, "likely or probably"),
    (0.774, "likely or probably"),
    (0.775, "likely or probably"),
    (0.776, "highly likely"),
    (0.80, "highly likely"),
    (0.90, "highly likely"),
    (0.924, "highly likely"),
    (0.925, "highly likely"),
    (0.926, "almost certain"),
    (0.95, "almost certain"),
    (1.0, "almost certain"),
]

MIDDLES = [
    ("icd203", "almost no chance", 0.03),
    ("icd203", "very unlikely", 0.125),
    ("icd203", "unlikely", 0.325),
    ("icd203", "roughly even chance", 0.5),
    ("icd203", "likely", 0.675),
    ("icd203", "very likely", 0.875),
    ("icd203", "almost certain", 0.97),
    ("phia", "remote chance", 0.025),
    ("phia", "highly unlikely", 0.15),
    ("phia", "unlikely", 0.3),
    ("phia", "realistic possibility", 0.45),
    ("phia", "likely or probably", 0.65),
    ("phia", "likely", 0.65),
    ("phia", "probably", 0.65),
    ("phia", "highly likely", 0.85),
    ("phia", "almost certain", 0.975),
]

probabilities = st.floats(0, 1)
scales = st.sampled_from(sorted(SCALES))


class TestWordForANumber:
    @pytest.mark.parametrize(("probability", "word"), ICD203)
    def test_icd203(self, probability: float, word: str) -> None:
        assert word_for(probability, "icd203") == word

    @pytest.mark.parametrize(("probability", "word"), PHIA)
    def test_phia(self, probability: float, word: str) -> None:
        assert word_for(probability, "phia") == word

    @pytest.mark.parametrize("scale", sorted(SCALES))
    def test_an_edge_missed_by_rounding_is_the_edge(self, scale: str) -> None:
        """0.1 + 0.2 is not 0.3 in doubles; a sum that should be an edge gets the edge's word."""
        for band in SCALES[scale]:
            for edge in (band.low, band.high):
                for near in (edge - 4e-16, edge + 4e-16):
                    assert word_for(near, scale) == word_for(edge, scale)

    @given(probabilities, probabilities, scales)
    def test_a_higher_probability_never_gets_a_lower_word(self, one: float, other: float, scale: str) -> None:
        low, high = sorted((one, other))
        assert band_index(low, scale) <= band_index(high, scale)

    @given(probabilities, scales)
    def test_inside_a_band_its_word(self, probability: float, scale: str) -> None:
        inside = [band.word for band in SCALES[scale] if band.low + 1e-9 < probability < band.high - 1e-9]
        assert not inside or [word_for(probability, scale)] == inside

    @given(probabilities, scales)
    def test_the_nearest_band_by_plain_search(self, probability: float, scale: str) -> None:
        """An oracle: of all bands the one at the smallest distance, where that is not close to a tie."""
        gaps = sorted((max(band.low - probability, probability - band.high, 0.0), band.word) for band in SCALES[scale])
        if gaps[1][0] - gaps[0][0] > 1e-9:
            assert word_for(probability, scale) == gaps[0][1]


class TestNumberForAWord:
    @pytest.mark.parametrize(("scale", "word", "middle"), MIDDLES)
    def test_middle_of_its_range(self, scale: str, word: str, middle: float) -> None:
        assert word_value(word, scale) == pytest.approx(middle, abs=1e-15)

    @pytest.mark.parametrize(("scale", "word"), [(scale, b.word) for scale, bands in SCALES.items() for b in bands])
    def test_reads_back(self, scale: str, word: str) -> None:
        assert word_for(word_value(word, scale), scale) == word

    @pytest.mark.parametrize("scale", sorted(SCALES))
    def test_no_word_says_never_or_always(self, scale: str) -> None:
        """Cromwell's rule holds for words too."""
        assert all(0 < word_value(band.word, scale) < 1 for band in SCALES[scale])

    @pytest.mark.parametrize(
        ("word", "scale", "message"),
        [
            ("liekly", "icd203", '"liekly" is not a probability word of icd203; did you mean "likely"?'),
            ("probably", "icd203", '"probably" is not a probability word of icd203; one of: almost'),
            ("roughly even chance", "phia", '"roughly even chance" is not a probability word of phia'),
            ("Likely", "icd203", 'did you mean "likely"?'),
            ("xyz", "phia", "one of: remote chance, highly unlikely"),
            ("", "icd203", "one of: almost no chance"),
        ],
    )
    def test_refuses(self, word: str, scale: str, message: str) -> None:
        with pytest.raises(WordError) as caught:
            word_value(word, scale)
        assert message in str(caught.value)
        assert isinstance(caught.value, WatchfloorError)


@pytest.mark.parametrize("scale", sorted(SCALES))
def test_bands_rise_and_do_not_overlap(scale: str) -> None:
    bands = SCALES[scale]
    assert all(band.low < band.high for band in bands)
    assert all(lower.high <= upper.low for lower, upper in pairwise(bands))
