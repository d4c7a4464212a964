"""Which playbook fits: rules in order, then the country's choice, then the topic's."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from listener.errors import TemplateError
from listener.model import TOPICS, Urgency
from playbooks import GuideRequest, PlaybookLibrary
from playbooks.rules import Condition, WordList

REQUEST = GuideRequest(
    topic="delivery", network="x", language="en", country="GB", brand_name="Acme", brand_signature="Acme Care"
)


@pytest.fixture(scope="module")
def library() -> PlaybookLibrary:
    return PlaybookLibrary.load()


@pytest.mark.parametrize(
    ("playbook", "facts"),
    [
        ("late-delivery", {}),
        ("safety", {"signals": ("S",), "topic": "quality"}),
        ("safety", {"topic": "safety"}),
        ("safety", {"signals": ("S", "V", "C"), "text": "My lawyer will hear of this."}),
        ("vulnerable-person", {"signals": ("V",)}),
        ("data-leak", {"topic": "privacy", "text": "Your data breach put my address on the web."}),
        ("fraud", {"topic": "billing", "text": "I got a phishing mail in your name and paid."}),
        ("fraud", {"topic": "account", "signals": ("M",)}),
        ("legal-threat", {"signals": ("C",), "text": "You will hear from my lawyer."}),
        ("legal-threat", {"signals": ("C",), "language": "ru", "text": "Подаю в суд, мой адвокат готов."}),
        ("legal-threat", {"signals": ("C",), "language": "ja", "text": "返金がないので消費者センターに行きます"}),
        ("press", {"complains": False, "topic": "question", "text": "Journalist here, on deadline."}),
        ("press", {"topic": "other", "text": "I am a journalist at the Times and would like a comment."}),
        ("legal-threat", {"text": "I will take you to court."}),
        ("legal-threat", {"language": "de", "text": "Mein Anwalt schreibt Ihnen."}),
        ("booking", {"signals": ("T", "R"), "language": "fr", "text": "mon passeport est resté dans l'avion"}),
        ("booking", {"topic": "other", "language": "nl", "text": "Mijn koffer is weg"}),
        ("press", {"complains": False, "topic": "question", "roles": ("press",)}),
        ("service-complaint", {"complains": False, "topic": "other", "roles": ("press",)}),
        ("fraud", {"topic": "privacy", "text": "Scammers write in your name."}),
        ("billing", {"topic": "billing", "text": "What a scam, these fees."}),
        ("public-figure", {"roles": ("public figure",)}),
        ("public-figure", {"roles": ("press",)}),
        ("public-figure", {"influence": 0.9}),
        ("mass-outage", {"topic": "outage", "crowd": True}),
        ("mass-outage", {"topic": "outage", "signals": ("W",)}),
        ("outage", {"topic": "outage"}),
        ("unanswered", {"signals": ("R",)}),
        ("unanswered", {"earlier": 2}),
        ("trolling", {"complains": False, "signals": ("I",), "topic": "other"}),
        ("misdirected", {"other_company": True}),
        ("solved-public", {"settled": True, "signals": ("S",)}),
        ("price", {"topic": "price"}),
        ("staff", {"topic": "staff"}),
        ("account", {"topic": "account"}),
        ("quality", {"topic": "quality"}),
        ("privacy", {"topic": "privacy"}),
        ("thanks", {"topic": "praise", "complains": False}),
        ("question", {"topic": "question", "complains": False}),
        ("service-complaint", {"topic": "other"}),
    ],
)
def test_each_case_has_its_playbook(library: PlaybookLibrary, playbook: str, facts: dict[str, object]) -> None:
    assert library.choose(replace(REQUEST, **facts)).id == playbook  # type: ignore[arg-type]


def test_a_lawyer_named_without_a_threat_is_no_legal_threat(library: PlaybookLibrary) -> None:
    assert library.choose(replace(REQUEST, text="I am a lawyer and my parcel is late.")).id == "late-delivery"


def test_a_words_meaning_in_another_language_does_not_count(library: PlaybookLibrary) -> None:
    """In French, `court` is short."""
    french = replace(REQUEST, language="fr", signals=("C",), text="Le câble est trop court, je change de marque.")
    assert library.choose(french).id == "late-delivery"


def test_a_countrys_choice_for_a_topic_yields_to_the_rules_alone(library: PlaybookLibrary) -> None:
    chosen = replace(REQUEST, playbook_by_topic={"delivery": "booking"})
    assert library.choose(chosen).id == "booking"
    assert library.choose(replace(chosen, signals=("S",))).id == "safety"
    assert library.choose(replace(chosen, playbook_by_topic={"delivery": "nowhere"})).id == "late-delivery"


def test_what_a_person_chose_stands_above_all_rules(library: PlaybookLibrary) -> None:
    assert library.choose(replace(REQUEST, signals=("S",), playbook="misdirected")).id == "misdirected"
    assert library.choose(replace(REQUEST, playbook="nowhere")).id == "late-delivery"


def test_every_playbook_can_be_reached_and_says_when(library: PlaybookLibrary) -> None:
    for name in library.names:
        assert name == "crisis" or library.contents.rules.leading_to(name), name
    assert library.contents.rules.leading_to("legal-threat") == [
        "words legal-steps, a complaint",
        "signals C, words legal",
    ]
    assert library.contents.rules.leading_to("price") == ["topics price, where no rule holds"]
    assert Condition().described() == "always"
    assert Condition(urgency_max=Urgency.LOW, complains=False).described() == "urgency 0 to 1, no complaint"


def test_the_rules_name_a_playbook_for_every_topic(library: PlaybookLibrary) -> None:
    assert set(library.contents.rules.topics) == set(TOPICS)
    assert "mass-outage" in library.contents.rules.for_topic("outage")
    assert "mass-outage" not in library.contents.rules.for_topic("delivery")


@pytest.mark.parametrize(
    ("words", "text", "found"),
    [
        (("sue you",), "I will SUE  YOU!", "SUE  YOU"),
        (("court",), "A courtesy call", ""),
        (("lawyer*",), "my lawyers", "lawyer"),
        (("律师",), "我要找律师起诉", "律师"),
        (("адвокат*",), "Мой адвокату", "адвокат"),
        (("वकील",), "मेरा वकील", "वकील"),
        (("वकी",), "मेरा वकील", ""),
        (("carrier's fault",), "The carrier’s fault", "carrier’s fault"),
        (("carrier’s fault",), "The carrier's fault", "carrier's fault"),
        (("кур'єр*",), "Це курʼєра вина", "курʼєр"),
    ],
)
def test_words_are_found_whole_save_where_no_spaces_are_written(words: tuple[str, ...], text: str, found: str) -> None:
    assert WordList("test", {"en": words}).found_in(text, "en") == found


def test_words_far_behind_in_a_long_text_are_not_looked_for() -> None:
    words = WordList("test", {"en": ("court",)})
    assert words.found_in("x " * 2_000 + "court", "en") == "court"
    assert words.found_in("x " * 2_500 + "court", "en") == ""


def test_a_language_without_words_of_its_own_is_searched_for_all() -> None:
    words = WordList("test", {"en": ("court",), "fr": ("tribunal",)})
    assert words.found_in("I go to court", "und") == "court"
    assert words.found_in("I go to court", "fr") == ""
    assert words.found_in("tribunal", "fr-BE") == "tribunal"


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("rules: [{playbook: nowhere, when: {}}]\ntopics: {}", "there is no playbook 'nowhere'"),
        ("rules: [{playbook: late, when: {words: [poems]}}]\ntopics: {}", "there is no word list 'poems'"),
        ("rules: [{playbook: late, when: {mood: bad}}]\ntopics: {}", "unknown key 'mood'"),
        ("topics: {delivery: late}", "names no playbook for the topic 'billing'"),
        ("topics: {parcels: late}", "topics.parcels - must be 'delivery'"),
        ("rules: [{playbook: late, when: {}, wen: {}}]\ntopics: {}", "'wen' (did you mean 'when'?); allowed: playbook"),
        ("rules: [{playbook: late, when: {urgency: 2}}]\ntopics: {}", "(did you mean 'urgency_min'?)"),
        ("rules: [{playbook: late, when: {urgency_min: 3, urgency_max: 1}}]\ntopics: {}", "the rule never holds"),
        ("rules: [{playbook: late, when: {networks: [blueski]}}]\ntopics: {}", "'blueski' (did you mean 'bluesky'?)"),
        (
            "rules: [{playbook: late, when: {}}, {playbook: late, when: {crowd: true}}]\ntopics: {}",
            "rules[1] - is never reached",
        ),
    ],
)
def test_rules_that_cannot_be_followed_are_told_with_their_place(tmp_path: Path, rules: str, said: str) -> None:
    (tmp_path / "late").mkdir()
    (tmp_path / "late" / "playbook.yaml").write_text(
        "title: Late\nwhen: It is late.\ntell: [The team.]\nsteps: [Look.]\nanswer_within: 1h\nclose: Done.\n"
    )
    (tmp_path / "rules.yaml").write_text(rules)
    with pytest.raises(TemplateError, match=r"rules\.yaml:\d+:\d+") as caught:
        PlaybookLibrary.load(tmp_path)
    assert said in str(caught.value)


@pytest.mark.parametrize("word", ["*", " ", " *", "*  ", "\u200b*"])
def test_a_word_without_a_letter_is_refused_with_its_place(tmp_path: Path, word: str) -> None:
    (tmp_path / "_words").mkdir()
    (tmp_path / "_words" / "blame.yaml").write_text(f'en:\n  - your fault\n  - "{word}"\n', encoding="utf-8")
    with pytest.raises(TemplateError, match=r"blame\.yaml:3:5 en\[1\] - (a word has|must not|holds)"):
        PlaybookLibrary.load(tmp_path)


def test_what_is_no_plain_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "late").mkdir()
    os.mkfifo(tmp_path / "late" / "playbook.yaml")
    with pytest.raises(TemplateError, match=r"playbook\.yaml:1:1 is no plain file"):
        PlaybookLibrary.load(tmp_path)
