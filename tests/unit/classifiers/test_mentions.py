from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifiers.encoder import Encoder
from classifiers.heads import Heads, load_heads
from classifiers.language import LanguageIdentifier
from classifiers.mentions import MentionClassifier
from listener.errors import ModelUnavailableError
from listener.model import SIGNALS, Classification, Sentiment

URGENT = {
    "en": "My kettle just caught fire, my daughter burned her hand and nobody answers your emergency line!",
    "fr": "Je suis bloquée à l'aéroport avec mon bébé malade, vol annulé, personne au comptoir, aidez-moi vite",
    "de": "Aus dem Wasserkocher kommt Rauch und Funken, mein Sohn hat einen Stromschlag bekommen, was tun??",
    "es": "¡Me han robado la cuenta y están sacando mi dinero ahora mismo, 900 euros, y nadie contesta!",
    "it": "Mia madre è disabile, bloccata in aeroporto da ieri senza medicine, nessuno ci aiuta, è urgente!",
    "pt": "A chaleira explodiu e queimou o meu filho, estamos no hospital, ninguém da empresa responde!",
    "ru": "Чайник загорелся, у ребёнка ожог, на горячую линию третий раз не дозвониться, срочно ответьте!",
    "tr": "Uçak iptal oldu, yaşlı annem ilaçsız havaalanında mahsur kaldı, kimse yardım etmiyor, acil!",
    "ja": "ケトルから火が出て子供がやけどしました。電話も繋がりません。至急連絡ください！",
    "zh": "水壶突然爆炸，孩子被烫伤了正在医院，客服打了三次没人接，请马上联系我！",
}
MILD = {
    "en": "The kettle is a bit louder than I expected, but it is okay for the price I suppose.",
    "fr": "Le repas à bord était un peu décevant, dommage.",
    "de": "Die Verpackung könnte etwas schöner sein, das Design gefällt mir nicht so.",
    "es": "La comida del vuelo, regular, esperaba algo más de variedad.",
    "it": "Il colore del bollitore è un po' diverso dalla foto.",
    "pt": "O assento do avião podia ser um pouco mais confortável.",
    "ru": "Чайник немного шумит, ожидал за эту цену чуть лучше.",
    "tr": "Koltuklar biraz dardı, daha rahat olabilirdi.",
    "ja": "思ったより少し音が大きいケトルでした。",
    "zh": "水壶颜色和图片有点不一样，一般般吧。",
}
PRAISE = {
    "en": "Thank you for the lovely flight, the crew was wonderful as always!",
    "fr": "Merci pour ce superbe service, je recommande vivement cette bouilloire !",
    "de": "Toller Flug, sehr freundliche Crew, vielen Dank!",
    "es": "¡Me encanta mi hervidor nuevo, funciona de maravilla, gracias!",
    "it": "Servizio fantastico, personale gentilissimo, grazie mille!",
    "pt": "Adorei o voo, equipe maravilhosa, muito obrigado!",
    "ru": "Отличный чайник, очень доволен покупкой, спасибо!",
    "tr": "Harika bir uçuştu, ekip çok güler yüzlüydü, teşekkürler!",
    "ja": "新しいケトル、とても使いやすくて最高です。ありがとう！",
    "zh": "云帆的水壶太好用了，质量很好，谢谢客服！",
}
HOSTILE = [
    "",
    " \n\t",
    "😡😡😡🔥",
    "x" * 100_000,
    "late " * 20_000,
    "\x00\x01\x1b[31m\x7f",
    "\ud83d lone \udc00 halves",
    "مرحبا hello 你好 привет नमस्ते こんにちは 안녕",
    "\u202e\u200b\u2066",
    "</s><s><pad><mask>",
    "@a @b @c https://t.co/x",
    "a\u0300" * 5000,
    "{{ 7*7 }} <script>alert(1)</script> '; DROP TABLE mentions;--",
    "\U0010ffff\ufffe\ue000",
    "0",
    "ﷺ" * 3000,
]


def classify(classifier: MentionClassifier, texts: Sequence[str], **more: Any) -> list[Classification]:
    return classifier.classify(
        texts,
        network_languages=more.get("tags", [None] * len(texts)),
        country_languages=more.get("spoken", [["en"]] * len(texts)),
    )


@pytest.mark.parametrize("language", URGENT)
def test_urgent_stands_above_mild_and_mild_above_praise(classifier: MentionClassifier, language: str) -> None:
    urgent, mild, praise = classify(classifier, [URGENT[language], MILD[language], PRAISE[language]])
    assert urgent.urgency_score > mild.urgency_score > praise.urgency_score
    assert urgent.urgency_probabilities[3] > max(mild.urgency_probabilities[3], praise.urgency_probabilities[3]) + 0.1
    assert urgent.complaint > praise.complaint + 0.15
    assert praise.complaint < 0.2


def test_urgent_trouble_and_mild_grumbling_are_complaints(classifier: MentionClassifier) -> None:
    found = classify(classifier, [*URGENT.values(), *MILD.values()])
    assert sum(one.complaint > 0.5 for one in found) >= 18


@pytest.mark.parametrize("language", PRAISE)
def test_praise_is_positive_and_urgent_trouble_negative(classifier: MentionClassifier, language: str) -> None:
    urgent, praise = classify(classifier, [URGENT[language], PRAISE[language]])
    assert urgent.sentiment is Sentiment.NEGATIVE
    assert praise.sentiment is Sentiment.POSITIVE
    assert praise.topic == "praise"


def test_topics_and_signals_are_told(classifier: MentionClassifier) -> None:
    lost, fire, refund = classify(
        classifier,
        [
            "Where is my parcel? It should have been delivered two weeks ago, tracking has not moved.",
            URGENT["en"],
            "Third time I write: you charged my card twice and still no refund.",
        ],
    )
    assert (lost.topic, fire.topic, refund.topic) == ("delivery", "safety", "billing")
    assert "S" in fire.signals
    assert {"M", "R"} & set(refund.signals)


def test_language_comes_with_the_scores(classifier: MentionClassifier) -> None:
    found = classify(
        classifier, [URGENT["fr"], URGENT["zh"], "ok"], tags=[None, "zh", "nl"], spoken=[["fr"], ["zh"], ["nl-BE"]]
    )
    assert [one.language for one in found] == ["fr", "zh", "nl"]


def test_a_text_alone_scores_as_in_company(classifier: MentionClassifier) -> None:
    texts = [*URGENT.values(), *MILD.values(), *HOSTILE, *PRAISE.values()]
    together = classify(classifier, texts)
    alone = [classify(classifier, [text])[0] for text in texts[::6]]
    for one, other in zip(together[::6], alone, strict=True):
        assert np.abs(np.array(flat(one)) - np.array(flat(other))).max() < 1e-4


def flat(found: Classification) -> list[float]:
    return [found.complaint, *found.urgency_probabilities, *found.sentiment_probabilities, found.topic_probability]


def test_twice_the_same_call_gives_the_same(classifier: MentionClassifier) -> None:
    texts = list(MILD.values())
    assert classify(classifier, texts) == classify(classifier, texts)


class CountingEncoder(Encoder):
    """The real encoder, which remembers what it was asked to embed."""

    def embed(self, texts: Sequence[str], batch: int = 32) -> Any:
        self.seen = list(texts)
        return super().embed(texts, batch)


@pytest.fixture(scope="module")
def heads() -> Heads:
    return load_heads()


def test_repeated_texts_cost_one_inference(checkpoint: Path, heads: Heads) -> None:
    encoder = CountingEncoder(checkpoint, 2, layers=heads.layers)
    counting = MentionClassifier(encoder, heads, LanguageIdentifier())
    found = classify(counting, ["late again", "thanks", "late again", "@bob late again", "@ann late again"])
    assert len(encoder.seen) == 3
    assert found[0] == found[2]
    assert found[3] == found[4]


def test_handles_do_not_matter(classifier: MentionClassifier) -> None:
    one, other = classify(
        classifier, ["@SkybirdAir my bag is lost https://t.co/a", "@nobody my bag is lost https://t.co/b"]
    )
    assert one == other


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_classified_like_any_other(classifier: MentionClassifier, text: str) -> None:
    found = classify(classifier, [text])[0]
    assert np.isfinite(flat(found)).all()
    assert sum(found.urgency_probabilities) == pytest.approx(1)
    assert set(found.signals) <= set(SIGNALS)


def test_hostile_texts_do_not_disturb_their_neighbours(classifier: MentionClassifier) -> None:
    found = classify(classifier, [*HOSTILE, MILD["en"]])[-1]
    assert np.allclose(flat(found), flat(classify(classifier, [MILD["en"]])[0]), atol=1e-4)


def test_nothing_is_made_of_nothing(classifier: MentionClassifier) -> None:
    assert classify(classifier, []) == []
    assert classifier.embed([]).shape[0] == 0


def test_empty_text_raises_no_alarm(classifier: MentionClassifier) -> None:
    for found in classify(classifier, ["", "   ", "@yunfan", "https://t.co/abc"]):
        assert found.urgency_probabilities[3] < 0.2
        assert not found.signals


NOTHING = [
    "",
    "   ",
    "\n\t\r\n",
    "\x00\x1b\x7f",
    "\u200b\u202e\ufeff",
    "\ud83d",
    "&nbsp; &#8203;",
    "\u2003\u3000",
    "\u200d",
]


@pytest.mark.parametrize("reasons", [False, True])
def test_where_nothing_is_said_there_is_nothing_to_answer(classifier: MentionClassifier, reasons: bool) -> None:
    texts = [NOTHING[0], MILD["en"], *NOTHING[1:], "😡"]
    found = classifier.classify(texts, reasons=reasons)
    by_text = dict(zip(texts, found, strict=True))
    for text in NOTHING:
        one = by_text[text]
        assert one.sentiment is Sentiment.NEUTRAL, text
        assert (one.topic, one.topic_probability) == ("other", 1)
        assert (one.complaint, one.urgency, one.urgency_score) == (0, 0, 0)
        assert sum(one.urgency_probabilities) == sum(one.sentiment_probabilities) == 1
        assert (one.signals, one.reasons, one.model) == ({}, (), classifier.version)
    (alone,) = classifier.classify([MILD["en"]], reasons=reasons)
    assert flat(by_text[MILD["en"]]) == pytest.approx(flat(alone), abs=1e-4)


def test_emoji_alone_say_something(classifier: MentionClassifier) -> None:
    sore, glad = classify(classifier, ["😡😡😡", "❤️🥰👏"])
    assert sore.complaint > glad.complaint > 0
    assert 0 < sore.topic_probability < 1


def test_threads_are_limited(model_cache: Path) -> None:
    import torch

    before = torch.get_num_threads()
    try:
        MentionClassifier.load(model_cache, threads=1, backend="torch")
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_version_names_the_weights(classifier: MentionClassifier) -> None:
    found = classify(classifier, ["hello"])[0]
    assert found.model == classifier.version == load_heads().version


def test_unwritable_cache_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelUnavailableError):
        MentionClassifier.load(tmp_path / "file")
