"""Sets that people already have, questions from an archive, and files for other tools."""

import json

import ir_measures
import pytest

from evals.datasets import archive_of, load_suite
from evals.own import own_suite
from evals.report import write_trec
from evals.runner import run
from ingest import ingest
from rag import Gazette
from rag.errors import UsageError

DOCUMENTS = {
    "1": ("Harbour", "The harbour of Norholm froze on Monday, and no ferry left."),
    "10": ("Ice", "Thick ice closed the harbour of Norholm for nine days."),
    "2/a": ("Eels", "Fishermen counted the eels in the river Tesse."),
    "3": ("", "A brewery from Kranich bought a share of the football club."),
}


def write_lines(path, records):
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")


@pytest.fixture
def beir(tmp_path):
    folder = tmp_path / "beir"
    (folder / "qrels").mkdir(parents=True)
    documents = DOCUMENTS.items()
    corpus = [{"_id": key, "title": title, "text": text} for key, (title, text) in documents]
    write_lines(folder / "corpus.jsonl", corpus)
    queries = {"a": "frozen harbour of Norholm", "b": "eels", "c": "not judged", "d": "brewery"}
    records = [{"_id": key, "text": text} for key, text in queries.items()]
    write_lines(folder / "queries.jsonl", records)
    head = "query-id\tcorpus-id\tscore\n"
    judged = "a\t1\t1\na\t10\t2\nb\t2/a\t1\nb\t3\t0\nd\tlost\t1\n"
    (folder / "qrels" / "test.tsv").write_text(head + judged)
    (folder / "qrels" / "dev.tsv").write_text(f"{head}c\t1\t1\n")
    return folder


def test_a_beir_folder_is_judged_by_document_and_grade(beir, tmp_path):
    suite = load_suite(str(beir))
    assert [question.id for question in suite.questions] == ["a", "b", "d"]
    kept = tmp_path / "kept"
    with archive_of(suite, str(kept)) as path, Gazette.open(path) as gazette:
        assert gazette.count() == len(DOCUMENTS)
        report = run(gazette, suite)
    both, eels, lost = report.results
    assert sorted(both.ranks) == [1, 2]  # 10 is not taken for 1
    assert eels.ranks == (1,)
    assert lost.ranks == (None,)
    assert all(result.answer is None for result in report.results)
    assert report.rows[-1].figures["hit@1"] == pytest.approx(2 / 3)
    assert report.rows[-1].figures["right"] is None
    with archive_of(suite, str(kept)) as path, Gazette.open(path) as gazette:
        assert gazette.count() == len(DOCUMENTS)  # as it was: it is not filled again


def test_of_a_beir_set_ten_documents_are_ranked_however_long_they_are(tmp_path):
    folder = tmp_path / "beir"
    (folder / "qrels").mkdir(parents=True)
    sentences = (f"The harbour of Norholm froze in year {n}, said clerk {n}." for n in range(400))
    texts = {"long/1": " ".join(sentences)} | {
        f"short {n}": f"A ship named Vessel{n} left the harbour of port {n}." for n in range(10)
    }
    corpus = [{"_id": key, "title": "", "text": text} for key, text in texts.items()]
    write_lines(folder / "corpus.jsonl", corpus)
    write_lines(folder / "queries.jsonl", [{"_id": "a b", "text": "The harbour of Norholm froze"}])
    qrels = "a b\tlong/1\t1\na b\tshort 3\t1\n"
    (folder / "qrels" / "test.tsv").write_text(qrels)
    suite = load_suite(str(folder))
    with archive_of(suite) as path, Gazette.open(path) as gazette:
        passages = gazette.retrieve(suite.questions[0].question, 10)
        report = run(gazette, suite)
    assert len({passage.article_id for passage in passages}) == 1
    (result,) = report.results
    assert len(set(result.documents)) == len(result.passages) == 10
    assert result.documents[0] == "long/1"
    assert result.figures["nDCG@10"] > 0.8
    write_trec(report, tmp_path)
    lines = (tmp_path / "run.txt").read_text().splitlines()
    assert lines[0] == "a%20b Q0 long/1 1 1.0000 gazette"
    judged = "a%20b 0 long/1 1\na%20b 0 short%203 1\n"
    assert (tmp_path / "qrels.txt").read_text() == judged


def test_a_judged_document_is_found_where_a_copy_stands_for_it(beir):
    text = "Fishermen counted the eels in the river Tesse and found that one in ten is left"
    texts = {"copy": f"(Wire) – {text}.", "2/a": f"{text}.", "other": "Eels are fish."}
    corpus = [{"_id": key, "title": key, "text": text} for key, text in texts.items()]
    for judged, expected in ((("2/a",), (1,)), (("2/a", "copy"), (1, 2)), (("copy",), (1,))):
        write_lines(beir / "corpus.jsonl", corpus)
        qrels = "".join(f"b\t{name}\t1\n" for name in judged)
        (beir / "qrels" / "test.tsv").write_text(qrels)
        suite = load_suite(str(beir))
        with archive_of(suite) as path, Gazette.open(path) as gazette:
            assert len(gazette.retrieve("eels", 10)) == 2
            (result,) = run(gazette, suite).results
        assert tuple(sorted(result.ranks)) == expected
        assert set(result.documents) == {*judged, "other"}


def test_runs_and_judgements_give_other_tools_the_same_figures(beir, tmp_path):
    suite = load_suite(str(beir))
    with archive_of(suite) as path, Gazette.open(path) as gazette:
        report = run(gazette, suite)
    assert report.absent == (suite.questions[2].quotes[0].page,)
    write_trec(report, tmp_path)
    lines = (tmp_path / "qrels.txt").read_text().splitlines()
    assert sorted(lines) == ["a 0 1 1", "a 0 10 2", "b 0 2/a 1", "d 0 lost 1"]
    run_lines = (tmp_path / "run.txt").read_text().splitlines()
    assert {line.split()[2] for line in run_lines} <= set(DOCUMENTS)
    names = ("hit@1", "hit@5", "MRR@10", "nDCG@10")
    found = ir_measures.calc_aggregate(
        [
            ir_measures.parse_measure(name)
            for name in ("Success@1", "Success@5", "RR@10", "nDCG@10")
        ],
        ir_measures.read_trec_qrels(str(tmp_path / "qrels.txt")),
        ir_measures.read_trec_run(str(tmp_path / "run.txt")),
    )
    assert sorted(found.values()) == pytest.approx(
        sorted(report.rows[-1].figures[name] for name in names)
    )
    assert 0 < report.rows[-1].figures["nDCG@10"] < 1


@pytest.mark.parametrize(
    ("file", "number", "line", "complaint"),
    [
        ("corpus.jsonl", 2, b'{"_id": "10", "text": "Ice', "the line: Invalid JSON"),
        ("corpus.jsonl", 2, b'{"_id": "10", "title": "Ice"}', "text: Field required"),
        ("corpus.jsonl", 3, b'{"_id": "10", "text": "\xe4"}', r"is not UTF-8 \(byte 24\)"),
        ("corpus.jsonl", 4, b'["10", "Ice"]', "the line: Input should be"),
        ("corpus.jsonl", 1, b'{"_id": 10, "text": "Ice"}', "_id: Input should be a valid string"),
        ("corpus.jsonl", 1, b'{"_id": "", "text": "Ice"}', "_id: is empty"),
        ("queries.jsonl", 2, b'{"_id": "b"}', "text: Field required"),
        ("qrels/test.tsv", 1, b"a\t1\t1.5", "is no judgement"),
        ("qrels/test.tsv", 3, b"a 1 1", "is no judgement"),
        ("qrels/test.tsv", 3, b"a\t1\tgood", "is no judgement"),
    ],
)
def test_a_bad_line_of_a_beir_set_is_named(beir, file, number, line, complaint):
    path = beir / file
    lines = path.read_bytes().split(b"\n")
    lines[number - 1] = line
    path.write_bytes(b"\n".join(lines))
    with (
        pytest.raises(UsageError, match=f"{file}', line {number}: {complaint}.*; "),
        archive_of(load_suite(str(beir))),
    ):
        pass


def test_a_beir_set_may_have_blank_lines_marks_no_header_and_grades_with_a_point(beir):
    suite = load_suite(str(beir))
    for file in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"):
        text = (beir / file).read_text()
        text = text.removeprefix("query-id\tcorpus-id\tscore\n").replace("\t2\n", "\t2.0\n")
        text += "d\t1\t-1\n" if file == "qrels/test.tsv" else ""
        (beir / file).write_text("\ufeff\n" + text.replace("\n", "\r\n\r\n"))
    again = load_suite(str(beir))
    assert again.questions == suite.questions
    assert list(again.articles()) == list(suite.articles())
    (beir / "qrels" / "test.tsv").write_text("z\t1\t1\n")
    with pytest.raises(UsageError, match="judges no query of"):
        load_suite(str(beir))


@pytest.mark.parametrize("version", ["1.1", "v2.0"])
def test_a_squad_file_has_a_paragraph_for_an_article(tmp_path, version):
    asked = [
        {"id": "1", "question": "When did the harbour freeze?", "answers": [{"text": "Monday"}]}
    ]
    if version == "v2.0":
        asked[0]["is_impossible"] = False
        asked.append({"id": "2", "question": "Who froze?", "answers": [], "is_impossible": True})
    paragraphs = [{"context": text, "qas": []} for _, text in DOCUMENTS.values()]
    paragraphs[0]["qas"] = asked
    path = tmp_path / "squad.json"
    path.write_text(
        json.dumps({"version": version, "data": [{"title": "T", "paragraphs": paragraphs}]})
    )
    suite = load_suite(str(path))
    with archive_of(suite) as archive, Gazette.open(archive) as gazette:
        report = run(gazette, suite, only_passages=True)
    (result,) = report.results  # what has no answer has no passage to find
    assert result.ranks == (1,)
    assert [question.kind for question in suite.questions] == ["fact", "unanswerable"][: len(asked)]


@pytest.mark.parametrize("text", ["[]", '{"data": [{}]}', "{"])
def test_what_is_no_set_is_refused(tmp_path, text):
    (tmp_path / "set.json").write_text(text)
    for path in (tmp_path / "set.json", tmp_path):
        with pytest.raises(UsageError, match="BEIR folder or a SQuAD file"):
            load_suite(str(path))


def test_an_empty_answer_of_a_squad_set_is_refused(tmp_path):
    asked = {"id": "7", "question": "When?", "answers": [{"text": "Monday"}, {"text": " "}]}
    paragraph = {"context": "On Monday.", "qas": [asked]}
    data = {"data": [{"title": "T", "paragraphs": [paragraph]}]}
    (tmp_path / "squad.json").write_text(json.dumps(data))
    with pytest.raises(UsageError, match=r"squad.json', question '7': answers\.1: is empty"):
        load_suite(str(tmp_path / "squad.json"))


def test_questions_are_made_from_any_archive_and_stay_the_same(gazette):
    suite = own_suite(gazette)
    assert suite == own_suite(gazette)
    assert len(suite.questions) == 200
    texts = [article.text for article in gazette.articles()]
    for question in suite.questions:
        assert any(question.quotes[0].quote in text for text in texts)
        assert question.question in question.quotes[0].quote
        assert len(question.question) < len(question.quotes[0].quote)


def test_questions_are_made_in_a_script_without_capitals(tmp_path):
    texts = (
        "市長は月曜日の朝に港の橋が三年ぶりに再び開通したと発表し、住民は長い間待っていたと話した。",
        "醸造所は週末に地元のサッカーチームの株式を買い取り、監督は来年も残ると記者団に語っていた。",
    )
    for name, text in zip("ab", texts, strict=True):
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    ingest([tmp_path / "a.txt", tmp_path / "b.txt"], tmp_path / "archive")
    with Gazette.open(tmp_path / "archive") as gazette:
        report = run(gazette, own_suite(gazette))
    assert (report.rows[-1].questions, report.rows[-1].figures["hit@1"]) == (2, 1)


def test_no_question_is_made_of_hardly_any_words(tmp_path):
    sentences = (
        "The council of Titusville met on Monday to vote on the WILL.",
        "Titusville (0-1): 12, 11, 10, 9 and 3, 2, 1 and 7, 6, 5.",
        "See https://www.example.org/the-council-and-the-harbour-of-norholm/2026/on-monday-and-tuesday.",
    )
    (tmp_path / "a.txt").write_text("Council\n\n" + "\n\n".join(sentences), encoding="utf-8")
    ingest(tmp_path / "a.txt", tmp_path / "archive")
    with Gazette.open(tmp_path / "archive") as gazette:
        (question,) = own_suite(gazette).questions
    assert question.quotes[0].quote == sentences[0]


def test_an_archive_without_a_sentence_is_told(tmp_path):
    (tmp_path / "a.txt").write_text("Ice.")
    ingest(tmp_path / "a.txt", tmp_path / "archive")
    with (
        Gazette.open(tmp_path / "archive") as gazette,
        pytest.raises(UsageError, match="gazette ingest"),
    ):
        own_suite(gazette)
