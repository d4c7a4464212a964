"""Words for personal data by language, so that a public reply which names them is found before it is used.

A reply asks to be written to in private without naming any of them: people post in public what they are asked for.
"""

from collections.abc import Mapping

import regex

from listener.sentences import Sentence, sentence

CARD = "card"
KINDS: Mapping[str, Sentence] = {
    "phone number": sentence("phone number"),
    "address": sentence("postal address"),
    "order or account number": sentence("order or account number"),
    CARD: sentence("bank card"),
    "passport or identity": sentence("passport or identity"),
    "birth date": sentence("birth date"),
    "e-mail": sentence("e-mail"),
}
"""What playbooks call them, with the words for it."""


def _keyed(kind: str, words: Sentence) -> Sentence:
    made = Sentence(kind)
    made.message, made.several, made.number, made.values = words, "", 0, {}
    return made


KEYS: Mapping[str, Sentence] = {kind: _keyed(kind, words) for kind, words in KINDS.items()}
"""What playbooks call them, said in the words for it."""

# For each language, one pattern for each of KINDS, in that order; \p{L}* stands for endings.
_WORDS: Mapping[str, tuple[str, ...]] = {
    "en": (
        r"(?:phone|mobile|cell|telephone|contact) number",
        r"(?:your|home|postal|street|delivery|shipping|billing) address",
        r"(?:order|account|customer|booking|tracking|reservation|ticket|invoice) (?:number|code|id|no)\b",
        r"\bcards?\b",
        r"passport|identity card|driving licence|driver's license|social security",
        r"date of birth|birth ?date|birthday",
        r"\be-?mails?\b",
    ),
    "fr": (
        r"num[ée]ros? de (?:t[ée]l[ée]phone|portable|mobile)|vos coordonnées",
        r"votre adresse|adresse (?:postale|de livraison|complète)",
        r"(?:num[ée]ro|référence|n°) (?:de |d['’])?(?:commande|compte|client|dossier|réservation|suivi|colis)",
        r"\bcartes?\b",
        r"passeport|carte d['’]identité|pièce d['’]identité",
        r"date de naissance|né\(?e?\)? le",
        r"\be-?mails?\b|courriel|adresse mail",
    ),
    "de": (
        r"(?:telefon|handy|mobil|ruf)nummer",
        r"(?:ihre|deine) (?:\p{L}+)?adresse|(?:liefer|post|wohn)adresse|anschrift",
        r"(?:bestell|kunden|konto|buchungs|auftrags|sendungs|vertrags)nummer|iban",
        r"\b\p{L}*karten?\b",
        r"reisepass|personalausweis|ausweisnummer",
        r"geburts(?:datum|tag)",
        r"e-?mail(?:-?adresse)?",
    ),
    "nl": (
        r"(?:telefoon|gsm-?|mobiele )nummer",
        r"(?:uw|je|jouw) (?:\p{L}+)?adres\b|(?:lever|post|woon|thuis)adres",
        r"(?:bestel|klant|rekening|boekings|dossier|order|track)-?nummer",
        r"\b\p{L}*kaart(?:en|je)?\b|\b(?:bank|pin|uw |je )pas(?:je)?\b",
        r"paspoort|identiteits(?:kaart|bewijs)|rijksregisternummer|burgerservicenummer",
        r"geboortedatum|verjaardag",
        r"\be-?mail(?:adres)?\b|mailadres",
    ),
    "es": (
        r"n[úu]mero de (?:tel[ée]fono|m[óo]vil|celular)|tu teléfono|su teléfono",
        r"(?:tu|su) (?:dirección|domicilio)|dirección (?:postal|de envío)",
        r"n[úu]mero de (?:pedido|cuenta|cliente|reserva|seguimiento|factura)",
        r"\btarjetas?\b",
        r"pasaporte|\bdni\b|documento de identidad",
        r"fecha de nacimiento|cumpleaños",
        r"\be-?mails?\b|correo electr[óo]nico",
    ),
    "pt": (
        r"n[úu]mero de (?:telefone|telem[óo]vel|celular)|(?:seu|o) telefone",
        r"(?:seu|teu) endereço|sua morada|endereço (?:postal|de entrega)",
        r"n[úu]mero (?:de|do|da) (?:pedido|encomenda|conta|cliente|reserva|fatura)",
        r"\bcart(?:ão|ões)\b",
        r"passaporte|\bcpf\b|\brg\b|documento de identidade|cartão de cidadão",
        r"data de nascimento|aniversário",
        r"\be-?mails?\b|correio eletr[óo]nico",
    ),
    "it": (
        r"numero di (?:telefono|cellulare)|recapito telefonico",
        r"indirizzo",
        r"numero (?:d['’]|di |del |dell['’])?(?:ordine|conto|cliente|prenotazione|pratica)",
        r"\bcart[ae]\b",
        r"passaporto|documento d['’]identità|codice fiscale",
        r"data di nascita|compleanno",
        r"\be-?mail\b|posta elettronica",
    ),
    "pl": (
        r"numer\p{L}* (?:telefonu|komórk\p{L}*)",
        r"\badres(?:u|em|ie|y)?\b",
        r"numer\p{L}* (?:zamówieni|kont|klient|rezerwacj|przesyłk|umow)\p{L}*",
        r"\bkart(?:a|ę|y|ą|ie|om|ami)\b",
        r"paszport\p{L}*|\bpesel\b|dow(?:ód|odu) osobist\p{L}*",
        r"dat\p{L}* urodzenia|urodzin\p{L}*",
        r"\be-?mail\p{L}*|poczt\p{L}* elektroniczn\p{L}*",
    ),
    "ru": (
        r"номер\p{L}* (?:\p{L}+ )?(?:телефон|мобильн)\p{L}*|ваш\p{L}* телефон",
        r"\bадрес(?:а|у|ом|е|ов)?\b",
        r"номер\p{L}* (?:\p{L}+ )?(?:заказ|сч[её]т|договор|брон|посылк|билет|отправлен)\p{L}*|трек-?номер\p{L}*",
        r"\bкарт(?:а|ы|у|е|ой|ами|ам)\b",
        r"паспорт\p{L}*|удостоверени\p{L}*|\bснилс\b|\bинн\b",
        r"дат\p{L}+ рождения",
        r"электронн\p{L}+ почт\p{L}+|имейл\p{L}*|\be-?mail\b",
    ),
    "uk": (
        r"номер\p{L}* (?:\p{L}+ )?(?:телефон|мобільн)\p{L}*|ваш\p{L}* телефон",
        r"\bадрес(?:а|и|у|і|ою)\b",
        r"номер\p{L}* (?:\p{L}+ )?(?:замовлен|рахунк|договор|брон|посилк|квитк)\p{L}*",
        r"\bкарт(?:а|и|у|і|ою|к\p{L}*)\b",
        r"паспорт\p{L}*|посвідчен\p{L}*",
        r"дат\p{L}+ народження",
        r"електронн\p{L}+ пошт\p{L}+|імейл\p{L}*|\be-?mail\b",
    ),
    "tr": (
        r"(?:telefon|cep|gsm) (?:numara|no)\p{L}*|telefonunuz\p{L}*",
        r"adres(?:iniz|inizi|inize|in|ini)\b",
        r"(?:sipariş|hesap|müşteri|rezervasyon|takip|fatura) (?:numara|no)\p{L}*|\biban\b",
        r"\bkart(?:ınız|ınızı|ı|ını|lar)?\p{L}*\b",
        r"pasaport\p{L}*|kimlik\p{L}*",
        r"doğum (?:tarih|gün)\p{L}*",
        r"e-?posta\p{L}*|\be-?mail\p{L}*",
    ),
    "id": (
        r"(?:nomor|no\.?) (?:telepon|telp|hp|ponsel|handphone)",
        r"alamat",
        r"(?:nomor|no\.?|kode) (?:pesanan|rekening|akun|pelanggan|resi|booking|pemesanan)",
        r"\bkartu\b",
        r"paspor|\bktp\b|\bnik\b",
        r"(?:tanggal|tgl) lahir|ulang tahun",
        r"\be-?mail\b|surel",
    ),
    "ar": (
        r"رقم (?:ال)?(?:هاتف|جوال|موبايل|محمول)\p{L}*|هاتفكم|هاتفك",
        r"عنوان(?:ك|كم|كما|كن)\b",
        r"رقم (?:ال)?(?:طلب|حساب|حجز|عميل|تتبع|فاتورة)\p{L}*",
        r"بطاق\p{L}*",
        r"جواز (?:ال)?سفر\p{L}*|\b(?:ال)?هوي(?:ة|تك|تكم)\b",
        r"تاريخ (?:ال)?ميلاد\p{L}*",
        r"(?:ال)?بريد\p{L}* (?:ال)?إلكتروني\p{L}*|(?:ال)?إيميل",
    ),
    "hi": (
        r"(?:फ़ोन|फोन|मोबाइल|संपर्क) (?:नंबर|नम्बर)",
        r"(?:आपका|अपना|घर का) पता\b",
        r"(?:ऑर्डर|खाता|खाते|अकाउंट|बुकिंग|ग्राहक)(?: का| की)? (?:नंबर|नम्बर|संख्या|आईडी)",
        r"कार्ड",
        r"पासपोर्ट|आधार (?:नंबर|कार्ड)|पहचान पत्र",
        r"जन्म\s?(?:तिथि|तारीख|दिन)",
        r"ईमेल|ई-मेल",
    ),
    "zh": (
        r"(?:手机|电话|手機|電話|联系|聯絡)(?:号码?|號碼?|方式)",
        r"(?:家庭|收货|收件|居住|您的)(?:地址|住址)|收貨地址",
        r"(?:订单|訂單|账户|帳戶|客户|快递|运单|预订|會員|会员)(?:号码?|號碼?|编号|編號)|(?<!官方|公众|公眾)[账帳][号號]|[单單][号號]",
        r"银行卡|銀行卡|卡片|信用卡|金融卡|提款卡|卡号|卡號",
        r"护照|護照|身份证|身分證",
        r"出生(?:日期|年月)|生日",
        r"邮箱|郵箱|电子邮件|電子郵件",
    ),
    "ja": (
        r"(?:電話|携帯|連絡先)(?:の)?番号|お電話番号|ご連絡先",
        r"ご?住所",
        r"(?:ご?注文|口座|お客様|ご?予約|会員|追跡)番号",
        r"カード",
        r"パスポート|旅券|身分証|マイナンバー",
        r"生年月日|誕生日",
        r"メールアドレス|\b[eE]メール",
    ),
    "ko": (
        r"(?:전화|휴대폰|휴대전화|핸드폰)\s?번호|연락처",
        r"(?:집|배송|고객님)\s?주소|주소를",
        r"(?:주문|계좌|고객|예약|운송장)\s?번호",
        r"카드",
        r"여권|신분증|주민등록",
        r"생년월일|생일",
        r"이메일|메일\s?주소",
    ),
}
# Words that many forms and people use besides.
_FURTHER: Mapping[str, tuple[tuple[str, str], ...]] = {
    "en": (
        ("address", r"\b(?:post ?code|zip code)s?\b|where do you live"),
        ("order or account number", r"\biban\b"),
        ("phone number", r"number (?:that |where )?we can (?:call|reach)|your mobile\b"),
        ("birth date", r"(?:when|where) were you born"),
    ),
    "fr": (
        ("address", r"code postal|où habitez-vous|où vous habitez"),
        ("phone number", r"votre (?:portable|mobile)\b|numéro où vous joindre"),
        ("birth date", r"êtes-vous née?\b"),
    ),
    "de": (
        ("address", r"postleitzahl|\bplz\b|wo wohnen sie"),
        ("phone number", r"nummer,? unter der wir sie"),
        ("birth date", r"sind sie geboren"),
    ),
    "nl": (("address", r"postcode|waar woont u"),),
    "es": (("address", r"código postal|dónde vives?\b"), ("birth date", r"naci(?:ste|ó) usted|cuándo naci")),
    "pt": (("address", r"código postal|\bcep\b|onde (?:mora|vive)\b"), ("birth date", r"quando nasceu")),
    "it": (("address", r"\bcap\b|codice postale|dove abita"), ("birth date", r"quando è nat[oa]")),
    "pl": (("address", r"kod\p{L}* pocztow\p{L}*"),),
    "ru": (("address", r"почтов\p{L}+ индекс"),),
    "uk": (("address", r"поштов\p{L}+ індекс"),),
    "tr": (("address", r"posta kodu"),),
    "id": (("address", r"kode pos\b"),),
    "zh": (("address", r"地址|邮编|郵遞區號|邮政编码"),),
    "ja": (("address", r"郵便番号"),),
    "ko": (("address", r"우편번호"),),
}
_PATTERNS = {
    language: tuple(
        (kind, regex.compile(pattern, regex.IGNORECASE))
        for kind, pattern in (*zip(KINDS, words, strict=True), *_FURTHER.get(language, ()))
    )
    for language, words in _WORDS.items()
}


def named_personal_data(text: str, locale: str) -> list[tuple[str, str]]:
    """Return kind and word of each personal datum that `text` names, in the locale's language or in English."""
    language = locale.split("-")[0]
    patterns = {language: _PATTERNS.get(language, ()), "en": _PATTERNS["en"]}
    return [
        (kind, str(found[0]).strip())
        for words in patterns.values()
        for kind, pattern in words
        if (found := pattern.search(text)) is not None
    ]


def known_languages() -> frozenset[str]:
    """Return the languages that have words here."""
    return frozenset(_WORDS)
