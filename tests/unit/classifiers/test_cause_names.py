"""Names in plain words for groups of complaints, with the real model."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from classifiers.cause_catalogue import LANGUAGES, catalogue
from classifiers.cause_names import CauseNames, cause_name, texts_of
from classifiers.cause_space import load_cause_space
from classifiers.heads import WEIGHTS, load_heads

if TYPE_CHECKING:
    from classifiers.mentions import MentionClassifier

Array = NDArray[np.float32]

COMPLAINTS = {
    "charged_twice": [
        "You took the payment two times!",
        "Doppelt abgebucht für eine Bestellung",
        "Me han cobrado dos veces el pedido",
        "С меня дважды списали оплату",
    ],
    "luggage_lost": [
        "Where is my suitcase? It never arrived",
        "Mein Koffer ist weg, seit zwei Tagen",
        "Ma valise n'est jamais arrivée",
        "我的行李箱丢了，三天没消息",
    ],
    "food_cold": [
        "The soup was cold when it came",
        "Le repas est arrivé froid",
        "外卖到的时候都凉透了",
        "Pizza kalt geliefert",
    ],
    "stray_animals": [
        "Dogs without owners bite people in our street",
        "Sokak köpekleri yüzünden çıkamıyoruz",
        "Бродячие собаки кидаются на детей",
    ],
}


def embed(classifier: "MentionClassifier", texts: Sequence[str]) -> Array:
    """Return what is kept of posts with such texts."""
    return load_cause_space(load_heads(WEIGHTS)).place(classifier.embed(texts))


@pytest.fixture(scope="module")
def names(classifier: "MentionClassifier", model_cache: Path) -> CauseNames:
    return CauseNames.load(
        lambda texts: embed(classifier, texts), version=f"tests of places {classifier.version}", cache=model_cache
    )


@pytest.mark.parametrize("key", COMPLAINTS)
def test_a_group_in_several_languages_gets_its_name(
    names: CauseNames, classifier: "MentionClassifier", key: str
) -> None:
    texts = COMPLAINTS[key]
    centre = embed(classifier, texts).mean(axis=0)
    ranked = names.ranked(centre, {catalogue()[key].topic: len(texts)})
    assert ranked[0].key == key
    assert ranked[0].topics == 1.0
    assert names.name(centre, {catalogue()[key].topic: len(texts)}, {"en": 1}) == key


def test_a_group_that_fits_nothing_gets_no_name(names: CauseNames) -> None:
    noise = np.random.default_rng(3).normal(size=384).astype(np.float32)
    assert names.name(noise, {"other": 5}, {"en": 5}) == ""
    assert names.name(np.zeros(384, dtype=np.float32), {}, {}) == ""


def test_between_causes_of_one_kind_stands_their_broader_name(
    names: CauseNames, classifier: "MentionClassifier"
) -> None:
    texts = ["The flight was delayed for hours", "My flight was cancelled", "Flug verspätet", "Vol annulé"]
    centre = embed(classifier, texts).mean(axis=0)
    assert names.name(centre, {"booking": 4}, {"en": 4}) == "flights_disrupted"


def test_the_topic_decides_between_causes_that_fit_alike(names: CauseNames, classifier: "MentionClassifier") -> None:
    centre = embed(classifier, ["It never works"])[0]
    without = {fit.key: fit.score for fit in names.ranked(centre, {})}
    leaning = {fit.key: fit.score for fit in names.ranked(centre, {"outage": 4, "staff": 4})}
    assert leaning["app_crashes"] - without["app_crashes"] == pytest.approx(0.03)
    assert leaning["parcel_late"] == without["parcel_late"]


class Counting:
    """Embeds by the number of each letter, and counts what it is asked."""

    def __init__(self) -> None:
        self.texts = 0

    def __call__(self, texts: Sequence[str]) -> Array:
        self.texts += len(texts)
        return np.array([[text.count(letter) + 0.1 for letter in "aeionrstlm"] for text in texts], dtype=np.float32)


def test_a_restart_embeds_nothing_again_and_another_model_does(tmp_path: Path) -> None:
    embed = Counting()
    whole = len(texts_of(list(catalogue().values())))
    for version in ("one", "one", "two"):
        CauseNames.load(embed, version=version, cache=tmp_path)
    assert embed.texts == 2 * whole
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("damage", [b"", b"no numbers", b"\x93NUMPY\x01\x00"])
def test_a_damaged_cache_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    embed = Counting()
    first = CauseNames.load(embed, version="one", cache=tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage)
    again = CauseNames.load(embed, version="one", cache=tmp_path)
    centre = np.arange(10, dtype=np.float32)
    assert first.ranked(centre, {}) == again.ranked(centre, {})
    assert CauseNames.load(Counting(), version="one", cache=tmp_path).ranked(centre, {}) == first.ranked(centre, {})


def test_a_cache_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    CauseNames.load(Counting(), version="one", cache=tmp_path / "file" / "folder")


def test_names_are_said_in_the_readers_language_or_in_english() -> None:
    assert [cause_name("parcel_late", language) for language in LANGUAGES] == [
        "Parcels arrive late", "Des colis livrés en retard", "Pakete kommen zu spät", "Los paquetes llegan tarde",
        "Посылки приходят с опозданием", "包裹送达延误",
    ]  # fmt: skip
    assert cause_name("parcel_late", "fr-CA") == cause_name("parcel_late", "fr")
    assert cause_name("parcel_late", "zh_Hans") == cause_name("parcel_late", "zh")
    assert cause_name("parcel_late", "tr") == "Parcels arrive late"
    assert cause_name("flights_disrupted", "de") == "Flüge verspäten sich oder fallen aus"
    assert cause_name("no_such_cause", "en") == ""
