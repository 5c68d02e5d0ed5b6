"""Whether a question is for an overview, about the archive, a greeting, or a plain one."""

import pytest

from rag.kinds import kind_of, topic
from rag.question import understand

OVERVIEW = {
    "What is new on the harbour bridge?": "the harbour bridge",
    "what's the latest news about the budget talks": "the budget talks",
    "Any news from Kessel?": "Kessel",
    "What's going on with the ferry?": "the ferry",
    "What happened with the stadium plans?": "the stadium plans",
    "Can you summarise what was written about the museum?": "the museum",
    "Summarise the latest reports on the drought.": "the drought",
    "Fasse die Berichte über den Brand zusammen": "Brand",
    "Fasse die Berichte zur Tordis zusammen": "Tordis",
    "Résume les articles sur Desmond": "Desmond",
    "Please sum up the strike for me.": "the strike",
    "I'd like a short overview of the pension reform, please": "the pension reform",
    "Timeline of the bank’s collapse": "the bank's collapse",
    "What do the articles say about the lighthouse?": "the lighthouse",
    "Compare what the Herald and the Globe report on the strike.": "the strike",
    "What do the Herald and the Globe report on the strike?": "the strike",
    "How do newspapers differ on the number of victims?": "the number of victims",
    "Which outlets have reported on the storm?": "the storm",
    "Tell me about Elin Marsh": "Elin Marsh",
    "Catch me up on the dispute over the quota": "the dispute over the quota",
    "Was gibt es Neues zum Streik?": "Streik",
    "Donne-moi un aperçu de la grève.": "la grève",
    "¿Qué dicen los periódicos sobre el ministro?": "el ministro",
}
GREETINGS = (
    "hi",
    "Hello there!",
    "Good morning, Gazette",
    "Thank you very much!",
    "Hi, what can you do for me?",
    "Who are you?",
    "help",
    "Guten Tag!",
    "Merci beaucoup",
    "Hallo, wie geht's?",
    "Buongiorno, come va?",
)
ARCHIVE = (
    "How many articles are there?",
    "How many articles from October?",
    "How many articles did the Globe publish in March?",
    "Which outlets do you have?",
    "What dates do you cover?",
    "How far back does the archive go?",
    "What is the newest article about the strike?",
    "List the articles of the Globe",
    "Which articles mention the lighthouse?",
    "Wie viele Artikel gibt es?",
    "¿Cuántos artículos hay?",
    "Quanti articoli ci sono?",
    "Hoeveel artikelen zijn er?",
    "Which outlet has the most articles?",
    "Who wrote the article on the strike?",
)
# Each holds words of the above.
PLAIN = (
    "What is new in the 2021 Corvo's engine?",
    "What is the latest Corvo called?",
    "Who compared the minister to a clown?",
    "Compare the price of a ticket in 2020 and in 2024.",
    "Who wrote the summary of the inquiry?",
    "What happened to the captain after the trial?",
    "Which newspaper reported that the mayor had resigned?",
    "What does the Herald say about the minister's age?",
    "What did the report say about the crew's training?",
    "What is known about the clerk who forged the letter?",
    "What do residents say about the noise?",
    "What did the police and the army report on the shooting?",
    "Tell me who won the race.",
    "What is the timeline for the opening of the bridge?",
    "Which outlets of the chain will close?",
    "How many articles does the treaty have?",
    "How many stories does the tower have?",
    "Which paper has the most readers?",
    "Who wrote the article of the constitution that was struck out?",
    "What was the first article of the constitution about?",
    "What is the oldest ship in the fleet?",
    "Which period does the audit cover?",
    "Who thanked the firefighters?",
    "What can you do with the old tickets?",
    "Hello, when does the museum open?",
    "latest Corvo phone price",
    "Was ist neu am Motor des Corvo?",
)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        *((question, "overview") for question in OVERVIEW),
        *((question, "greeting") for question in GREETINGS),
        *((question, "archive") for question in ARCHIVE),
        *((question, "question") for question in PLAIN),
    ],
)
def test_the_kind_of_a_question(question, kind):
    assert kind_of(question) == kind


@pytest.mark.parametrize(("question", "about"), OVERVIEW.items())
def test_the_topic_of_an_overview_is_what_is_searched(question, about):
    assert understand(question).text == topic(question) == about


def test_what_names_no_topic_is_searched_as_it_stands():
    assert understand("What's new?").text == "What's new?"
    assert topic("Compare what the Herald and the Globe report.") == "the Herald and the Globe"
