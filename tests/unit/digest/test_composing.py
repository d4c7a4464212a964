import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import get_args, get_type_hints

import pytest

from listener.digest.composing import compose
from listener.digest.document import (
    Cell,
    Document,
    Figure,
    Heading,
    Listing,
    Paragraph,
    Quotes,
    Section,
    Table,
)
from listener.digest.model import Advice, Causes, Coverage, Digest, Errata, Measure, Post, Scope, Trend
from listener.digest.phrases import Phrases
from listener.digest.vocabulary import ENDINGS, FIGURES, SIGNALS, TOPICS, TRENDS
from listener.digest.words import LANGUAGES, Words
from listener.model import RESOLUTIONS, WAS
from listener.model import SIGNALS as ALL_SIGNALS
from listener.model import TOPICS as ALL_TOPICS
from tests.unit.digest.builders import (
    CHINESE,
    FRENCH,
    RUSSIAN,
    advice,
    coverage,
    empty_digest,
    first_week_digest,
    full_digest,
    incident,
    irritant,
    lacking,
    row,
    share,
)

DIGESTS = {"full": full_digest, "empty": empty_digest, "first week": first_week_digest}
KEYS = (
    "spoken", "causes", "changes", "advice", "desk", "incidents", "voices", "irritants", "coverage", "details", "notes",
)  # fmt: skip
ISOLATES = "\u2066\u2067\u2068\u2069"


def page(digest: Digest, language: str = "en", *, pictures: bool = False) -> Document:
    return compose(digest, Words.of(language), pictures)


def section(document: Document, key: str) -> Section:
    return next(one for one in document.sections if one.key == key)


def cells(block: object) -> Iterator[Cell]:
    if isinstance(block, Table):
        for one in block.rows:
            yield from one
    elif isinstance(block, Listing):
        yield from block.items


def texts_of(part: Section) -> Iterator[str]:
    yield part.title
    for block in part.blocks:
        yield from (cell.text for cell in cells(block))
        yield from (cell.note for cell in cells(block))
        if isinstance(block, Paragraph | Heading):
            yield block.text
        elif isinstance(block, Table):
            yield block.caption
            yield from (f"{column.title} {column.explained}" for column in block.columns)
        elif isinstance(block, Figure):
            yield block.alt
        elif isinstance(block, Quotes):
            yield from (f"{quote.who} {quote.gloss}" for quote in block.quotes)


def texts(document: Document) -> list[str]:
    """Return all texts of a page but those that others wrote."""
    own = [document.title, document.subtitle, *document.summary, *document.footer]
    own += [text for tile in document.tiles.tiles for text in (tile.label, tile.value, tile.change, tile.explained)]
    return [*own, *(text for part in document.sections for text in texts_of(part))]


def said(document: Document, key: str) -> str:
    return "\n".join(texts_of(section(document, key)))


def figure_rows(document: Document, key: str) -> dict[str, tuple[Cell, ...]]:
    table = next(block for block in section(document, key).blocks if isinstance(block, Table))
    return {row[0].text: row for row in table.rows}


# --- every language, every kind of week ----------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", DIGESTS)
def test_a_page_is_whole_in_every_language(language: str, kind: str) -> None:
    document = page(DIGESTS[kind](), language)
    assert document.language == language
    assert tuple(one.key for one in document.sections) == KEYS
    assert 3 <= len(document.summary) <= 6
    assert len(document.tiles.tiles) == 6
    assert all(one.blocks for one in document.sections)
    assert not [text for text in texts(document) if re.search(r"[{}]|\bNone\b|\bnan\b|  ", text)]
    assert not [text for text in texts(document) if "\n" in text]


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
@pytest.mark.parametrize("kind", DIGESTS)
def test_no_english_is_left_on_a_page_in_another_language(language: str, kind: str) -> None:
    english = re.compile(r"\b(the|of|and|were|week|complaints?|mentions? of|answered|usual|with|by)\b", re.IGNORECASE)
    allowed = ("HTTP 503", "rate limit", "Western Europe", "Share of Voice")
    found = [
        text for text in texts(page(DIGESTS[kind](), language))
        if english.search(text) and not any(known in text for known in allowed)
    ]  # fmt: skip
    assert found == []


def test_the_page_says_nothing_of_advertising_value() -> None:
    assert not re.search(r"\bAVE\b|advertis\w+[ -]value|equivalent", "\n".join(texts(page(full_digest()))))


def test_the_region_is_kept_for_numbers() -> None:
    assert page(full_digest(), "de-CH").tiles.tiles[0].value == "1’248"
    assert page(full_digest(), "de-CH").language == "de-CH"


# --- the first page ------------------------------------------------------------------------------------------------


def test_the_summary_answers_in_order_each_with_its_figure_and_verdict() -> None:
    burst, spoken, complaints, hurt, answers, first = page(full_digest()).summary
    assert spoken == "1,248 mentions of Yunfan and Skybird Air (▲\u00a0+19% on the four-week mean, more than noise)."
    assert complaints == (
        "330 complaints (▲\u00a0+33% on the four-week mean, more than noise); share of all mentions: 26%; urgent: 37."
    )
    assert hurt.startswith(
        "What hurts most: Parcels arrive late (growing; 121 complaints; 37% of complaints about Yunfan; ▲\u00a0+192%"
    )
    assert answers.startswith("71 of 104 alerts that needed an answer got one: 68% (▼\u00a0−18 points")
    assert "median time to first answer: 2\u00a0h 10\u00a0min" in answers
    assert "187 negative mentions, where 32 would be usual" in burst
    assert first.startswith("To be done first: Close the alert of incident I-31")


def test_an_incident_that_is_not_over_comes_first() -> None:
    digest = replace(full_digest(), incidents=(incident("I-30"), incident("I-31", over=False)))
    assert page(digest).summary[0].startswith("1 incident is not over: Yunfan · France · Delivery · severity 3 · I-31.")


def test_missed_mentions_are_told_in_the_summary_where_there_is_room_and_beside_the_figures_always() -> None:
    quiet = replace(full_digest(), incidents=())
    assert any(
        "about 64 mentions were probably missed, so these figures are too low" in one for one in page(quiet).summary
    )
    warning = next(block for block in section(page(full_digest()), "spoken").blocks if isinstance(block, Paragraph))
    assert warning.look == "warning"
    assert "these figures are therefore too low" in warning.text


def test_tiles_show_value_denominator_change_and_definition() -> None:
    tiles = {tile.label: tile for tile in page(full_digest()).tiles.tiles}
    assert list(tiles) == [
        "Mentions",
        "Complaints",
        "Urgent complaints",
        "Net sentiment",
        "Response rate",
        "Median time to first answer",
    ]
    assert tiles["Response rate"].value == "68%"
    assert tiles["Response rate"].change == "71 of 104 · ▼\u00a0−18 points on the four-week mean, more than noise"
    assert tiles["Complaints"].tone == "bad"
    assert tiles["Mentions"].tone == "plain"
    assert tiles["Urgent complaints"].change == "≈\u00a0+31% on the four-week mean, within the usual"
    assert all(tile.explained for tile in tiles.values())


def test_what_is_to_be_done_first_is_what_stands_first_under_advice() -> None:
    for digest in (full_digest(), first_week_digest(), replace(full_digest(), advice=advice()[5:])):
        document = page(digest)
        first = next(cells(section(document, "advice").blocks[0])).text
        assert document.summary[-1] == f"To be done first: {first}"


def test_an_incident_that_is_over_is_not_told_as_lasting_while_its_alert_is_open() -> None:
    forgotten = replace(incident(), outcome="open", closed_after_s=None)
    document = page(replace(full_digest(), incidents=(forgotten,)))
    assert "so far" not in "\n".join(texts(document))
    assert document.summary[0].startswith("1 incident this week:")
    assert document.summary[0].endswith("Over since 12 Nov 2026, 20:00, its alert still open.")
    assert "Over since 12 Nov 2026, 20:00, its alert still open." in said(document, "incidents")
    assert "Close the alert of incident I-31: Yunfan, France, over since 12 Nov 2026, 20:00." in said(
        document, "advice"
    )
    lasting = page(replace(full_digest(), incidents=(incident(over=False),)))
    assert "187 negative mentions so far" in said(lasting, "advice")


def test_the_page_answers_first_and_counts_later() -> None:
    document = page(full_digest())
    for key in ("spoken", "causes", "changes", "advice"):
        assert not any(isinstance(block, Table) for block in section(document, key).blocks)


# --- figures -------------------------------------------------------------------------------------------------------


def test_every_figure_stands_beside_last_week_the_mean_and_the_verdict() -> None:
    for key in ("details", "desk"):
        for label, row_cells in figure_rows(page(full_digest()), key).items():
            _, value, last, mean, change = row_cells
            assert all(re.search(r"\d", cell.text) for cell in (value, last, mean, change)), label
            assert change.note in ("more than noise", "within the usual"), label


def test_a_share_stands_with_its_denominator() -> None:
    rows = figure_rows(page(full_digest()), "desk")
    assert rows["Response rate"][1] == Cell("68%", "71 of 104", "bad")
    assert rows["Answered in time"][1].note == "66 of 98"


def test_too_few_cases_are_no_percentage() -> None:
    table = next(block for block in section(page(full_digest()), "details").blocks if isinstance(block, Table))
    by_country = [block for block in section(page(full_digest()), "details").blocks if isinstance(block, Table)][1]
    netherlands = next(row for row in by_country.rows if row[0].text == "Netherlands")
    assert netherlands[6] == Cell("not enough data", "out of 6 cases", "quiet")
    assert table is not by_country
    assert "“Not enough data” stands where" in said(page(full_digest()), "notes")


def test_a_percentile_among_those_still_waiting_is_not_reached_and_explained() -> None:
    desk = said(page(full_digest()), "desk")
    assert "not reached" in desk
    assert "“Not reached”: so many alerts still wait" in desk
    reached = full_digest()
    reached = replace(reached, desk=replace(reached.desk, answer=reached.desk.claim, resolution=reached.desk.claim))
    assert "“Not reached”" not in said(page(reached), "desk")


def test_a_change_is_told_as_a_difference_where_a_percentage_would_rest_on_few() -> None:
    small = replace(full_digest().spoken, urgent=Measure(3, "count", last=1, mean=1.5, verdict="unknown"))
    rows = figure_rows(page(replace(full_digest(), spoken=small)), "details")
    assert rows["Urgent complaints"][4] == Cell("+2", "too little to judge by")


def test_nothing_before_is_a_dash_and_said_once() -> None:
    document = page(first_week_digest())
    assert {cell.text for row in figure_rows(document, "details").values() for cell in row[2:]} == {"–"}
    assert "This is the first week listened to" in said(document, "changes")
    assert "no four-week means yet" in said(document, "notes")
    assert "▲" not in " ".join(document.summary)


def test_every_figure_is_defined_in_the_notes() -> None:
    notes = said(page(full_digest()), "notes")
    assert all(f"{meaning.label}: {meaning.definition}" in notes for meaning in FIGURES.values())


def test_the_signs_are_explained_where_they_stand() -> None:
    document = page(full_digest())
    for key in ("desk", "details"):
        assert "▲ and ▼ mark a change that is more than noise" in said(document, key)


def test_countries_without_any_mention_are_named() -> None:
    digest = full_digest()
    heard = (row("FR", 604, 178, of_people=440, net=-21.0), row("RU", 0, 0, of_people=0))
    silent = replace(digest, spoken=replace(digest.spoken, by_country=heard))
    assert "Countries without any mention this week: Russia, Japan and Netherlands." in said(page(silent), "spoken")


def test_one_brand_without_competitors_has_no_share_of_voice() -> None:
    document = page(
        replace(full_digest(), share_of_voice=(), scope=Scope("board", ("FR",), ("yunfan",))), pictures=True
    )
    assert document.title == "Weekly digest: Yunfan"
    assert "voice_share" not in document.pictures
    assert not any(isinstance(b, Heading) and b.text == "Share of voice" for b in section(document, "details").blocks)


def test_reach_that_no_network_tells_is_not_known() -> None:
    unknown = replace(row("wechat", 77, 21, of_people=70, net=2.0), reach=Measure(0, "people", last=0, mean=0.0))
    spoken = replace(full_digest().spoken, by_network=(full_digest().spoken.by_network[0], unknown))
    tables = [b for b in section(page(replace(full_digest(), spoken=spoken)), "details").blocks if isinstance(b, Table)]
    wechat = next(one for table in tables for one in table.rows if one[0].text == "WeChat")
    assert wechat[3] == Cell("not known", tone="quiet")
    rows = figure_rows(page(replace(full_digest(), spoken=replace(spoken, reach=Measure(0, "people")))), "details")
    assert rows["Reach"][1].text == "not known"
    assert figure_rows(page(empty_digest()), "details")["Reach"][1].text == "0"


def test_no_country_is_left_out_of_a_table() -> None:
    codes = ("FR", "RU", "JP", "NL", "DE", "ES", "CN", "BE", "CH", "GB", "IT", "US", "IN", "BR", "AT")
    rows = tuple(row(code, 100 - place, 20, of_people=50, net=-4.0) for place, code in enumerate(codes))
    digest = replace(full_digest(), spoken=replace(full_digest().spoken, by_country=rows))
    assert "Austria" in said(page(digest), "details")


# --- causes --------------------------------------------------------------------------------------------------------


def test_irritants_are_named_in_the_readers_language() -> None:
    assert "Des colis livrés en retard" in said(page(full_digest(), "fr"), "causes")
    assert "包裹送达延误" in said(page(full_digest(), "zh-Hant"), "causes")


def test_an_irritant_without_a_name_is_told_by_topic_and_words() -> None:
    assert "Billing and refunds: “रिफंड”, “पैसे” and “refund”" in said(page(full_digest()), "causes")
    wordless = irritant(9, "", "steady", 15, topic="billing", words=())
    text = said(page(replace(full_digest(), causes=Causes((wordless,), 0, 20))), "causes")
    assert "\nBilling and refunds (steady; 15 complaints" in text


def test_a_name_that_the_catalogue_does_not_know_any_more_falls_back() -> None:
    forgotten = irritant(9, "long_gone", "steady", 15, topic="staff", words=("Kasse",))
    assert "Staff: “Kasse”" in said(page(replace(full_digest(), causes=Causes((forgotten,), 0, 20))), "causes")


def test_another_way_to_name_causes_can_be_given() -> None:
    document = compose(full_digest(), Words.of("fr-BE"), False, cause_name=lambda key, language: f"<{key}@{language}>")
    assert "<parcel_late@fr-BE>" in said(document, "causes")


def test_the_share_of_an_irritant_names_the_brand_whose_complaints_it_is_of() -> None:
    document = page(full_digest(), pictures=True)
    assert "37% of complaints about Yunfan" in said(document, "causes")
    assert "37% of complaints about Yunfan" in said(document, "irritants")
    assert not [text for text in texts(document) if "% of all" in text]


def test_no_share_is_said_of_fewer_complaints_than_ten() -> None:
    few = replace(full_digest().spoken, by_brand=(row("yunfan", 40, 9, of_people=30),))
    document = page(replace(full_digest(), spoken=few))
    assert "too few complaints about Yunfan for a share" in document.summary[3]
    assert "not enough data" not in document.summary[3]
    alone = replace(few, by_brand=(), complaints=Measure(9, "count"))
    one_brand = replace(full_digest(), spoken=alone, scope=Scope("", ("FR",), ("yunfan",)))
    assert "too few complaints about Yunfan for a share" in said(page(one_brand), "causes")


def test_what_there_is_nothing_to_compare_with_is_not_called_steady() -> None:
    full = full_digest()
    first, *others = full.causes.irritants
    alone = replace(first, trend="steady", mean=None, verdict="unknown")
    shown = replace(full, causes=replace(full.causes, irritants=(alone, *others)))
    told = Phrases(Words.of("en"), shown, lambda key, language: "")
    assert told.trend(alone) == "no trend yet"
    assert told.trend(replace(alone, mean=4.0)) == "steady"


def test_namesakes_are_told_apart() -> None:
    late = irritant(1, "parcel_late", "steady", 30)
    causes = (
        late,
        replace(late, id=2, brand="skybird"),
        replace(late, id=3, product="bouilloire"),
        replace(late, id=4, product="Golf", countries=(("JP", 9),)),
    )
    text = said(page(replace(full_digest(), causes=Causes(causes, 0, 200))), "causes")
    assert "Parcels arrive late · bouilloire (steady" in text
    assert "Parcels arrive late · Golf (steady" in text
    assert "Parcels arrive late · Skybird Air (steady" in text
    twins = page(replace(full_digest(), causes=Causes((late, replace(late, id=2)), 0, 200)))
    assert "Parcels arrive late · №\u00a01 (steady" in said(twins, "causes")
    assert "Parcels arrive late · №\u00a02 (steady" in said(twins, "causes")


def test_countries_that_are_not_named_are_counted() -> None:
    wide = irritant(
        1,
        "parcel_late",
        "steady",
        60,
        countries=tuple(zip(("FR", "RU", "JP", "NL", "BE", "CH"), (20, 12, 10, 8, 6, 4), strict=True)),
    )
    text = said(page(replace(full_digest(), causes=Causes((wide,), 0, 100))), "irritants")
    assert "France 20 · Russia 12 · Japan 10 · Netherlands 8 · and 2 others: 10" in text.replace("\u00a0", " ")


def test_in_the_first_week_no_irritant_is_called_new() -> None:
    document = page(first_week_digest(), pictures=True)
    assert not [text for text in texts(document) if re.search(r"\bnew\b", text) and "irritant" in text.casefold()]
    assert "Parcels arrive late (no trend yet; 121 complaints" in said(document, "causes")
    assert "Find out what is behind the greatest irritant: Parcels arrive late" in said(document, "advice")
    chart = next(b for b in section(document, "causes").blocks if isinstance(b, Figure))
    assert "Parcels arrive late 121 (last week –; no trend yet)" in chart.alt
    second = replace(first_week_digest(), advice=(Advice("irritant_new", "11", 46.0),))
    assert "one of the greatest irritants: Products break" in said(page(second), "advice")


def test_irritants_that_ended_are_told_apart() -> None:
    assert "The app crashes or hangs: none this week, 18 complaints last week." in said(
        page(full_digest()), "irritants"
    )
    assert "Irritant that ended: The app crashes or hangs" in said(page(full_digest()), "changes")


def test_posts_are_quoted_in_their_language_with_a_gloss_in_the_readers() -> None:
    quotes = next(
        block for block in section(page(full_digest(), "de"), "irritants").blocks if isinstance(block, Quotes)
    )
    assert [quote.language for quote in quotes.quotes] == ["fr", "ru", "nl"]
    assert quotes.quotes[1].text == RUSSIAN.text
    assert quotes.quotes[1].gloss == (
        "Beschwerde: Pakete kommen zu spät; Geld verloren oder Betrug; hat schon ohne Antwort geschrieben"
    )
    assert "2.310 Follower" in quotes.quotes[1].who
    assert "A-1057" in quotes.quotes[1].who


@pytest.mark.parametrize(
    ("change", "gloss"),
    [
        ({}, "Complaint: Parcels arrive late; wrote before without an answer; time-critical"),
        ({"gloss": ("delivery",)}, "Complaint: Delivery"),
        ({"gloss": ("other",)}, "Complaint"),
        ({"gloss": ()}, "Complaint"),
        ({"gloss": ("price",), "complaint": 0.2}, "Criticism: Price"),
        ({"gloss": ("praise",), "complaint": 0.0, "sentiment": "positive"}, "Praise"),
        ({"gloss": ("staff",), "complaint": 0.0, "sentiment": "positive"}, "Praise: Staff"),
        ({"gloss": ("question",), "complaint": 0.0, "sentiment": "neutral"}, "Mention: Question"),
        ({"gloss": ("other",), "complaint": 0.0, "sentiment": "neutral"}, "Mention"),
        ({"gloss": ("never_heard_of", "Z"), "complaint": 0.0, "sentiment": "neutral"}, "Mention"),
    ],
)
def test_a_gloss_says_what_a_post_is_about(change: dict[str, object], gloss: str) -> None:
    one = irritant(1, "parcel_late", "steady", 15, posts=(replace(FRENCH, **change),))  # type: ignore[arg-type]
    document = page(replace(full_digest(), causes=Causes((one,), 0, 20)))
    quotes = next(block for block in section(document, "irritants").blocks if isinstance(block, Quotes))
    assert quotes.quotes[0].gloss == gloss


@pytest.mark.parametrize("complaints", [0, 4])
def test_a_week_without_irritants_reads_naturally(complaints: int) -> None:
    document = page(replace(full_digest(), causes=Causes((), complaints, complaints)))
    expected = "No complaints resemble one another enough" if complaints else "Nobody complained this week."
    assert expected in said(document, "causes")
    assert not any("What hurts most" in one for one in document.summary)


# --- hostile texts -------------------------------------------------------------------------------------------------


def hostile_post() -> Post:
    return replace(
        CHINESE,
        text="<script>alert(1)</script>\r\n\u202eevil\u2028{count}\x1b[31m" + "長" * 3000,
        who="مهاجم\n{0.__class__}" + "x" * 500,
        url="javascript:alert(1)",
        alert="A-1\n2",
        language="",
    )


def test_quoted_posts_stay_one_line_bounded_and_without_controls() -> None:
    one = irritant(1, "parcel_late", "steady", 15, posts=(hostile_post(),), words=("\u202e\n{x}" * 50,))
    document = page(replace(full_digest(), causes=Causes((one,), 0, 20)))
    quote = next(b for b in section(document, "irritants").blocks if isinstance(b, Quotes)).quotes[0]
    assert quote.text.startswith("<script>alert(1)</script> evil {count}長")
    assert len(quote.text) <= 400
    assert quote.language == "und"
    assert quote.url is None
    assert len(quote.who) < 300
    assert quote.who.startswith("\u2068")
    assert quote.who.count("\u2068") == quote.who.count("\u2069")
    assert not re.search(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e]", quote.text + quote.who)


def test_names_that_others_chose_cannot_reorder_a_sentence() -> None:
    digest = replace(full_digest(), names={"brand:yunfan": "يونفان\u202e {brands}", "brand:skybird": "B\nC"})
    first = page(digest).summary[1]
    assert "\u2068يونفان {brands}\u2069 and B C (" in first
    assert "\u202e" not in first


def test_a_hostile_reason_of_a_source_is_bounded() -> None:
    gap = replace(coverage().unseen[0], reason="boom\n" * 1000, watch="w" * 900, source="<b>\n" * 99)
    text = said(page(replace(full_digest(), coverage=replace(coverage(), unseen=(gap,)))), "coverage")
    assert max(map(len, text.splitlines())) <= 400


# --- answers, load -------------------------------------------------------------------------------------------------


def test_people_are_listed_by_name_as_load() -> None:
    table = next(
        b for b in section(page(full_digest()), "details").blocks if isinstance(b, Table) and "load" in b.caption
    )
    assert [row[0].text for row in table.rows] == ["Camille", "Haruka", "Lotte"]
    assert table.caption == "Listed by name: load, no ranking."


def test_pilot_countries_are_named_as_left_out() -> None:
    assert "pilot that went to a trial channel alone are not counted: Netherlands." in said(page(full_digest()), "desk")
    everything = replace(full_digest(), pilot=full_digest().scope.countries)
    assert "All these countries are in pilot" in said(page(everything), "desk")


def test_a_week_without_alerts_says_only_that() -> None:
    desk = section(page(empty_digest()), "desk")
    assert [block.text for block in desk.blocks if isinstance(block, Paragraph)] == [
        "No alert was opened this week, so there was nothing to answer."
    ]
    assert not any(isinstance(block, Table) for block in desk.blocks)


# --- changes, advice -----------------------------------------------------------------------------------------------


def test_only_what_is_more_than_noise_counts_as_changed() -> None:
    changes = [cell.text for cell in cells(section(page(full_digest()), "changes").blocks[0])]
    assert any(text.startswith("Complaints: 330 (▲\u00a0+33%") for text in changes)
    assert not any(text.startswith("Urgent complaints") for text in changes)
    assert "France, Complaints: 178 (▲\u00a0+43% on the four-week mean, more than noise)" in changes
    assert "New irritant: Products break after a short time (46 complaints)" in changes


def test_a_week_like_others_says_so() -> None:
    assert "Nothing changed by more than noise." in said(page(empty_digest()), "changes")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", get_args(get_type_hints(Advice)["kind"]))
def test_every_kind_of_advice_is_a_sentence(kind: str, language: str) -> None:
    built = {one.kind: one for one in full_digest().advice}
    known = built.get(kind, Advice(kind))  # type: ignore[call-overload, arg-type]
    bare = Advice(kind, "gone")  # type: ignore[arg-type]
    for one in (known, bare):
        document = page(replace(full_digest(), advice=(one,)), language)
        sentence = [*cells(section(document, "advice").blocks[0])] or [section(document, "advice").blocks[0]]
        assert sentence[0].text.endswith((".", "。"))


def test_advice_names_what_it_rests_on() -> None:
    said_ = [cell.text for cell in cells(section(page(full_digest()), "advice").blocks[0])]
    assert "France: answer more, as only 62% of 58 alerts that needed an answer by now got one." in said_
    assert (
        "Act on a growing irritant with those who can end it: Parcels arrive late "
        "(121 complaints this week, 58 last week)." in said_
    )
    assert "Restore the watch vk-ru-yunfan: it saw nothing for 31\u00a0h, and all gaps hid about 64 mentions." in said_


# --- coverage, errata, notes ---------------------------------------------------------------------------------------


def test_coverage_says_what_was_not_seen_and_what_it_cost() -> None:
    text = said(page(full_digest()), "coverage")
    assert "12 watches listened for 96.8% of the week (last week: 100%)." in text
    assert "The figures are therefore too low for: Russia." in text
    assert "HTTP 503 from api.vk.com" in text


def test_a_cost_that_cannot_be_estimated_is_not_called_nothing() -> None:
    gap = replace(coverage().unseen[1], missed=None)
    unknown = Coverage(3, Measure(0.9, "share"), (gap,), None, 0)
    assert "cannot be estimated yet" in said(page(replace(full_digest(), coverage=unknown)), "coverage")
    cheap = Coverage(3, Measure(0.9, "share"), (replace(gap, missed=0.2),), 0.2, 0)
    assert "hardly any mention was missed" in said(page(replace(full_digest(), coverage=cheap)), "coverage")


def test_a_week_that_nothing_was_listened_to_in_says_so_before_all_else() -> None:
    deaf = Coverage(3, lacking("nothing"), (), None, 0)
    first = section(page(replace(empty_digest(), coverage=deaf)), "spoken").blocks[0]
    assert first == Paragraph("Nothing was listened to this week.", "warning")


def test_silence_is_told_apart_from_not_listening() -> None:
    assert "1 watch listened the whole week, without a gap." in page(empty_digest()).summary
    deaf = Coverage(0, lacking("nothing"), (), None, 0)
    assert "Nothing was listened to this week." in page(replace(empty_digest(), coverage=deaf)).summary


@pytest.mark.parametrize(
    ("errata", "line"),
    [
        (
            Errata("2026-W45", 1_081, 12, 1_093),
            "Correction of week 45 of 2026: its digest counted 1,081 mentions; 12 came in late; it is 1,093 now.",
        ),
        (Errata("2026-W45", 500, 0, 500), "Correction of week 45 of 2026: none, nothing came in late."),
        (
            Errata("2026-W53", None, 1, 41),
            "No digest was sent for week 53 of 2026; 1 mention of it came in later, which makes 41 in all.",
        ),
    ],
)
def test_errata_say_what_last_weeks_digest_could_not_know(errata: Errata, line: str) -> None:
    assert line in said(page(replace(full_digest(), errata=errata)), "notes")


def test_notes_say_as_of_when_and_what_is_special() -> None:
    notes = said(page(full_digest()), "notes")
    assert "Figures are as of 16 Nov 2026, 07:00 (Europe/Paris)." in notes
    assert "Public holiday: France, 11 November 2026 (Armistice 1918)." in notes
    assert "Handles of private persons are shortened" in notes
    open_names = replace(full_digest(), scope=replace(full_digest().scope, masked=False), weeks_before=2)
    assert "Handles of private persons" not in said(page(open_names), "notes")
    assert "Four-week means rest on 2 weeks" in said(page(open_names), "notes")


def test_a_week_that_is_not_over_says_so_first() -> None:
    first = section(page(first_week_digest()), "spoken").blocks[0]
    assert isinstance(first, Paragraph)
    assert first.text == "The week is not over in all countries: these figures are as of 13 Nov 2026, 13:00."


# --- vocabulary ----------------------------------------------------------------------------------------------------


def test_everything_that_the_model_knows_has_a_word() -> None:
    assert set(TOPICS) == set(ALL_TOPICS)
    assert set(SIGNALS) == set(ALL_SIGNALS)
    assert set(TRENDS) == set(get_args(Trend))
    assert set(ENDINGS) == {*RESOLUTIONS, "open", "snoozed", *(f"was:{key}" for key in WAS)}


# --- charts --------------------------------------------------------------------------------------------------------


def test_charts_are_few_and_each_has_its_place_and_its_words() -> None:
    document = page(full_digest(), pictures=True)
    figures = {b.picture: b for part in document.sections for b in part.blocks if isinstance(b, Figure)}
    assert set(figures) == set(document.pictures) == {
        "days", "causes", "answers", "hours", "voice_share", "incident-I-31",
    }  # fmt: skip
    assert document.slack_pictures == ("days", "causes", "answers")
    assert figures["days"].alt.startswith(
        "Complaints rose on Thursday. Complaints and mentions by day: Monday 34 / 141"
    )
    assert "Parcels arrive late 121 (last week 58; growing)" in figures["causes"].alt
    assert "France 56% (31 of 55)" in figures["answers"].alt
    assert "Thursday 88" in figures["hours"].alt
    assert "Kettle & Co 38%" in figures["voice_share"].alt
    assert "Most: 44, 12 Nov 2026, 10:00" in figures["incident-I-31"].alt
    assert all(picture.png.startswith(b"\x89PNG") for picture in document.pictures.values())


def test_an_empty_week_draws_nothing() -> None:
    assert not page(empty_digest(), pictures=True).pictures


def test_without_matplotlib_the_page_goes_without_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    document = page(full_digest(), pictures=True)
    assert not document.pictures
    assert document.slack_pictures == ()
    assert not any(isinstance(block, Figure) for part in document.sections for block in part.blocks)


# --- file names ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "language", "name"),
    [
        (Scope("board", ("FR",), ("yunfan",)), "fr", "digest-board-2026-W46-fr"),
        (Scope("../../etc/пароль", ("FR",), ("yunfan",)), "zh", "digest-etc-2026-W46-zh-Hans"),
        (Scope("", ("FR", "BE"), ("yunfan",)), "en", "digest-FR-BE-2026-W46-en"),
        (Scope("", ("FR", "BE", "NL", "DE"), ("yunfan",)), "en", "digest-2026-W46-en"),
        (Scope("", ("JP",), ("yunfan",), team="tokyo"), "de-CH", "digest-JP-tokyo-2026-W46-de-CH"),
    ],
)
def test_file_names_are_safe(scope: Scope, language: str, name: str) -> None:
    assert page(replace(full_digest(), scope=scope), language).file_name == name


def test_many_countries_are_counted_in_the_subtitle() -> None:
    scope = replace(full_digest().scope, countries=("FR", "BE", "NL", "DE", "ES", "RU", "CN"))
    assert page(replace(full_digest(), scope=scope)).subtitle == "9–15 November 2026 (week 46) · 7 countries"


def test_a_teams_digest_says_whose_mentions_and_whose_alerts_it_counts() -> None:
    scope = Scope("tokyo", ("JP", "CN"), ("yunfan",), team="tokyo")
    assert page(replace(full_digest(), scope=scope)).subtitle.endswith(
        "Japan and China · mentions of all these countries, alerts of Tokyo alone"
    )


def test_shares_are_those_of_the_digest() -> None:
    digest = full_digest()
    changed = replace(digest, desk=replace(digest.desk, response_rate=share(1, 3000)))
    assert figure_rows(page(changed), "desk")["Response rate"][1] == Cell("0%", "1 of 3,000", "plain")
