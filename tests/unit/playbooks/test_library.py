import re
import shutil
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from listener.errors import TemplateError
from listener.model import SIGNALS, TOPICS, Guidance, Urgency
from playbooks import GuideRequest, PlaybookLibrary
from playbooks.library import locale_chain
from playbooks.linting import REQUIRED_LOCALES
from playbooks.networks import length_rule

FIXTURES = Path(__file__).parents[2] / "fixtures" / "playbooks"
REQUEST = GuideRequest(
    topic="delivery",
    network="x",
    language="fr",
    country="FR",
    brand_name="Yunfan",
    brand_signature="Yunfan",
    agent="Léa",
    author_name="Camille Martin",
    handle="cam_m",
    author_id="123",
    post_id="99",
    post_url="https://x.com/cam_m/status/99",
    text="Toujours pas de Bouilloire K2 !",
    products=("Bouilloire K2",),
    place="Lyon",
    seed="99",
)


@pytest.fixture(scope="module")
def library() -> PlaybookLibrary:
    return PlaybookLibrary.load()


def test_a_guide_has_steps_drafts_and_both_links(library: PlaybookLibrary) -> None:
    guidance = library.guide(REQUEST)
    assert guidance.playbook == "late-delivery"
    assert len(guidance.steps) >= 3
    assert guidance.never
    assert len(guidance.drafts) == 2
    for draft in guidance.drafts:
        assert draft.text.startswith("Bonjour Camille, ")
        assert draft.text.endswith("— Léa, Yunfan")
        assert "Bouilloire K2" in draft.text
        assert (draft.locale, draft.limit, draft.note) == ("fr", 280, "")
        assert draft.length == length_rule("x").count(draft.text) <= 280
    assert guidance.handoff.url is not None
    assert guidance.handoff.url.startswith("https://x.com/messages/compose?recipient_id=123&text=Bonjour%20Camille")
    assert guidance.reply_url is not None
    assert guidance.reply_url.startswith("https://x.com/intent/tweet?in_reply_to=99&text=Bonjour%20Camille")


def test_the_same_request_gives_the_same_guidance(library: PlaybookLibrary) -> None:
    assert library.guide(REQUEST) == library.guide(replace(REQUEST)) == PlaybookLibrary.load().guide(REQUEST)


def test_seeds_spread_the_first_draft_over_the_variants(library: PlaybookLibrary) -> None:
    first = {library.guide(replace(REQUEST, seed=str(seed))).drafts[0].variant for seed in range(20)}
    assert first == {"late-delivery/fr/a", "late-delivery/fr/b"}


def test_a_variant_already_used_in_the_thread_comes_last(library: PlaybookLibrary) -> None:
    before = library.guide(REQUEST).drafts
    after = library.guide(replace(REQUEST, seen_variants=[before[0].variant])).drafts
    assert [draft.variant for draft in after] == [before[1].variant, before[0].variant]


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_has_a_playbook_that_names_it(library: PlaybookLibrary, topic: str) -> None:
    chosen = library.choose(replace(REQUEST, topic=topic))
    assert topic in chosen.topics


@pytest.mark.parametrize("topic", TOPICS)
def test_a_safety_signal_outranks_every_topic(library: PlaybookLibrary, topic: str) -> None:
    assert library.choose(replace(REQUEST, topic=topic, signals={"S": 0.9, "T": 0.6})).id == "safety"


def test_a_country_may_choose_another_playbook_for_a_topic_but_not_against_safety(library: PlaybookLibrary) -> None:
    chosen = replace(REQUEST, topic="delivery", playbook_by_topic={"delivery": "booking"})
    assert library.choose(chosen).id == "booking"
    assert library.choose(replace(chosen, signals=["S"])).id == "safety"
    assert library.choose(replace(REQUEST, playbook_by_topic={"delivery": "no-such"})).id == "late-delivery"


def test_a_playbook_for_urgent_cases_waits_for_urgency(tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / "good", tmp_path / "library")
    book = tmp_path / "library" / "late-delivery" / "playbook.yaml"
    shutil.copytree(book.parent, tmp_path / "library" / "very-late")
    urgent = book.read_text(encoding="utf-8").replace("priority: 10", "priority: 50\nurgency_min: 3")
    (tmp_path / "library" / "very-late" / "playbook.yaml").write_text(urgent, encoding="utf-8")
    library = PlaybookLibrary.load(tmp_path / "library")
    assert library.choose(REQUEST).id == "late-delivery"
    assert library.choose(replace(REQUEST, urgency=Urgency.HIGH)).id == "very-late"


@pytest.mark.parametrize("urgency", Urgency)
@pytest.mark.parametrize("topic", TOPICS)
def test_no_post_is_given_the_playbook_for_crises(library: PlaybookLibrary, topic: str, urgency: Urgency) -> None:
    for signals in ((), *SIGNALS, tuple(SIGNALS)):
        assert library.choose(replace(REQUEST, topic=topic, urgency=urgency, signals=signals)).id != "crisis"


@pytest.mark.parametrize("locale", REQUIRED_LOCALES)
def test_the_statement_of_a_crisis_speaks_to_everybody_and_names_no_time_or_figure(
    library: PlaybookLibrary, locale: str
) -> None:
    drafts = guided(library, language=locale, playbook_by_topic={"delivery": "crisis"}, team_languages=("en",)).drafts
    assert [draft.variant.split("/")[:2] for draft in drafts] == [["crisis", locale]] * 2
    for draft in drafts:
        assert "Camille" not in draft.text
        assert "Bouilloire" not in draft.text
        assert not re.search(r"\d", draft.text)
        assert bool(draft.gloss) == (locale != "en")


@pytest.mark.parametrize(("locale", "topic"), list(product(REQUIRED_LOCALES, ("safety", "delivery", "praise"))))
def test_every_locale_answers_in_its_own_language(library: PlaybookLibrary, locale: str, topic: str) -> None:
    request = replace(REQUEST, language=locale, country="XX", topic=topic, author_name="Мария 🌸")
    drafts = library.guide(request).drafts
    assert len(drafts) >= 2
    assert {(draft.locale, draft.note) for draft in drafts} == {(locale, "")}
    assert len({draft.text for draft in drafts}) == len(drafts)


@pytest.mark.parametrize("locale", REQUIRED_LOCALES)
def test_every_playbook_gives_two_drafts_that_fit_x_with_name_product_and_place(
    library: PlaybookLibrary, locale: str
) -> None:
    for topic in TOPICS:
        drafts = library.guide(replace(REQUEST, topic=topic, language=locale, country="XX")).drafts
        assert len(drafts) >= 2, topic
        assert all(draft.length <= 280 for draft in drafts)


@pytest.mark.parametrize(
    ("language", "country", "chosen", "chain"),
    [
        ("nl", "BE", {"nl": ["nl-BE", "en"]}, ["nl-BE", "en"]),
        ("nl", "BE", {}, ["nl-BE", "nl"]),
        ("pt-BR", "PT", {}, ["pt-PT", "pt-BR", "pt"]),
        ("zh-Hant", "CN", {}, ["zh-Hant-CN", "zh-Hant"]),
        ("zh-TW", "GB", {}, ["zh-Hant-GB", "zh-Hant"]),
        ("zh", "TW", {}, ["zh-Hant-TW", "zh-Hant", "zh"]),
        ("zh", "CN", {}, ["zh-CN", "zh"]),
        ("fr-CA", "BE", {"fr": ["fr"]}, ["fr"]),
    ],
)
def test_the_countrys_chain_comes_first_then_language_with_country(
    language: str, country: str, chosen: dict[str, list[str]], chain: list[str]
) -> None:
    assert locale_chain(language, country, chosen) == chain


def without(locale: str, tmp_path: Path) -> PlaybookLibrary:
    folder = tmp_path / "library"
    source = PlaybookLibrary.load().contents.folder
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns(f"{locale}.yaml"))
    return PlaybookLibrary.load(folder)


def test_dutch_in_belgium_goes_to_english_and_never_to_the_dutch_of_the_netherlands(tmp_path: Path) -> None:
    library = without("nl-BE", tmp_path)
    request = replace(REQUEST, language="nl", country="BE", country_locales={"nl": ["nl-BE", "en"]})
    for draft in library.guide(request).drafts:
        assert draft.locale == "en"
        assert draft.note == "No Dutch text for BE in the library: this draft is in English"


def test_dutch_in_belgium_is_flemish_where_the_library_has_it(library: PlaybookLibrary) -> None:
    request = replace(REQUEST, language="nl", country="BE", country_locales={"nl": ["nl-BE", "en"]})
    assert {(draft.locale, draft.note) for draft in library.guide(request).drafts} == {("nl-BE", "")}


@pytest.mark.parametrize(
    ("language", "note"),
    [
        ("sv", "No sv text in the library: this draft is in English"),
        ("und", "The post's language is not known: this draft is in English"),
        ("", "The post's language is not known: this draft is in English"),
        ("en-IN", ""),
    ],
)
def test_a_language_the_library_lacks_gets_english_and_a_note(
    library: PlaybookLibrary, language: str, note: str
) -> None:
    drafts = library.guide(replace(REQUEST, language=language)).drafts
    assert len(drafts) >= 2
    assert {(draft.locale, draft.note) for draft in drafts} == {("en", note)}


def test_a_chain_through_another_language_says_so(library: PlaybookLibrary) -> None:
    request = replace(REQUEST, language="uk", country_locales={"uk": ["pl"]})
    assert library.guide(request).drafts[0].note == "No Ukrainian text for FR in the library: this draft is in Polish"
    assert library.guide(request).drafts[0].locale == "pl"


def test_a_long_draft_gives_up_product_then_place_then_name(library: PlaybookLibrary) -> None:
    request = replace(REQUEST, topic="outage", language="es", agent="", author_name="Anna Nowak")
    long_product = "K" * 75
    named = replace(request, text=long_product, products=(long_product,))
    everything = " ".join(draft.text for draft in library.guide(replace(named, network="vk", place="Gijón")).drafts)
    assert all(part in everything for part in (long_product, "Gijón", "Anna"))
    for draft in library.guide(replace(named, place="Gijón")).drafts:
        assert draft.length <= 280
        assert long_product not in draft.text
        assert "Anna" in draft.text
    for draft in library.guide(replace(request, place="Gijón", agent="W" * 20)).drafts:
        assert draft.length <= 280


def test_a_draft_that_cannot_fit_is_not_offered(library: PlaybookLibrary) -> None:
    assert library.guide(replace(REQUEST, agent="W" * 80, brand_signature="W" * 80)).drafts == ()


def test_hostile_values_stay_data(library: PlaybookLibrary) -> None:
    request = replace(
        REQUEST,
        network="vk",
        topic="outage",
        author_name="{{ brand }}",
        place="\u202eA{% for x in brand %}\n{{ 7*7 }}",
        agent="{{ brand }}",
        links={"user_id": "x/../../evil", "owner_id": "1/2", "post_id": "3"},
        brand_account="x/../../evil",
        author_id="1 or 1",
        post_url="javascript:alert(1)",
    )
    guidance = library.guide(request)
    text = " ".join(draft.text for draft in guidance.drafts)
    assert "{%" not in text
    assert "— {{ brand }}, Yunfan" in text
    assert "49" not in text
    assert "\u202e" not in text
    assert "\n" not in text
    assert guidance.handoff.url is None
    assert guidance.reply_url is None


def guided(library: PlaybookLibrary, **changes: Any) -> Guidance:
    return library.guide(replace(REQUEST, country="XX", **changes))


# The words of each language for a product and for its use, as a reply about safety would put them.
PRODUCT_WORDS = {
    "en": r"product|\bus(?:e|ing)\b|unused|appliance",
    "fr": r"produit|utilis|appareil|en cause",
    "ru": r"товар|продукт|пользу|прибор|отложите",
    "zh": r"产品|使用|停用|商品",
    "de": r"produkt|nutzen|unbenutzt|auslöser|gerät",
    "id": r"produk|paka?i|gunakan",
    "tr": r"ürün|kullan",
    "pl": r"produkt|używa|odstawi",
    "pt": r"produto|\buse\b|utiliz|aparelho",
    "es": r"producto|\buses\b|\busar\b|aparato",
    "uk": r"товар|продукт|користу|відкладіть",
    "ar": r"المنتج|استخدام|استعمال",
    "nl": r"product|gebruik|ongebruikt|veroorzaakte",
    "ja": r"製品|商品|使用",
    "it": r"prodotto|\busi\b|utilizz|apparecchio",
    "hi": r"उत्पाद|इस्तेमाल|अलग रख",
    "ko": r"제품|사용",
    "zh-Hant": r"產品|使用|停用|商品",
    "nl-BE": r"product|gebruik|ongebruikt|veroorzaakte",
}


@pytest.mark.parametrize("locale", REQUIRED_LOCALES)
def test_a_safety_reply_speaks_of_a_product_only_where_the_post_names_one(
    library: PlaybookLibrary, locale: str
) -> None:
    words = re.compile(PRODUCT_WORDS[locale], re.IGNORECASE)
    for draft in guided(library, topic="safety", language=locale, text="smoke everywhere").drafts:
        assert not words.search(draft.text), draft.text
    for seed in "12":
        named = guided(library, topic="safety", language=locale, text="K2 smokes", products=("K2",), seed=seed)
        for draft in named.drafts:
            assert "K2" in draft.text
        assert any(words.search(draft.text) for draft in named.drafts)


@pytest.mark.parametrize("locale", REQUIRED_LOCALES)
def test_the_private_message_greets_once_and_full_width_marks_take_no_space(
    library: PlaybookLibrary, locale: str
) -> None:
    url = guided(library, language=locale, author_name="").handoff.url
    assert url is not None
    text = parse_qs(urlsplit(url).query)["text"][0]
    greeting = library.contents.phrases[locale].greeting_unnamed
    assert text.startswith(greeting)
    rest = text.removeprefix(greeting)
    assert rest.startswith(" ") != greeting.endswith(("，", "。"))
    assert re.findall(r"\w+", rest)[0].casefold() != re.findall(r"\w+", greeting)[0].casefold()
    assert f" {REQUEST.post_url} " in text


def test_a_place_of_several_parts_is_cut_in_the_reply(library: PlaybookLibrary) -> None:
    drafts = guided(library, topic="outage", language="es", place="Madrid, España").drafts
    assert all(" en Madrid" in draft.text and "España" not in draft.text for draft in drafts)


def test_the_formal_greeting_takes_a_whole_name_or_none(library: PlaybookLibrary) -> None:
    for name, greeting in (
        ("Beat Zimmermann", "Guten Tag Beat Zimmermann, "),
        ("Beat Z", "Guten Tag, "),
        ("Dr. Müller", "Guten Tag, "),
        ("Beat", "Guten Tag, "),
    ):
        for draft in guided(library, language="de", author_name=name).drafts:
            assert draft.text.startswith(greeting)


def test_the_name_of_an_exported_chat_is_not_taken_for_a_place(library: PlaybookLibrary) -> None:
    request = replace(REQUEST, topic="outage", network="wechat", language="zh", country="CN", place="云帆售后群")
    assert "云帆售后群" in " ".join(draft.text for draft in library.guide(request).drafts)
    inside = replace(request, links={"chat": "云帆售后群"})
    assert "云帆售后群" not in " ".join(draft.text for draft in library.guide(inside).drafts)


def test_without_an_agent_the_brand_alone_signs(library: PlaybookLibrary) -> None:
    assert library.guide(replace(REQUEST, agent="")).drafts[0].text.endswith("— Yunfan")


def test_the_handoff_sentence_is_the_networks_own(library: PlaybookLibrary) -> None:
    for network, words in (
        ("x", "message privé"),
        ("vk", "communauté"),
        ("wechat", "compte officiel"),
        ("forum", "privé"),
    ):
        assert all(words in draft.text for draft in library.guide(replace(REQUEST, network=network)).drafts)


def test_a_folder_without_playbooks_does_not_load(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="there is no playbook"):
        PlaybookLibrary.load(tmp_path)
    with pytest.raises(TemplateError, match="cannot be read as a folder"):
        PlaybookLibrary.load(tmp_path / "missing")


def test_the_library_tells_its_playbooks_and_locales(library: PlaybookLibrary) -> None:
    assert "late-delivery" in library.names
    assert set(REQUIRED_LOCALES) <= set(library.locales)


def test_a_draft_that_the_team_does_not_read_has_a_gloss_in_its_language(library: PlaybookLibrary) -> None:
    drafts = library.guide(replace(REQUEST, language="ja", country="JP", team_languages=("nl", "fr"))).drafts
    assert drafts
    for draft in drafts:
        assert draft.locale == "ja"
        assert draft.gloss_language == "Dutch"
        assert draft.gloss
        variant = draft.variant.rsplit("/", 1)[1]
        assert variant in {"a", "b"}
    assert len({draft.gloss for draft in drafts}) == len(drafts)


def test_a_draft_that_the_team_reads_needs_no_gloss(library: PlaybookLibrary) -> None:
    for languages in (("ja", "en"), ("en", "ja"), ()):
        drafts = library.guide(replace(REQUEST, language="ja", country="JP", team_languages=languages)).drafts
        assert {draft.gloss for draft in drafts} == {""}


def test_every_variant_has_its_twin_in_every_locale(library: PlaybookLibrary) -> None:
    names: dict[str, set[tuple[str, ...]]] = {}
    for (playbook, _), templates in library.contents.templates.items():
        names.setdefault(playbook, set()).add(tuple(sorted(template.id for template in templates)))
    assert all(len(found) == 1 for found in names.values())
