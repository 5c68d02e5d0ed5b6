"""Real cross-encoders, tiny and trained in the test, loaded by path."""

import numpy as np
import pytest

from rag.cross_encoder import CrossEncoder
from rag.errors import CrossEncoderError
from tests.conftest import MINILM

HARBOUR = "The harbour opened in May."


def test_a_cross_encoder_scores_pairs_by_label(train_cross_encoder):
    pairs = [(HARBOUR, "It opened."), (HARBOUR, "It closed."), (HARBOUR, "Cats sleep.")]
    examples = list(zip(pairs, (2, 0, 1), strict=True))
    model = CrossEncoder(train_cross_encoder(["CONTRADICTION", "neutral", "entailment"], examples))
    assert model.labels == ("contradiction", "neutral", "entailment")
    assert np.argmax(model.scores(pairs), axis=1).tolist() == [2, 0, 1]
    assert model.scores([]).shape == (0, 3)


def test_a_cross_encoder_of_one_output_scores_higher_what_fits(train_cross_encoder):
    fits, not_so = (HARBOUR, "It opened."), (HARBOUR, "Cats sleep.")
    model = CrossEncoder(train_cross_encoder(["fit"], [(fits, 1), (not_so, 0)]))
    assert model.labels == ("fit",)
    high, low = model.scores([fits, not_so])[:, 0]
    assert high > 0 > low


def test_what_is_no_cross_encoder_is_refused(tmp_path):
    for name in (str(tmp_path), "no-such-owner/no-such-model", str(MINILM)):
        with pytest.raises(CrossEncoderError, match=r"could not be loaded: .+; name a CrossEnc"):
            CrossEncoder(name).scores([("one", "two")])
