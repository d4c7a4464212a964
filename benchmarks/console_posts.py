"""Fills a database with invented posts in nine languages, with their alerts, as many months of listening leave it.

Rows are written past the pipeline, by COPY or in large inserts; the index of words holds what the pipeline would have
put there.
"""

import itertools
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from listener.store import Store
from listener.store.search import place_of, tokens_of, tsvector

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SPAN = timedelta(days=70)
CHUNK = 20_000
POSTS_PER_ALERT = 2
COUNTRIES: Mapping[str, tuple[str, int]] = {
    "FR": ("fr", 18),
    "DE": ("de", 15),
    "GB": ("en", 20),
    "ES": ("es", 10),
    "RU": ("ru", 10),
    "CN": ("zh", 12),
    "JP": ("ja", 8),
    "SA": ("ar", 5),
    "ID": ("id", 2),
}
"""Language of each, and of a hundred posts how many come from there."""
BRANDS, NETWORKS = ("yunfan", "skybird"), ("x", "vk", "wechat", "file")
TEAMS = ("west", "east", "night")
TOPICS = (
    "delivery", "question", "quality", "praise", "billing", "other", "staff", "price", "account", "booking",
    "outage", "privacy", "safety",
)  # fmt: skip
WORDS: Mapping[str, Sequence[str]] = {
    "en": (
        "the my is a to and again nobody answers parcel late refund phone order still waiting"
        " delivery support app charged twice broken service never thanks great driver shop price login"
        " account invoice wrong queue desk lost seat flight cancelled voucher battery screen rude"
        " staff email days weeks please help why shame"
    ).split(),
    "fr": (
        "le la de mon est à et encore personne ne répond colis en retard remboursement téléphone"
        " commande toujours attend livraison assistance appli débité deux fois cassé service jamais"
        " merci super livreur boutique prix compte facture fausse file perdu siège vol annulé bon"
        " batterie écran impoli équipe courriel jours semaines l'été"
    ).split(),
    "de": (
        "die mein ist ein zu und wieder niemand antwortet Paket verspätet Erstattung Telefon"
        " Bestellung immer noch wartet Lieferung Hilfe App doppelt abgebucht kaputt Service nie danke"
        " toll Fahrer Laden Preis Konto Rechnung falsch Schlange verloren Sitz Flug gestrichen"
        " Gutschein Akku Bildschirm unhöflich Straße Tage Wochen bitte"
    ).split(),
    "es": (
        "el mi es un a y otra vez nadie contesta paquete tarde reembolso teléfono pedido todavía"
        " esperando entrega ayuda aplicación cobrado dos veces roto servicio nunca gracias genial"
        " repartidor tienda precio cuenta factura mal cola perdido asiento vuelo cancelado vale"
        " batería pantalla grosero correo días semanas por favor vergüenza"
    ).split(),
    "ru": (
        "моя это и снова никто не отвечает посылка опаздывает возврат телефон заказ всё ещё жду"
        " доставка поддержка приложение списали дважды сломан сервис никогда спасибо отлично курьер"
        " магазин цена вход счёт неверный очередь потеряли место рейс отменили ваучер батарея экран"
        " грубый сотрудник почта дней недели пожалуйста помогите ёлка"
    ).split(),
    "zh": (
        "我 的 了 快递 员 很 慢 又 没有 人 接 电话 退款 订单 还在 等 配送 客服 软件 重复 扣款 坏 了"
        " 服务 从来 不 谢谢 很好 司机 商店 价格 登录 账号 发票 错误 排队 丢失 座位 航班 取消 优惠券"
        " 电池 屏幕 态度 差 员工 邮件 几天 几周 请 帮忙 投诉"
    ).split(),
    "ja": (
        "私 の 荷物 が 遅れて います また 誰も 電話 に 出ない 返金 注文 まだ 待って 配達 サポート"
        " アプリ 二重 請求 壊れた サービス 決して ありがとう 最高 運転手 店 価格 ログイン アカウント"
        " 請求書 間違い 行列 紛失 座席 便 欠航 クーポン バッテリー 画面 失礼 スタッフ メール 日間 週間"
        " お願い 助けて"
    ).split(),
    "ar": (
        "الشحنة متأخرة مرة أخرى لا أحد يجيب على الهاتف استرداد الطلب ما زلت أنتظر التوصيل الدعم"
        " التطبيق خصم مرتين معطل الخدمة أبدا شكرا رائع السائق المتجر السعر الدخول الحساب الفاتورة خطأ"
        " الطابور ضاعت المقعد الرحلة ألغيت القسيمة البطارية الشاشة وقح الموظف البريد أيام أسابيع أرجو"
        " المساعدة والشركة"
    ).split(),
    "id": (
        "paket saya yang terlambat lagi tidak ada menjawab telepon pengembalian pesanan masih"
        " menunggu pengiriman bantuan aplikasi ditagih dua kali rusak layanan pernah terima kasih"
        " bagus sopir toko harga masuk akun faktur salah antrian hilang kursi penerbangan dibatalkan"
        " voucher baterai layar kasar staf surel hari minggu tolong"
    ).split(),
}
_SYLLABLES: Mapping[str, Sequence[str]] = {
    "ru": "ба ве го ду жи за ки лу мо не ок пи ра со ту фи ха ця ша эл".split(),
    "zh": list("山东河西海南城北江湖林石金银龙凤春秋天地光明阳月星云雨风花草"),
    "ja": "カ キ ク サ シ ス タ チ ト ナ ニ ノ ハ ヒ マ ミ ラ リ ロ ン".split(),
    "ar": "با تي ثو جا حي خو دا ري زو سا شي صو ضا طي عو فا قي كو لا مي".split(),
}
_LATIN = "ba de fi go hu ja ke li mo nu pa ri so ta ve wi xo ya ze cra".split()
_UNSPACED = frozenset({"zh", "ja"})


class Writer:
    """Writes posts in one language: few frequent words, many rare ones."""

    def __init__(self, language: str, rng: random.Random) -> None:
        syllables = _SYLLABLES.get(language, _LATIN)
        rare = ["".join(rng.choices(syllables, k=rng.randint(2, 4))) for _ in range(20_000)]
        self.words = [*WORDS[language], *dict.fromkeys(rare)]
        self._weights = list(itertools.accumulate(1 / (rank + 4) for rank in range(len(self.words))))
        self._glue = "" if language in _UNSPACED else " "
        self._rng = rng

    def post(self) -> str:
        """Return one post."""
        rng = self._rng
        said = self._glue.join(rng.choices(self.words, cum_weights=self._weights, k=rng.randint(6, 34)))
        chance = rng.random()
        if chance < 0.1:
            return f"{said} #{rng.randint(10_000, 99_999)}"
        return f"@{BRANDS[rng.randrange(2)]} {said} https://t.co/{rng.getrandbits(40):x}" if chance < 0.3 else said


Rows = dict[str, list[tuple[Any, ...]]]
COLUMNS = {
    "authors": "id network external_id name handle followers bio location updated_at",
    "mentions": "id network external_id author_id text url published_at collected_at sponsored place links text_hash"
    " classified fate fate_shown copy_of",
    "matches": "id mention_id brand country watch_id matched_at triaged_at outcome priority influence velocity",
    "classifications": "mention_id language complaint urgency urgency_probabilities sentiment sentiment_probabilities"
    " topic topic_probability signals reasons model classified_at",
    "alerts": "id kind brand country team state severity priority topic variants pilot drill match_id rules mentions"
    " copies opened_at updated_at first_posted_at last_posted_at now_with owner owner_address closed_at respond_by"
    " resolve_by rungs",
    "alert_mentions": "match_id alert_id role joined_at",
    "incidents": "alert_id brand country topic began_at counted_until ended_at facts drill",
    "listing": "place match_id country brand network language topic sentiment urgency outcome alert_id",
    "search_words": "place tokens",
}


def posts(mentions: int, alerts: int, *, on_sqlite: bool) -> Iterator[Rows]:
    """Yield rows by table, some at a time, the oldest first."""
    rng = random.Random(7)
    writers = {language: Writer(language, rng) for language, _ in COUNTRIES.values()}
    codes = rng.choices(list(COUNTRIES), [share for _, share in COUNTRIES.values()], k=CHUNK)
    raised_every = max(1, mentions // alerts)
    for start in range(0, mentions, CHUNK):
        rows: Rows = {table: [] for table in COLUMNS}
        for number in range(start + 1, min(start + CHUNK, mentions) + 1):
            code = codes[(number * 7919) % CHUNK]
            _add(rows, number, code, writers[COUNTRIES[code][0]], rng, mentions, raised_every, on_sqlite)
        for table in ("listing", "search_words"):
            rows[table].sort(key=lambda row: int(row[0]))
        yield rows


def _add(
    rows: Rows, number: int, code: str, writer: Writer, rng: random.Random, of: int, every: int, on_sqlite: bool
) -> None:
    at = NOW - SPAN * (1 - number / (of + 1)) - timedelta(minutes=rng.random() * 20)
    language, text = COUNTRIES[code][0], writer.post()
    brand, network = BRANDS[rng.random() < 0.3], NETWORKS[min(3, int(rng.expovariate(1.2)))]
    topic = TOPICS[min(len(TOPICS) - 1, int(rng.expovariate(0.4)))]
    tone = rng.choices(("negative", "neutral", "positive"), (30, 50, 20))[0]
    urgency, complaint = min(3, int(rng.expovariate(1.5))), rng.betavariate(0.5, 2)
    author = rng.randint(1, max(1, of // 3))
    raised, joins = number % every == 0, number % every == 1 and number > every
    alert_id = number // every if raised or joins else None
    outcome = "raised" if raised else "joined" if joins else rng.choices(("quiet", "old"), (99, 1))[0]
    if author <= of // 3 and number <= of // 3:
        name = f"{writer.words[number % len(writer.words)]} {number}"
        rows["authors"].append((number, network, f"a{number}", name, f"user_{number}", number % 5000, "", "", at))
    name, handle = f"{author}", f"user_{author}"
    url = f"https://{network}.example/{number}"
    rows["mentions"].append(
        (
            number,
            network,
            f"p{number}",
            author,
            text,
            url,
            at,
            at,
            False,
            "",
            "{}",
            f"h{number}",
            True,
            "stands",
            True,
            None,
        )
    )
    rows["matches"].append((number, number, brand, code, f"{network}/{code}", at, at, outcome, 0.2, rng.random(), 0.0))
    rows["classifications"].append((
        number, language, complaint, urgency, "[0.5, 0.3, 0.1, 0.1]", tone, "[0.3, 0.4, 0.3]", topic, 0.8, "{}", "[]",
        "bench", at,
    ))  # fmt: skip
    place = place_of(at, number)
    rows["listing"].append((place, number, code, brand, network, language, topic, tone, urgency, outcome, alert_id))
    tokens = tokens_of(text, name, handle, code, is_raised=alert_id is not None)
    rows["search_words"].append((place, " ".join(tokens) if on_sqlite else tsvector(tokens)))
    if alert_id is not None:
        rows["alert_mentions"].append((number, alert_id, "first" if raised else "joined", at))
    if raised:
        _add_alert(rows, number, number // every, code, brand, topic, at, rng)


def _add_alert(
    rows: Rows, match_id: int, alert_id: int, code: str, brand: str, topic: str, at: datetime, rng: random.Random
) -> None:
    is_live = at > NOW - timedelta(days=2) and rng.random() < 0.4
    kind = "incident" if alert_id % 100 == 0 else "post"
    state = rng.choice(("open", "claimed", "snoozed")) if is_live else rng.choice(("resolved", "dismissed"))
    owner = None if state == "open" else f"Person {rng.randint(1, 40)}"
    address = None if owner is None else "slack:U" + owner.removeprefix("Person ")
    team, closed = rng.choice(TEAMS), None if is_live else at + timedelta(hours=3)
    rows["alerts"].append((
        alert_id, kind, brand, code, team, state, rng.choices((1, 2, 3, 4), (40, 40, 15, 5))[0], rng.random(), topic,
        "[]", False, False, match_id if kind == "post" else None, "[]", POSTS_PER_ALERT, 0, at, at, at, at, team, owner,
        address, closed, at + timedelta(hours=1), at + timedelta(days=1), "[]",
    ))  # fmt: skip
    if kind == "incident":
        curve = [
            {"at": (at + timedelta(minutes=10 * step)).isoformat(), "count": rng.randint(0, 90)} for step in range(144)
        ]
        ended = None if is_live and topic == "delivery" else at + timedelta(hours=9)
        facts = json.dumps({"kind": "incident", "curve": curve})
        rows["incidents"].append((alert_id, brand, code, f"{topic}", at, at, ended or NOW, facts, False))


def fill(url: str, mentions: int, alerts: int) -> None:
    """Write all of it into an empty database."""
    store = Store(url)
    store.close()
    if url.startswith("sqlite"):
        _fill_sqlite(url.removeprefix("sqlite:///"), mentions, alerts)
    else:
        _fill_postgresql(url, mentions, alerts)


def _fill_sqlite(path: str, mentions: int, alerts: int) -> None:
    import sqlite3

    connection = sqlite3.connect(path)
    connection.executescript("PRAGMA synchronous=OFF; PRAGMA foreign_keys=OFF")
    for rows in posts(mentions, alerts, on_sqlite=True):
        for table, found in rows.items():
            names = COLUMNS[table].replace("place tokens", "rowid tokens").split()
            places = ", ".join("?" * len(names))
            written = [tuple(map(_for_sqlite, row)) for row in found]
            connection.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})", written)
        connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _for_sqlite(value: Any) -> Any:
    return value.replace(tzinfo=None).isoformat(" ", "microseconds") if isinstance(value, datetime) else value


def _fill_postgresql(url: str, mentions: int, alerts: int) -> None:
    import psycopg

    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # the rows are whole: no look at foreign keys
        connection.execute("SET synchronous_commit = off")
        connection.execute("DROP INDEX ix_search_words_tokens")
        for rows in posts(mentions, alerts, on_sqlite=False):
            for table, found in rows.items():
                names = ", ".join(COLUMNS[table].split())
                with connection.cursor().copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                    for row in found:
                        copy.write_row(row)
        connection.execute("SET maintenance_work_mem = '512MB'")
        connection.execute("CREATE INDEX ix_search_words_tokens ON search_words USING gin (tokens)")
        for table in ("authors", "mentions", "matches", "alerts"):
            last = f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
            connection.execute(last)
        connection.execute("VACUUM ANALYZE")
