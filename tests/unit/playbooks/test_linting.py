import shutil
from pathlib import Path

import pytest

from listener.config import Voice, load_config
from listener.config.models import ContactChannel, Tone
from listener.plugins import plugin_options
from playbooks import PlaybookLibrary
from playbooks.linting import REQUIRED_LOCALES, Speaker, check, lint
from playbooks.model import NameStyle
from playbooks.personal_words import KINDS, known_languages, named_personal_data
from playbooks.registers import foreign_form, is_checked
from playbooks.skeleton import new_locale, new_playbook
from playbooks.wording import layout_faults

ROOT = Path(__file__).parents[3]

GOOD = Path(__file__).parents[2] / "fixtures" / "playbooks" / "good"
REPLIES, PHRASES, BOOK, RULES = "late-delivery/en.yaml", "_phrases/en.yaml", "late-delivery/playbook.yaml", "rules.yaml"
LATE = " is late, and"
# ruff: noqa: E501
# Name of the fault: the file, what stands there, what is put in its place, what the finding says.
WRONG = {
    "yaml": (REPLIES, "variants:", "variants: [", "not valid YAML"),
    "unknown key": (REPLIES, "  - id: a\n", "  - id: a\n    tone: warm\n", "unknown key 'tone'; allowed: id, text"),
    "unknown topic": (RULES, "delivery: ", "kwality: ", "kwality"),
    "no steps": (BOOK, "[Look the order up., Reply.]", "[]", "at least 1 item"),
    "no such span": (BOOK, "4h", "soon", "a duration is a number with a unit"),
    "another locale": (REPLIES, "locale: en", "locale: fr", "the two must agree"),
    "variant twice": (REPLIES, "id: b", "id: a", "'a' stands twice"),
    "unknown placeholder": (REPLIES, LATE, " is {{ customer }} late, and", "unknown placeholder 'customer'; allowed: greeting"),
    "unguarded product": (REPLIES, LATE, " of {{ product }} is late, and", "'product' may be empty; use it inside {% if product %}"),
    "unguarded words": (REPLIES, LATE, " {{ quoted }} is late, and", "'quoted' may be empty; use it inside {% if quoted %}"),
    "unguarded contact": (PHRASES, "Write to us{%", "Write to {{ contact }}{%", "'contact' may be empty"),
    "arithmetic": (REPLIES, LATE, " is late{{ 'a' * 1000000000 }}, and", "uses Mul, Const; only"),
    "attribute": (REPLIES, LATE, " is {{ brand.__class__ }} late, and", "uses Getattr; only"),
    "loop": (REPLIES, LATE, " is {% for c in brand %}{{ c }}{% endfor %} late, and", "For"),
    "filter": (REPLIES, LATE, " is {{ brand|upper }} late, and", "filter 'upper' is not allowed"),
    "unclosed": (REPLIES, "({{ product }}){% endif %}", "({{ product }})", "is not a valid template"),
    "too long a source": (REPLIES, LATE, " is " + "late " * 400 + "and", "at most 2000"),
    "too long for X": (REPLIES, LATE, " is " + "late " * 60 + ", and", "at most 280 fit"),
    "no hand-off for others": (PHRASES, "  default: [", "  forum: [", "'default' is missing"),
    "no hand-off for reviews": (PHRASES, "  review: [", "  forum: [", "'review' is missing"),
    "greeting without name": (PHRASES, "Hi {{ name }},", "Hi you,", "must hold {{ name }}"),
    "quotation without words": (PHRASES, "You write “{{ words }}”.", "You write so.", "must hold {{ words }}"),
    "contact without channel": (PHRASES, "at {{ channel }}{%", "here{%", "must hold {{ channel }}"),
    "foreign placeholder": (PHRASES, "Send us a DM.", "Send us a DM, {{ agent }}.", "unknown placeholder 'agent'; allowed: brand"),
    "variants alike": ("thanks/en.yaml", "how kind of you to write!", "you made our days.", "nearly the same as variant 'a'"),
    "asks for phone number": (REPLIES, LATE, " is late; post your phone number here, and", "names personal data in public (phone number"),
    "hand-off asks for order number": (PHRASES, "Send us a DM.", "Send us your order number.", "names personal data in public (order or account number"),
    "names a card": (REPLIES, LATE, " is late and your card was charged, and", "names personal data in public (card"),
    "other script": (REPLIES, "Parcels should come when they are due.", "Ваш заказ опаздывает, нам очень жаль.", "not in the script of 'en'"),
    "space before mark": (REPLIES, LATE, " is late , and", "a plain space before a punctuation mark"),
    "space only when empty": (REPLIES, "order{% if product %} ({{ product }}){% endif %} is late,", "order {% if product %}({{ product }}){% endif %}, late,", "a plain space before a punctuation mark"),
    "empty brackets": (REPLIES, "{% if product %} ({{ product }}){% endif %}", " ({% if product %}{{ product }}{% endif %})", "empty brackets"),
    "no hand-off": (REPLIES, "we're sorry. {{ handoff }} ", "we're sorry. ", "must hold {{ handoff }}"),
    "hand-off too many": ("thanks/en.yaml", "you made our day. ", "you made our day. {{ handoff }} ", "must not hold {{ handoff }}"),
    "no signature": (REPLIES, "due. {{ handoff }} {{ signature }}", "due. {{ handoff }}", "must hold {{ signature }}"),
    "link": (REPLIES, LATE, " is late, see www.example.com, and", "holds a link"),
    "shortened link": (REPLIES, LATE, " is late, see bit.ly/x, and", "holds a shortened link (bit.ly/x"),
    "direction mark": (REPLIES, LATE, " is\u200f late, and", "turns the direction of writing"),
    "invisible character": (REPLIES, LATE, " is\u200b late, and", "invisible character"),
    "too long with name": (REPLIES, LATE, " is " + "very " * 37 + "late, and", "with a name of 12 letters"),
    "too long for Google Play": (PHRASES, "  review: [\"Write to us", "  review: [\"Write to us " + "soon " * 48, "on googleplay"),
    "two hand-offs": (PHRASES, ", \"Let's go on by DM.\"", "", "needs 3 sentences"),
    "promise": (REPLIES, LATE, " is late, we guarantee it comes, and", "promises ('we guarantee')"),
    "blame": (REPLIES, LATE, " is late by your fault, and", "blames or makes light of it ('your fault')"),
    "sentence twice": ("thanks/en.yaml", "lovely to read.", "Fine. Let's find out what happened.", "does; write it anew in one of them"),
    "no private message": (REPLIES, "private: ", "# private: ", "has no private message"),
    "unreachable": (RULES, "praise: thanks", "praise: late-delivery", "is never chosen: name it in rules.yaml"),
    "half a placeholder": (REPLIES, LATE, " is { product }, late, and", "shows '{' to the customer"),
    "gap to fill in": (REPLIES, LATE, " is late, [ORDER NUMBER], and", "shows '[ORDER NUMBER]' to the customer"),
    "personal data in two parts": (REPLIES, LATE, " is late; post your phone{% if product %} {% endif %} number here, and", "phone number"),
    "unknown playbook": (RULES, "praise: thanks", "praise: thank-you", "there is no playbook 'thank-you'"),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the good library, to be changed."""
    return Path(shutil.copytree(GOOD, tmp_path / "library"))


def library_with(fault: str, folder: Path) -> Path:
    """Return the library in a folder with one thing changed."""
    file, old, new, _ = WRONG[fault]
    edit(folder / file, old, new)
    return folder


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) >= 1, f"{old!r} does not stand in {file}"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_good_library_has_no_problem() -> None:
    assert [str(problem) for problem in check(GOOD, ["en"])] == []


@pytest.mark.parametrize("fault", WRONG)
def test_a_bad_library_is_told_what_is_wrong_and_where(fault: str, folder: Path) -> None:
    problems = check(library_with(fault, folder), ["en"])
    assert problems
    assert any(WRONG[fault][3] in problem.text for problem in problems), [str(problem) for problem in problems]
    assert all(problem.line >= 1 and Path(problem.file).exists() for problem in problems)


def test_a_problem_points_at_the_sentence_in_the_file(folder: Path) -> None:
    (problem,) = check(library_with("hand-off asks for order number", folder), ["en"])
    line = Path(problem.file).read_text(encoding="utf-8").splitlines()[problem.line - 1]
    assert problem.path == "handoff.x[0]"
    assert line[problem.column - 1 :].startswith('"Send us your order number."')


def test_all_problems_of_all_files_are_reported_together(folder: Path) -> None:
    folder = library_with("arithmetic", folder)
    edit(folder / PHRASES, "Hi {{ name }},", "Hi you,")
    texts = [problem.text for problem in check(folder, ["en"])]
    assert any("Mul" in text for text in texts)
    assert any("must hold {{ name }}" in text for text in texts)


def test_a_locale_that_one_playbook_lacks_is_named(folder: Path) -> None:
    for name in ("_phrases", "thanks"):
        text = (folder / name / "en.yaml").read_text(encoding="utf-8").replace("locale: en", "locale: nl")
        (folder / name / "nl.yaml").write_text(text, encoding="utf-8")
    problems = [text for problem in check(folder, ["en", "nl"]) if "word for word" not in (text := problem.text)]
    assert problems == ["has no text in 'nl'; add late-delivery/nl.yaml"]
    (folder / "_phrases" / "nl.yaml").unlink()
    texts = [text for problem in check(folder, ["en"]) if "word for word" not in (text := problem.text)]
    assert texts == ["the phrases of 'nl' are missing, so this text is never used"]


VOICE = Voice(signature="Acme Care", never={"en": ("parcel*",), "fr": ("colis",)}, tone=Tone(exclamation_marks=0))


def test_variants_of_one_id_are_wanted_in_every_locale(folder: Path) -> None:
    for file in folder.rglob("en.yaml"):
        text = file.read_text(encoding="utf-8").replace("locale: en", "locale: nl").replace("id: b", "id: d")
        if file.parent.name != "_words":
            (file.parent / "nl.yaml").write_text(text, encoding="utf-8")
    texts = [problem.text for problem in check(folder, ["en", "nl"]) if "variant" in problem.text]
    assert texts == ["lacks variant b of en.yaml: variants of one id say the same everywhere"] * 2


def test_the_brands_own_voice_is_kept() -> None:
    texts = [problem.text for problem in check(GOOD, ["en"], voices=[VOICE])]
    assert texts == [
        "says 'Parcel', which Acme Care never does (brand.yaml)",
        "has 1 exclamation mark; the tone of Acme Care has 0 at most (brand.yaml)",
    ]


@pytest.mark.parametrize(
    ("voice", "path", "said"),
    [
        (Voice(signature="Acme bit.ly/x"), "signature", "holds a shortened link (bit.ly/x)"),
        (Voice(signature="Acme", phrase="See https://acme.example/help."), "phrase", "holds a link"),
        (Voice(signature="Acme 🌸"), "signature", "holds an emoji"),
        (Voice(signature="Acme", phrase="Hear, hear!!"), "phrase", "has 2 exclamation marks"),
        (Voice(signature="Acme", phrase="Pas cher.", never={"fr": ("pas cher",)}), "phrase", "never does"),
        (Voice(signature="Acme", phrase="Not your fault."), "phrase", "blames or makes light of it"),
        (
            Voice(signature="Acme", contacts={"NO": ContactChannel(channel="bit.ly/x")}),
            "contacts.NO.channel",
            "holds a shortened link",
        ),
    ],
)
def test_the_brands_own_lines_are_looked_at(voice: Voice, path: str, said: str) -> None:
    problems = [problem for problem in check(GOOD, ["en"], voices=[voice]) if problem.file == "brand.yaml"]
    assert [problem.path for problem in problems] == [path]
    assert said in problems[0].text


def test_a_signature_that_leaves_no_reply_is_found(folder: Path) -> None:
    edit(folder / REPLIES, LATE, " is " + "late " * 34 + "and")
    edit(folder / REPLIES, "this long", "this long" + " and longer" * 13)
    agent = "Maximilianna Alexandra of the Night Team in Oslo"
    assert check(folder, ["en"], speakers=[Speaker("Acme Care")]) == []
    (found,) = check(folder, ["en"], speakers=[Speaker("Acme Care", agent=agent, country="NO")])
    assert found.text.startswith(f"only 1 of 3 replies fit on x in NO with “— {agent}, Acme Care”")
    assert check(folder, ["en"], speakers=[Speaker("Acme", agent=agent, locales=frozenset({"nl"}))]) == []


def test_a_contact_that_leaves_no_reply_is_found_where_replies_name_it(folder: Path) -> None:
    edit(folder / REPLIES, LATE, " is " + "late " * 20 + "and")
    edit(folder / REPLIES, "this long", "this long" + " and longer" * 10)
    near, far = (Voice(signature="Acme", contacts={"NO": ContactChannel(channel="n" * size)}) for size in (30, 200))
    assert check(folder, ["en"], voices=[near]) == []
    (found,) = check(folder, ["en"], voices=[far])
    assert found.text.startswith("only 1 of 3 replies fit on googleplay with “— Acme” and its contact")


def test_an_emoji_is_a_matter_of_the_brands_tone(folder: Path) -> None:
    edit(folder / "thanks" / "en.yaml", "lovely to read.", "lovely to read 🌸")
    (problem,) = check(folder, ["en"], voices=[Voice(signature="Acme")])
    assert problem.text == "holds an emoji; the tone of Acme has none (brand.yaml)"
    assert check(folder, ["en"], voices=[Voice(signature="Acme", tone=Tone(emoji=True))]) == []


@pytest.mark.parametrize(
    ("locale", "register", "text"),
    [
        ("fr", "vous", "Écris-nous, on regarde avec toi"),
        ("fr-CA", "vous", "Envoie-nous ton message"),
        ("de", "Sie", "Schreib uns, wir helfen dir"),
        ("de-AT", "du", "Wir helfen Ihnen gern"),
        ("nl", "u", "Stuur ons je bericht"),
        ("nl-BE", "je", "Bedankt voor uw bericht"),
        ("es", "tú", "Escríbanos usted por privado"),
        ("es-MX", "usted", "Escríbenos y te ayudamos"),
        ("pt-BR", "você", "Fala connosco e vemos o teu caso"),
        ("it", "Lei", "Scrivici, ti aiutiamo"),
        ("ru", "вы", "Напиши нам, поможем тебе"),
        ("uk", "ви", "Напиши нам, допоможемо тобі"),
        ("pl", "Państwo", "Napisz do nas, pomożemy ci"),
        ("tr", "siz", "Bize yaz, sana yardım edelim"),
        ("id", "Anda", "Kirim pesan, kami bantu kamu"),
        ("hi", "आप", "हम तुम्हारी मदद करेंगे"),
        ("zh", "您", "请联系我们，我们帮你"),
        ("ja", "敬語", "確認するのでメッセージを送るのだ。"),
        ("ko", "하십시오체", "메시지를 보내 주세요."),
    ],
)
def test_mixed_registers_are_found_in_every_language(locale: str, register: str, text: str) -> None:
    assert foreign_form(text, locale, register)


def test_the_shipped_texts_keep_to_one_register_that_is_checked() -> None:
    library = PlaybookLibrary.load()
    for phrases in library.contents.phrases.values():
        assert phrases.locale.startswith("en") or is_checked(phrases.locale, phrases.register), phrases.locale


def test_missing_locales_are_named() -> None:
    library = PlaybookLibrary.load(GOOD)
    found = [problem.text for problem in lint(library)]
    for locale in set(REQUIRED_LOCALES) - {"en"}:
        assert f"the phrases of '{locale}' are missing; add _phrases/{locale}.yaml" in found


def test_a_file_beside_its_twin_is_found(folder: Path) -> None:
    for name in (REPLIES, PHRASES):
        shutil.copy(folder / name, (folder / name).with_suffix(".yml"))
    texts = [problem.text for problem in check(folder, ["en"])]
    assert texts == ["stands beside en.yaml; keep one of them, named en.yaml"] * 2


def test_texts_that_nobody_wrote_yet_are_found(folder: Path) -> None:
    new_playbook(folder, "lost-luggage", ["en"])
    texts = [problem.text for problem in check(folder, ["en"]) if "nobody wrote" in problem.text]
    assert texts == [
        "is a text that nobody wrote yet (Write reply a.)",
        "is a text that nobody wrote yet (Write reply b.)",
        "is a text that nobody wrote yet (Write reply c.)",
        "is a text that nobody wrote yet (Write what is needed and why; nothing else is asked for.)",
        "is a text that nobody wrote yet (Write when it applies, in one sentence.)",
    ]


def test_texts_copied_from_another_language_are_found(folder: Path) -> None:
    made = new_locale(PlaybookLibrary.load(folder), "sv", "en")
    problems = [problem for problem in check(folder, ["en", "sv"]) if problem.file.endswith("sv.yaml")]
    begun = [problem for problem in problems if "Begun from" in problem.text]
    assert {problem.file for problem in begun} == set(map(str, made))
    copied = [problem for problem in problems if problem.text.startswith("is word for word the text of en")]
    assert {problem.file for problem in copied} == set(map(str, made))
    new_locale(PlaybookLibrary.load(folder), "en-US", "en")
    assert not any("word for word" in problem.text for problem in check(folder, ["en"], only=["en-US"]))


def test_a_private_message_that_greets_again_is_found(folder: Path) -> None:
    edit(folder / PHRASES, 'opening: ["we', 'opening: ["Hello, we')
    (problem,) = check(folder, ["en"])
    assert problem.path == "opening[0]"
    assert "begins with a greeting" in problem.text


def test_the_shipped_library_has_no_problem() -> None:
    voices = load_config(ROOT / "config.yaml", plugin_options()).voices.values()
    assert [str(problem) for problem in check(voices=[*voices])] == []


def test_every_locale_has_words_for_every_kind_of_personal_data() -> None:
    assert {locale.split("-")[0] for locale in REQUIRED_LOCALES} == known_languages()


@pytest.mark.parametrize(
    ("locale", "text", "kind"),
    [
        ("fr", "Quel est votre numéro de commande", "order or account number"),
        ("de", "Nennen Sie uns Ihre Kundennummer", "order or account number"),
        ("nl-BE", "Bezorg ons uw gsm-nummer", "phone number"),
        ("es", "Déjanos tu dirección", "address"),
        ("pt", "Envie o número da encomenda", "order or account number"),
        ("it", "Ci scriva il suo indirizzo", "address"),
        ("pl", "Proszę podać numer zamówienia", "order or account number"),
        ("ru", "Пришлите номер заказа", "order or account number"),
        ("uk", "Надішліть номер телефону", "phone number"),
        ("tr", "Sipariş numaranızı yazın", "order or account number"),
        ("id", "Kirim nomor pesanan Anda", "order or account number"),
        ("ar", "أرسل رقم الطلب هنا", "order or account number"),
        ("hi", "अपना ऑर्डर नंबर लिखें", "order or account number"),
        ("zh", "请回复您的订单号", "order or account number"),
        ("zh-Hant", "請留下您的手機號碼", "phone number"),
        ("ja", "ご注文番号をお知らせください", "order or account number"),
        ("ko", "주문 번호를 남겨 주세요", "order or account number"),
        ("ja", "Please send your date of birth", "birth date"),
        ("en", "What is your postcode", "address"),
        ("de", "Nennen Sie uns Ihre PLZ", "address"),
        ("fr", "Où habitez-vous ?", "address"),
        ("zh", "请留下地址", "address"),
        ("pt-BR", "Qual é o CEP", "address"),
        ("it", "Quando è nato?", "birth date"),
        ("es", "Envíe su IBAN", "order or account number"),
        ("en", "Post a number we can call", "phone number"),
    ],
)
def test_requests_for_personal_data_are_found_in_every_language(locale: str, text: str, kind: str) -> None:
    assert kind in KINDS
    assert kind in [found for found, _ in named_personal_data(text, locale)]


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("fr", "Ce n’est pas normal, écrivez-nous en privé"),
        ("zh-Hant", "請到我們的官方帳號留言"),
        ("en", "We want to address this"),
        ("id", "Ini pertanyaan yang pas"),
    ],
)
def test_innocent_words_are_not_taken_for_personal_data(locale: str, text: str) -> None:
    assert named_personal_data(text, locale) == []


def test_french_no_break_space_before_marks_is_allowed() -> None:
    assert [*layout_faults("Votre commande tarde\u00a0!")] == []
    assert [*layout_faults("Votre commande tarde !")] != []


def test_the_name_style_is_first_or_full() -> None:
    library = PlaybookLibrary.load()
    styles: set[NameStyle] = {phrases.name for phrases in library.contents.phrases.values()}
    assert styles == {"first", "full"}
