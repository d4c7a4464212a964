import re
import shutil
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from listener.config import Hours
from listener.errors import TemplateError
from listener.model import SIGNALS, TOPICS, Guidance, Urgency
from playbooks import GuideRequest, PlaybookLibrary
from playbooks.linting import REQUIRED_LOCALES
from playbooks.locales import locale_chain
from playbooks.model import Contact
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
    assert len(guidance.drafts) == 3
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
    assert first == {"late-delivery/fr/a", "late-delivery/fr/b", "late-delivery/fr/c"}


def test_a_variant_that_somebody_saw_comes_last(library: PlaybookLibrary) -> None:
    first, second, third = (draft.variant for draft in library.guide(REQUEST).drafts)
    assert offered(library, seen_variants=[first]) == [second, third, first]
    assert offered(library, seen_variants=[first, second, first]) == [third, second, first]


def test_the_order_in_which_drafts_were_offered_first_stays_until_one_is_sent(library: PlaybookLibrary) -> None:
    first, second, third = (draft.variant for draft in library.guide(REQUEST).drafts)
    order = [third, first, second]
    assert offered(library, offered_variants=order, seen_variants=[third, third]) == order
    assert offered(library, offered_variants=order, sent_variants=[third]) == [first, second, third]
    assert offered(library, offered_variants=["thanks/fr/a"]) == [first, second, third]


def test_what_was_offered_of_another_playbook_does_not_hide_what_the_thread_saw(library: PlaybookLibrary) -> None:
    first, second, third = (draft.variant for draft in library.guide(REQUEST).drafts)
    before = ["safety/fr/a", "safety/fr/b", "safety/fr/c"]
    assert offered(library, offered_variants=before) == [first, second, third]
    assert offered(library, offered_variants=before, thread_variants=[first]) == [second, third, first]
    assert offered(library, offered_variants=before, seen_variants=[first, second]) == [third, first, second]
    assert offered(library, offered_variants=[*before, third], thread_variants=[third])[0] == third


def test_two_people_who_read_different_variants_read_no_sentence_twice(library: PlaybookLibrary) -> None:
    for name in library.for_posts:
        drafts = library.guide(replace(REQUEST, playbook=name, author_name="", agent="")).drafts
        sentences = [
            {part for part in re.split(r"(?<=[.!?])\s+", draft.text) if len(part) > 15 and "Yunfan" not in part}
            for draft in drafts
        ]
        for one, other in ((0, 1), (0, 2), (1, 2)):
            assert not sentences[one] & sentences[other], name


def offered(library: PlaybookLibrary, **facts: Any) -> list[str]:
    return [draft.variant for draft in library.guide(replace(REQUEST, **facts)).drafts]


def test_the_customers_own_words_are_quoted_where_the_post_has_such_a_clause(library: PlaybookLibrary) -> None:
    told = replace(REQUEST, network="vk", text="Bonjour, mon colis est perdu depuis lundi ! Merci", words=["perdu"])
    assert any("mon colis est perdu depuis lundi" in draft.text for draft in library.guide(told).drafts)
    for signal in "SVI":
        signalled = replace(told, signals=[signal], playbook="late-delivery")
        assert not any("perdu depuis" in draft.text for draft in library.guide(signalled).drafts)
    foreign = replace(told, language="sv")
    assert not any("perdu depuis" in draft.text for draft in library.guide(foreign).drafts)


def test_the_private_message_asks_for_the_least_and_names_the_contact(library: PlaybookLibrary) -> None:
    week = Hours.parse({"mon-fri": "09:00-18:00"})
    text = library.guide(replace(REQUEST, contact=Contact("care@acme.example", week))).private_text
    assert text.startswith("Bonjour Camille, ")
    assert "numéro de commande" in text
    assert "care@acme.example" in text
    assert "lun.–ven. 09:00–18:00" in text
    assert text.endswith("— Léa, Yunfan")
    assert "@" not in library.guide(REQUEST).private_text


def test_the_private_message_names_the_post_after_its_opening_unless_it_answers_it(library: PlaybookLibrary) -> None:
    address = str(REQUEST.post_url)
    for language in ("fr", "ja", "ar"):
        named = replace(REQUEST, language=language, contact=Contact("care@acme.example"))
        text = library.guide(named).private_text
        before, after = text.split(f" {address} ")
        assert before
        assert "care@acme.example" in after
        for network in ("facebook", "instagram", "whatsapp"):
            shorter = library.guide(replace(named, network=network)).private_text
            assert address not in shorter
            assert shorter.startswith(before)


def test_where_there_is_no_private_channel_the_reply_names_the_contact(library: PlaybookLibrary) -> None:
    review = replace(REQUEST, network="googleplay", contact=Contact("care@acme.example"))
    for draft in library.guide(review).drafts:
        assert "care@acme.example" in draft.text
        assert draft.length <= 350
    for draft in library.guide(replace(review, contact=Contact())).drafts:
        assert "@" not in draft.text
        assert "message privé" not in draft.text


def test_where_the_private_channel_is_not_known_the_reply_names_the_contact(library: PlaybookLibrary) -> None:
    forum = replace(REQUEST, network="forum", contact=Contact("care@acme.example"))
    guidance = library.guide(forum)
    assert "names the brand's contact" in guidance.handoff.steps
    assert all("care@acme.example" in draft.text for draft in guidance.drafts)
    assert any("privé" in draft.text for draft in library.guide(replace(forum, contact=Contact())).drafts)
    assert not any("@" in draft.text for draft in library.guide(replace(forum, network="facebook")).drafts)


def test_a_playbook_says_all_that_a_team_needs(library: PlaybookLibrary) -> None:
    for name in library.names:
        book = library.contents.playbooks[name]
        guidance = library.guide(replace(REQUEST, playbook=name))
        assert guidance.playbook == name
        assert all((guidance.title, guidance.tell, guidance.steps, guidance.never, guidance.close))
        assert guidance.promise or guidance.best_unanswered
        assert guidance.answer_within in {"30 min", "1 h", "2 h", "4 h", "1 day"}
        assert bool(guidance.moved) == book.hands_off
        assert guidance.best_unanswered == (name == "trolling")
        assert guidance.private_text


@pytest.mark.parametrize(
    ("seconds", "text"), [(20, "1 min"), (60, "1 min"), (5400, "90 min"), (7200, "2 h"), (172800, "2 days")]
)
def test_how_soon_is_said_shortly(library: PlaybookLibrary, seconds: float, text: str) -> None:
    book = library.contents.playbooks["price"]
    contents = replace(library.contents, playbooks={"price": replace(book, answer_within_s=seconds)})
    assert PlaybookLibrary(contents).guide(replace(REQUEST, playbook="price")).answer_within == text


@pytest.mark.parametrize("urgency", Urgency)
@pytest.mark.parametrize("topic", TOPICS)
def test_no_post_is_given_the_playbook_for_crises(library: PlaybookLibrary, topic: str, urgency: Urgency) -> None:
    for signals in ((), *SIGNALS, tuple(SIGNALS)):
        assert library.choose(replace(REQUEST, topic=topic, urgency=urgency, signals=signals)).id != "crisis"


@pytest.mark.parametrize("locale", REQUIRED_LOCALES)
def test_the_statement_of_a_crisis_speaks_to_everybody_and_names_no_time_or_figure(
    library: PlaybookLibrary, locale: str
) -> None:
    drafts = guided(library, language=locale, playbook="crisis", team_languages=("en",)).drafts
    assert [draft.variant.split("/")[:2] for draft in drafts] == [["crisis", locale]] * 3
    for draft in drafts:
        assert "Camille" not in draft.text
        assert "Bouilloire" not in draft.text
        assert not re.search(r"\d", draft.text)
        assert bool(draft.gloss) == (not locale.startswith("en"))


@pytest.mark.parametrize(("locale", "topic"), list(product(REQUIRED_LOCALES, ("safety", "delivery", "praise"))))
def test_every_locale_answers_in_its_own_language(library: PlaybookLibrary, locale: str, topic: str) -> None:
    request = replace(REQUEST, language=locale, country="XX", topic=topic, author_name="Мария 🌸")
    drafts = library.guide(request).drafts
    assert len(drafts) >= 2
    assert {(draft.locale, draft.note) for draft in drafts} == {(locale, "")}
    assert len({draft.text for draft in drafts}) == len(drafts)


@pytest.mark.parametrize("locale", REQUIRED_LOCALES)
def test_every_playbook_gives_three_drafts_that_fit_x_with_name_product_and_place(
    library: PlaybookLibrary, locale: str
) -> None:
    for name in library.names:
        drafts = library.guide(replace(REQUEST, playbook=name, language=locale, country="XX")).drafts
        assert len(drafts) == 3, name
        assert all(draft.length <= 280 for draft in drafts)


@pytest.mark.parametrize(
    ("language", "country", "chosen", "chain"),
    [
        ("nl", "BE", {"nl": ["nl-BE", "en"]}, ["nl-BE", "en"]),
        ("nl", "BE", {}, ["nl-BE", "nl"]),
        ("pt-BR", "PT", {}, ["pt-PT", "pt-BR", "pt"]),
        ("zh-Hant", "CN", {}, ["zh-Hant"]),
        ("zh-Hant", "HK", {}, ["zh-HK", "zh-Hant"]),
        ("zh-TW", "GB", {}, ["zh-TW", "zh-Hant"]),
        ("zh", "TW", {}, ["zh-TW", "zh-Hant", "zh"]),
        ("zh-Hans", "HK", {}, ["zh"]),
        ("zh", "CN", {}, ["zh-CN", "zh"]),
        ("zh-Hans-HK", "HK", {}, ["zh"]),
        ("zh-Hans-HK", "GB", {}, ["zh-GB", "zh"]),
        ("zh-Hant-SG", "SG", {}, ["zh-Hant"]),
        ("zh-Hant-CN", "TW", {}, ["zh-TW", "zh-Hant"]),
        ("zh_hant_hk", "GB", {}, ["zh-HK", "zh-Hant"]),
        ("cmn-Hant", "TW", {}, ["zh-TW", "zh-Hant"]),
        ("yue", "GB", {}, ["zh-HK", "zh-Hant"]),
        ("yue-Hans", "CN", {}, ["zh-CN", "zh"]),
        ("pt_BR", "XX", {}, ["pt-XX", "pt-BR", "pt"]),
        ("PT", "PT", {}, ["pt-PT", "pt"]),
        ("iw", "IL", {}, ["he-IL", "he"]),
        ("in", "ID", {}, ["id-ID", "id"]),
        ("in", "ID", {"id": ["en"]}, ["en"]),
        ("zh-Hant-HK", "GB", {"zh-Hant": ["zh-TW"]}, ["zh-TW"]),
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


@pytest.mark.parametrize(
    ("facts", "note"),
    [
        (
            {"language": "zh-Hans", "country": "TW", "country_locales": {"zh": ["zh-TW"]}},
            "No simplified Chinese text for TW in the library: this draft is in traditional Chinese",
        ),
        ({"language": "zh-Hans-HK", "country": "HK"}, ""),
        ({"language": "zh_Hant_SG", "country": "SG"}, ""),
        ({"language": "yue", "country": "GB"}, ""),
        ({"language": "zh", "country": "TW"}, ""),
        (
            {"language": "hi-Latn", "country": "IN"},
            "No Hindi in Latin script text in the library: this draft is in Hindi in Devanagari script",
        ),
        ({"language": "en_GB", "country": "GB"}, ""),
        ({"language": "PT", "country": "PT"}, ""),
    ],
)
def test_a_draft_in_another_script_says_so(library: PlaybookLibrary, facts: dict[str, Any], note: str) -> None:
    drafts = library.guide(replace(REQUEST, **facts)).drafts
    assert {draft.note for draft in drafts} == {note}


def test_a_long_draft_gives_up_product_then_place_then_name(library: PlaybookLibrary) -> None:
    request = replace(REQUEST, language="es", agent="", author_name="Anna Nowak")
    long_product = "K" * 75
    named = replace(request, text=long_product, products=(long_product,))
    everything = " ".join(draft.text for draft in library.guide(replace(named, network="vk")).drafts)
    assert all(part in everything for part in (long_product, "Anna"))
    drafts = library.guide(replace(named, agent="W" * 25)).drafts
    assert not all(long_product in draft.text for draft in drafts)
    assert all(draft.length <= 280 and "Anna" in draft.text for draft in drafts)
    down = replace(request, topic="outage", place="Gijón")
    assert "Gijón" in " ".join(draft.text for draft in library.guide(replace(down, network="vk")).drafts)
    for draft in library.guide(replace(down, agent="W" * 20)).drafts:
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
    language = locale if locale in PRODUCT_WORDS else locale.split("-")[0]
    words = re.compile(PRODUCT_WORDS["zh-Hant" if locale in ("zh-TW", "zh-HK") else language], re.IGNORECASE)
    chosen = {"topic": "safety", "network": "vk", "language": locale, "country_locales": {locale: [locale]}}
    for draft in guided(library, **chosen, text="smoke everywhere").drafts:
        assert not words.search(draft.text), draft.text
    for seed in "12":
        named = guided(library, **chosen, text="K2 smokes", products=("K2",), seed=seed)
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
    assert any("Madrid" in draft.text for draft in drafts)
    assert not any("España" in draft.text for draft in drafts)


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
        ("x", "message privé|en MP"),
        ("vk", "communauté"),
        ("wechat", "compte officiel"),
        ("forum", "privé"),
    ):
        assert all(re.search(words, draft.text) for draft in library.guide(replace(REQUEST, network=network)).drafts)


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
        assert variant in {"a", "b", "c"}
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
