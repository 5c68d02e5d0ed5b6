"""How passages are ordered: by Gazette's own signals, and by a reranker."""

import pytest

from ingest import ingest
from rag import Gazette, Passage, Query
from rag.archive import Archive
from rag.embeddings import load_embedder
from rag.errors import CrossEncoderError
from rag.retrieval import rank
from rag.types import Scores

QUESTION = "When did the harbour of Dallum open?"
TEXTS = (
    "The harbour of Dallum did open in May, said the pilots.",
    "The harbour of Dallum is deep enough for a ferry.",
    "Nobody can tell when the ferry will sail again.",
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("harbour")
    for number, text in enumerate(TEXTS):
        (folder / f"{number}.txt").write_text(text)
    ingest(folder, folder / "archive")
    return folder / "archive"


@pytest.fixture(scope="module")
def found(archive):
    with Gazette.open(archive) as opened:
        return opened.retrieve(QUESTION)


def scored(article_id, **scores):
    return Passage(article_id, 0, 9, "The ferry", "", scores=Scores(**scores))


@pytest.mark.parametrize("signal", ["dense", "lexical"])
def test_of_passages_with_the_same_ranks_the_one_that_is_further_ahead_comes_first(signal):
    near, ahead = (scored(n, fused=0.09, **{signal: s}) for n, s in (("near", 0.4), ("ahead", 0.8)))
    assert [p.article_id for p in rank(Query("ferry"), [near, ahead])] == ["ahead", "near"]


def test_a_rank_outweighs_a_small_lead():
    first, ahead = scored("first", fused=0.09, dense=0.6), scored("ahead", fused=0.06, dense=0.7)
    assert [p.article_id for p in rank(Query("ferry"), [ahead, first])] == ["first", "ahead"]


def test_every_candidate_has_its_cosine_also_where_only_its_words_were_found(archive, found):
    assert all(passage.scores.dense is not None for passage in found)
    with Archive(archive) as opened:
        index = opened.ledger.index
        vectors = load_embedder().encode([QUESTION, "A cat sleeps."])
        each = [dict(index.nearest(index.choose(Query("")), vector, 9)) for vector in vectors]
        larger = {number: max(each[0][number], each[1][number]) for number in each[0]}
        assert index.cosines(list(larger), vectors) == pytest.approx(larger)


def test_a_reranker_orders_what_was_found(archive, found, train_cross_encoder):
    assert [passage.text for passage in found] == list(TEXTS)
    pairs = [(QUESTION, f"{passage.title}\n{passage.text}") for passage in found]
    model = train_cross_encoder(["fits"], list(zip(pairs, (0, 0, 1), strict=True)))
    with Gazette.open(archive, reranker=model) as opened:
        passages = opened.retrieve(QUESTION)
    assert passages[0].text == TEXTS[2]
    scores = [passage.scores.reranked for passage in passages]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0 > scores[1]


def test_what_cannot_rank_is_refused_before_anything_is_asked(archive, train_cross_encoder):
    with pytest.raises(CrossEncoderError, match=r"'nowhere' could not be loaded: .+; name a Cross"):
        Gazette.open(archive, reranker="nowhere")
    classifier = train_cross_encoder(["no", "maybe", "yes"], [(("a", "b"), 0)])
    with pytest.raises(CrossEncoderError, match=r"cannot rank passages, for it has 3 outputs"):
        Gazette.open(archive, reranker=classifier)
