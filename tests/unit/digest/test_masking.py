"""What of a post may be read in a digest by those who did not answer it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.digest.masking import ADDRESS, MAIL, NUMBER, PHONE, PUBLIC_FOLLOWERS, is_public, mask, shortened

GONE = [
    ("GB", "Call me on 0171 1234567 or +44 20 7946 0958", f"Call me on {PHONE} or {PHONE}"),
    ("US", "my cell: (415) 555-2671!", f"my cell: {PHONE}!"),
    ("DE", "Mein Handy 0171/1234567, Kd.-Nr. 123456", f"Mein Handy {PHONE}, Kd.-Nr. {NUMBER}"),
    ("DE", "0 8 0 0 1 2 3 4 5 6", PHONE),
    ("FR", "06.12.34.56.78 rappelez moi", f"{PHONE} rappelez moi"),
    ("FR", "Rappelez-moi au 06 12 34 56 78 svp", f"Rappelez-moi au {PHONE} svp"),
    ("ES", "600 123 456", PHONE),
    ("SA", "رقمي ٠٥٠١٢٣٤٥٦٧ اتصلوا", f"رقمي {PHONE} اتصلوا"),
    ("CN", "电话１３８００１３８０００", f"电话{PHONE}"),
    ("CN", "电话138 0013 8000谢谢", f"电话{PHONE}谢谢"),
    ("IN", "फोन ९८७६५४३२१०", f"फोन {PHONE}"),
    ("RU", "звоните +7 (916) 123-45-67", f"звоните {PHONE}"),
    ("RU", "8-916-123-45-67 перезвоните", f"{PHONE} перезвоните"),
    ("UA", "телефон 067 123 45 67", f"телефон {PHONE}"),
    ("JP", "090-1234-5678に電話", f"{PHONE}に電話"),
    ("KR", "010-1234-5678 연락주세요", f"{PHONE} 연락주세요"),
    ("TR", "0532 123 45 67 arayın", f"{PHONE} arayın"),
    ("ID", "hubungi 0812-3456-7890", f"hubungi {PHONE}"),
    ("BR", "O telefone (11) 97089-0165", f"O telefone {PHONE}"),
    ("NL", "bel 06-12345678", f"bel {PHONE}"),
    ("DE", "Tel 0\u200b171 123\u200b4567", f"Tel {PHONE}"),
    ("FR", "mail jean.dupont+x@example.co.uk now", f"mail {MAIL} now"),
    ("CN", "邮箱abc@qq.com谢谢", f"邮箱{MAIL}谢谢"),
    ("RU", "пишите на иван@почта.рф пожалуйста", f"пишите на {MAIL} пожалуйста"),
    ("JP", "ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ", MAIL),
    ("US", "me (at) example (dot) com", MAIL),
    ("DE", "IBAN DE89 3704 0044 0532 0130 00 danke", f"IBAN {NUMBER} danke"),
    ("GB", "GB29NWBK60161331926819", NUMBER),
    ("US", "card 4111 1111 1111 1111 exp 12/27", f"card {NUMBER} exp 12/27"),
    ("US", "card 4111-1111-1111-1111", f"card {NUMBER}"),
    ("US", "Order #123456 please", f"Order {NUMBER} please"),
    ("UA", "замовлення №00102525", f"замовлення №{NUMBER}"),
    ("RU", "заказ № 339735565", f"заказ № {NUMBER}"),
    ("CN", "订单号20231112345678 还没到", f"订单号{NUMBER} 还没到"),
    ("CN", "订单号：２０２３１１１２３４５６７８", f"订单号：{NUMBER}"),
    ("KR", "주문번호 2023-1112-3456", f"주문번호 {NUMBER}"),
    ("JP", "注文番号：250-1234567-8901234", f"注文番号：{NUMBER}"),
    ("SA", "رقم الطلب ٤٥٦٧٨٩", f"رقم الطلب {NUMBER}"),
    ("IN", "ऑर्डर ४५६७८९ नहीं आया", f"ऑर्डर {NUMBER} नहीं आया"),
    ("GB", "booking reference X7K9QP", f"booking reference {NUMBER}"),
    ("DE", "Buchungsnummer: ABC123", f"Buchungsnummer: {NUMBER}"),
    ("DE", "PNR: QWXZRT flight LH1234", f"PNR: {NUMBER} flight LH1234"),
    ("US", "tracking 1Z999AA10123456784", f"tracking {NUMBER}"),
    ("TR", "TC 12345678901", f"TC {NUMBER}"),
    ("BR", "CPF 123.456.789-09", f"CPF {NUMBER}"),
    ("BR", "protocolo 2020615349093", f"protocolo {NUMBER}"),
    ("FR", "commande n° 778812", f"commande n° {NUMBER}"),
    ("US", "9" * 200, NUMBER),
    ("FR", "12 rue de la Paix 75002 Paris", f"{ADDRESS} 75002 Paris"),
    ("DE", "wohne Hauptstraße 12b in Köln", f"wohne {ADDRESS} in Köln"),
    ("GB", "at 221 Baker Street now", f"at {ADDRESS} now"),
    ("RU", "ул. Ленина, д. 5, кв. 12", ADDRESS),
    ("RU", "[id12345|Иван Петров], ответьте", "И. П., ответьте"),
    ("RU", "[club77|Юньфань] ужас", "Юньфань ужас"),
    ("US", "@maria_k and @yunfan help", "@ma… and @yunfan help"),
    ("CN", "@王小明 你好", "@王… 你好"),
    ("US", "＠maria_k help", "@ma… help"),
]
HANDLES_GONE = [
    ("FR", ".@jean_dupont merci", ".@je… merci"),
    ("CN", "转发//@张三:不好", "转发//@张…:不好"),
    ("CN", "没用//@Lucy王小明：不好//@李四", "没用//@Lu…：不好//@李…"),
    ("CN", "请联系@zhangwei处理", "请联系@zh…处理"),
    ("JP", "担当者は@tanaka_taroです", "担当者は@ta…です"),
    ("US", "RT@maria_k: no, via@ab", "RT@ma…: no, via@a…"),
    ("US", "RT@x", "RT@x…"),
    ("US", "a/@maria_k", "a/@ma…"),
    ("US", "why—@maria_k", "why—@ma…"),
    ("RU", "спасибо@maria_k", "спасибо@ma…"),
    ("CN", "请@张伟 处理", "请@张… 处理"),
    ("CN", "@张伟你们公司" + "真差劲啊" * 9, "@张…公司" + "真差劲啊" * 9),
    ("CN", "@张伟你们…", "@张…"),
    ("TH", "@" + "ก" * 90, "@ก…" + "ก" * 78),
    ("US", "@" + "a" * 60, "@aa…"),
    ("US", "﹫maria_k", "@ma…"),
    ("US", "@" + "🌸" * 60, "@🌸🌸…" + "🌸" * 10),
    ("FR", "@jean_dupont… dit", "@je… dit"),
    ("FR", "@jéan_dupont dit", "@jé… dit"),
    ("RU", "@иван_петров, привет", "@ив…, привет"),
    ("CN", "＠小Q灵官方", "@小…"),
    ("CN", "@Q小明小明，", "@Q…小明小明，"),
    ("US", "u/jean_dupont, /u/jean_dupont and /user/jean_dupont", "u/je…, /u/je… and /user/je…"),
]
LINKS_CUT = [
    ("see https://x.com/jean_dupont/status/1.", "see https://x.com/….", ),
    ("facebook.com/jean.dupont, t.me/jean", "facebook.com/…, t.me/…"),
    ("(instagram.com/jean/) vk.com/id12345", "(instagram.com/…) vk.com/…"),
    ("https://www.linkedin.com/in/jérôme-dupont/ ok", "https://www.linkedin.com/… ok"),
    ("看https://zhihu.com/people/张三，谢谢", "看https://zhihu.com/…，谢谢"),
    ("https://t.cn/A6abc谢谢", "https://t.cn/…谢谢"),
    ("加我t.me/zhangwei", "加我t.me/…"),
    ("https://jean:secret@host.example/x", "https://host.example/…"),
    ("http://x.com?user=jean", "http://x.com/…"),
    ("https://x.com/jean…", "https://x.com/…"),
    ("x.com/yunfan x.com/@yunfan/status/12", "x.com/yunfan x.com/@yunfan/…"),
    ("https://yunfan.example/ and yunfan.com", "https://yunfan.example/ and yunfan.com"),
]  # fmt: skip
SPREAD_GONE = [
    ("FR", "".join(f"{one}\ufe0f\u20e3" for one in "0612345678") + "!", f"{PHONE}!"),
    ("FR", "".join(f"{one}\ufe0e" for one in "0612345678") + "!", f"{PHONE}!"),
    ("FR", "\u034f".join("0612345678"), PHONE),
    ("FR", "06\u200712\u200734\u200756\u200778", PHONE),
    ("FR", "06\u200212\u200234\u200256\u200278", PHONE),
    ("KR", "010\u31641234\u31645678", PHONE),
    ("FR", "tel 06 12\n34 56 78", f"tel {PHONE}"),
    ("FR", "2\n06 12\n34 56 78\n20 pizzas", f"2\n{PHONE}\n20 pizzas"),
    ("FR", "06 12 34 56 78\n20 pizzas", f"{PHONE}\n20 pizzas"),
    ("FR", "06,12,34,56,78", PHONE),
    ("FR", "06|12|34|56|78", PHONE),
    ("FR", "06~12~34~56~78", PHONE),
    ("FR", "06:12:34:56:78", PHONE),
    ("US", "06～12～34～56～78", NUMBER),
    ("FR", "+33 6,12,34,56,78", PHONE),
    ("CN", "138~0013~8000", PHONE),
    ("ES", "612,345,678", PHONE),
    ("ES", "612\n345\n678", PHONE),
    ("US", "4111|1111|1111|1111", NUMBER),
    ("CN", "①③⑧⓪⓪①③⑧⓪⓪⓪", PHONE),
    ("ES", "llama 612 345 000", f"llama {PHONE}"),
    ("FR", "06-12-34 56 78", PHONE),
    ("FR", "06 12-34-56 78", PHONE),
    ("RU", "8 (3952) 12-34-56", PHONE),
]
MAILS_GONE = [
    ("김철수@naver.com 로", f"{MAIL} 로"),
    ("张三@qq.com", MAIL),
    ("สมชาย@gmail.com", MAIL),
    ("zhang@例子.公司谢谢", f"{MAIL}谢谢"),
    ("张三@例子.公司", MAIL),
    ("x at mail dot com", MAIL),
    ("write to jean dot dupont at mail dot com please", f"write to {MAIL} please"),
    ("jean at gmail.com", MAIL),
    ("juan arroba correo punto es", MAIL),
    ("jean.dupont@gmail", MAIL),
]
NUMBERS_GONE = [
    ("KR", "민원 12345678", f"민원 {NUMBER}"),
    ("KR", "회원 12345678", f"회원 {NUMBER}"),
    ("US", "Acme Corp 12345678", f"Acme Corp {NUMBER}"),
    ("FR", "citoyen 12345678", f"citoyen {NUMBER}"),
    ("CN", "单元12345678", f"单元{NUMBER}"),
    ("US", "12345678 EUR", f"{NUMBER} EUR"),
]
KEPT = [
    "K2 and iPhone 15 on a 737-800, WH-1000XM5, UE55TU8000",
    "I paid 1.299,00 € on 12.11.2026 at 14:30",
    "$1,299.99 and £20 and Rp 1.500.000 and ₹45,000",
    "за 12 500 руб в 2019-2020",
    "100 000 people, 1 000 000 users, 2 500 000",
    "from 9:00 to 17:30, 2024-05-06T10:00:00Z",
    "10点下单，12点还不到，2023年11月12日",
    "2-3 days, 24/7, 50/50, 4x4",
    "call 911 or 112",
    "seat 12A row 34, gate B42, flight LH1234",
    "I ordered 3 pizzas in order to eat 2019",
    "order 2 kettles",
    "198 lira su bedeli olan faturam 417 lira",
    "٣ أيام و ٢٥٠ ريال",
    "दो दिन में ३ बार",
    "in 2019, 2020 and 2021",
    "99,9 % and 12.5 GB and 100 Mb",
    "Win 10, PS5, 4G, 5 GHz",
    "The train of 8.15 Uhr",
    "kamar no 22 AC panas",
    "TCD49A ve TC16A hatları",
    "1500000원 and 1500000 円, Rp 1500000, 2000000 руб, ₩1250000",
    "US$1,299.99, costs€1234, ₹1,45,000 and 500000 USD, 12345.67 EUR",
    "am 12.11.26 14:30, 12.11.26 um 9, 12.11.2026 20 Leute",
    "600 000 000 people, 250 000 000, 2,500,000,000",
    "sizes 38,40,42,44,46 and 38, 40, 42, 44, 46",
    "2019, 2020, 2021 or 2019,2020,2021,2022",
    "1,2,3,4,5,6,7,8,9,10 and 0|1|2|3|4|5|6|7|8|9",
    "0,50, 0,75, 1,20, 2,30",
    "10\n20\n30\n40\n50\n60",
    "08:15:22,345 from 08:00-12:00, 13:00~14:00",
    "50 km/u, and/or, w/o A/C, u/o, r/travel, inkl.MwSt/Versand",
    "find it at amazon dot com; look at this dot",
    "5 m² with H₂O ① ② ③ and ❤️ 1️⃣ 2️⃣",
]


@pytest.mark.parametrize(("country", "post", "read"), GONE, ids=[post[:40] for _, post, _ in GONE])
def test_what_points_to_a_person_is_taken_out(country: str, post: str, read: str) -> None:
    assert mask(post, country=country, keep=("@Yunfan",)) == read


@pytest.mark.parametrize(
    ("country", "post", "read"), HANDLES_GONE + SPREAD_GONE + NUMBERS_GONE + [("US", *mail) for mail in MAILS_GONE]
)
def test_a_disguise_hides_no_person(country: str, post: str, read: str) -> None:
    once = mask(post, country=country)
    assert once == read
    assert mask(once, country=country) == once


@pytest.mark.parametrize(("post", "read"), LINKS_CUT)
def test_links_are_cut_to_their_host(post: str, read: str) -> None:
    assert mask(post, country="FR", keep=("yunfan",)) == read
    assert mask(read, country="FR", keep=("yunfan",)) == read


@pytest.mark.parametrize("post", KEPT)
@pytest.mark.parametrize("country", ["DE", "US", "CN", "IN"])
def test_what_a_complaint_is_about_stays(country: str, post: str) -> None:
    assert mask(post, country=country) == post


def test_an_account_of_the_brand_keeps_its_handle_however_it_is_written() -> None:
    assert mask("@YUNFAN @yunfanhelp", country="GB", keep=("yunfan",)) == "@YUNFAN @yu…"


@pytest.mark.parametrize(
    "post", ["@云帆客服你们公司" + "真差劲啊" * 9, "@云帆客服…", "//@yunfan请处理 谢谢", "u/yunfan"]
)
def test_an_account_of_the_brand_keeps_its_handle_where_none_sees_its_end(post: str) -> None:
    assert mask(post, country="CN", keep=("云帆客服", "yunfan")) == post


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("@maria_k", "@ma…"),
        ("@ab", "@a…"),
        ("@王小明", "@王…"),
        ("@张伟你好", "@张…"),
        ("@jean_dupont…", "@je…"),
        ("Maria Keller", "M. K."),
        ("maria von der Leyen-Bach", "M. V. D."),
        ("王小明", "王."),
        ("Иван Петров", "И. П."),
        ("محمد علي", "م. ع."),
        ("🌸 Lena", "L."),
        ("", "…"),
        ("@", "@…"),
        ("12345", "…"),
    ],
)
def test_a_private_person_is_shortened(name: str, read: str) -> None:
    assert shortened(name) == read
    assert shortened(read) == read


def test_public_voices_keep_their_name() -> None:
    assert is_public(PUBLIC_FOLLOWERS)
    assert is_public(3, verified=True)
    assert is_public(None, journalist=True)
    assert not is_public(PUBLIC_FOLLOWERS - 1)
    assert not is_public(None, verified=None)


POSTS = (
    st.text(max_size=120)
    | st.text(alphabet="0123456789٣९３ +-().@/:#№abAB…[]|€\n\u200bид号", max_size=80)
    | st.lists(
        st.sampled_from(
            [
                "@",
                "张",
                "éa",
                "…",
                "u/",
                "x.com",
                "/",
                "://",
                "06",
                "12",
                "\n",
                "|",
                ",",
                "~",
                " at ",
                " dot ",
                "com",
                "①",
                "\ufe0f",
            ]
        ),
        max_size=30,
    ).map("".join)
)


@given(POSTS, st.sampled_from(["DE", "US", "CN", "SA", "zz", "", "🇩🇪"]))
def test_masking_never_raises_and_masking_again_changes_nothing(post: str, country: str) -> None:
    once = mask(post, country=country)
    assert mask(once, country=country) == once


@given(
    st.text(alphabet=st.characters(exclude_categories=("Nd", "No", "Cs"), exclude_characters="@＠﹫/／"), max_size=120)
)
def test_a_text_without_digits_handles_and_links_stays(post: str) -> None:
    assert mask(post, country="DE") == post


@given(st.text(max_size=40))
def test_shortening_never_raises_and_shortening_again_changes_nothing(name: str) -> None:
    once = shortened(name)
    assert shortened(once) == once


@given(st.integers(10**6, 10**30), st.sampled_from(["0123456789", "٠١٢٣٤٥٦٧٨٩", "０１２３４５６７８９", "०१२३४५६७८९"]))
def test_no_long_number_stays_in_any_digits(number: int, digits: str) -> None:
    written = str(number).translate(str.maketrans("0123456789", digits))
    assert not any(one.isdecimal() for one in mask(f"see {written} !", country="GB"))


@pytest.mark.parametrize(
    "part",
    [
        *(
            "1 ",
            "AA11",
            "AA11 AAAA ",
            "a@",
            "a.",
            "@a",
            "№ ",
            "order ",
            "1-",
            "+",
            "12 rue de ",
            "A",
            "ul. A ",
            "路1号",
        ),
        *("order 1234567 ", "@张", "@((", "0,", "06\n", "612~345~67", "06 12\n34 56 78\n", "a at b dot ", "t.me/a "),
        *("https://", "https://x.com/", "/", "u/abc ", "@je…", "1\ufe0f\u20e3", "@ก", "ก@", "一.", "612 345 000 "),
        *("€1", "1,", "12.11.26 "),
    ],
)
def test_hostile_repetition_takes_no_long_time(part: str) -> None:
    began = time.perf_counter()
    mask(part * 20_000, country="DE")
    assert time.perf_counter() - began < 10
