"""What the invented customers of a drill write, by topic and language. Each post begins with a mark."""

from collections.abc import Mapping, Sequence
from itertools import combinations, product

MARK = "[DRILL]"
"""Stands before every post of a drill, wherever it is shown."""

TEXTS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "outage": {
        "ar": (
            "التطبيق متوقف منذ ساعتين ولا يفتح شيء!",
            "لا أستطيع تسجيل الدخول، تظهر رسائل خطأ فقط.",
            "الموقع معطل تمامًا ويعطي الخطأ 503 طوال الوقت.",
            "لا أحد يرد على الهاتف وأنا أنتظر منذ ساعة كاملة.",
            "أحتاج إلى طلبي اليوم بشكل عاجل ولا أستطيع الوصول إلى حسابي، ساعدوني!",
            "كل زملائي عندهم نفس العطل، متى ستعود الخدمة؟",
        ),
        "de": (
            "Die App ist seit zwei Stunden ausgefallen, nichts lädt mehr!",
            "Ich komme nicht in mein Konto, es gibt nur Fehlermeldungen.",
            "Die Website ist komplett tot, ständig Fehler 503.",
            "Am Telefon geht niemand ran, ich hänge seit einer Stunde in der Warteschleife.",
            "Ich brauche meine Bestellung dringend noch heute und komme nicht an meine Daten, bitte helft!",
            "Alle meine Kollegen haben dieselbe Störung, wann läuft das endlich wieder?",
        ),
        "en": (
            "The app has been down for two hours, nothing loads at all!",
            "I cannot log in, all I get is error messages.",
            "Your website is completely dead, error 503 all the time.",
            "Nobody answers the phone, I have been on hold for an hour.",
            "I urgently need my order today and cannot reach my account, please help now!",
            "Everybody at work has the same outage, when will this be back?",
        ),
        "es": (
            "¡La aplicación lleva dos horas caída, no carga nada!",
            "No puedo entrar en mi cuenta, solo salen mensajes de error.",
            "La web está totalmente muerta, error 503 todo el rato.",
            "Nadie contesta al teléfono, llevo una hora esperando.",
            "Necesito mi pedido hoy con urgencia y no puedo acceder, ¡ayuda por favor!",
            "Todos mis compañeros tienen el mismo fallo, ¿cuándo vuelve el servicio?",
        ),
        "fr": (
            "L'application est en panne depuis deux heures, plus rien ne charge !",
            "Impossible de me connecter à mon compte, je n'ai que des messages d'erreur.",
            "Votre site est complètement mort, erreur 503 en permanence.",
            "Personne ne répond au téléphone, j'attends depuis une heure.",
            "J'ai besoin de ma commande aujourd'hui, c'est urgent, et je n'ai accès à rien, aidez-moi !",
            "Tous mes collègues ont la même panne, quand est-ce que ça remarche ?",
        ),
        "hi": (
            "ऐप दो घंटे से बंद पड़ा है, कुछ भी नहीं खुल रहा!",
            "मैं लॉग इन नहीं कर पा रहा, सिर्फ़ त्रुटि के संदेश आ रहे हैं।",
            "आपकी वेबसाइट पूरी तरह ठप है, हर बार 503 की गड़बड़ी दिखती है।",
            "कोई फ़ोन नहीं उठाता, एक घंटे से इंतज़ार कर रहा हूँ।",
            "मुझे आज ही अपना ऑर्डर चाहिए, बहुत ज़रूरी है, और खाता नहीं खुल रहा, मदद कीजिए!",
            "मेरे सभी साथियों को यही दिक्कत है, सेवा कब चालू होगी?",
        ),
        "id": (
            "Aplikasinya mati sudah dua jam, tidak ada yang bisa dibuka!",
            "Saya tidak bisa masuk ke akun, yang muncul cuma pesan galat.",
            "Situs kalian lumpuh total, terus-terusan error 503.",
            "Telepon tidak diangkat siapa pun, saya sudah menunggu satu jam.",
            "Saya butuh pesanan saya hari ini juga, mendesak, tapi akun tidak bisa diakses, tolong!",
            "Semua teman kantor saya kena gangguan yang sama, kapan normal lagi?",
        ),
        "it": (
            "L'app è bloccata da due ore, non si carica più niente!",
            "Non riesco ad accedere al mio account, solo messaggi di errore.",
            "Il vostro sito è completamente morto, errore 503 di continuo.",
            "Al telefono non risponde nessuno, sono in attesa da un'ora.",
            "Ho bisogno del mio ordine oggi, è urgente, e non riesco a entrare, aiutatemi!",
            "Tutti i miei colleghi hanno lo stesso guasto, quando torna il servizio?",
        ),
        "ja": (
            "アプリが二時間前から落ちたままで、何も開けません!",
            "ログインできず、エラーの表示しか出ません。",
            "サイトが完全に止まっていて、ずっと503エラーです。",
            "電話に誰も出ません。もう一時間も待たされています。",
            "今日どうしても注文の品が必要なのに手続きできません。至急助けてください!",
            "職場のみんなも同じ障害です。いつ復旧するのですか?",
        ),
        "ko": (
            "앱이 두 시간째 먹통이고 아무것도 안 열려요!",
            "로그인이 안 되고 오류 메시지만 계속 떠요.",
            "홈페이지가 완전히 죽었어요. 계속 503 오류입니다.",
            "전화도 아무도 안 받아요. 한 시간째 대기 중입니다.",
            "오늘 당장 주문한 게 필요한데 계정에 들어갈 수가 없어요. 급하니 도와주세요!",
            "회사 사람들도 다 같은 장애를 겪고 있는데 언제 복구되나요?",
        ),
        "nl": (
            "De app ligt al twee uur plat, er laadt niets meer!",
            "Ik kan niet inloggen, ik krijg alleen foutmeldingen.",
            "Jullie website is helemaal dood, steeds fout 503.",
            "Niemand neemt de telefoon op, ik hang al een uur in de wacht.",
            "Ik heb mijn bestelling vandaag dringend nodig en kan nergens bij, help alsjeblieft!",
            "Al mijn collega's hebben dezelfde storing, wanneer doet het het weer?",
        ),
        "pl": (
            "Aplikacja nie działa od dwóch godzin, nic się nie ładuje!",
            "Nie mogę się zalogować, widzę tylko komunikaty o błędach.",
            "Wasza strona całkiem padła, ciągle błąd 503.",
            "Nikt nie odbiera telefonu, czekam na linii już godzinę.",
            "Pilnie potrzebuję dziś swojego zamówienia i nie mam dostępu do konta, pomóżcie!",
            "Wszyscy w pracy mają tę samą awarię, kiedy to wróci?",
        ),
        "pt": (
            "O aplicativo está fora do ar há duas horas, nada carrega!",
            "Não consigo entrar na minha conta, só aparecem mensagens de erro.",
            "O site de vocês morreu de vez, erro 503 o tempo todo.",
            "Ninguém atende o telefone, estou esperando há uma hora.",
            "Preciso do meu pedido hoje com urgência e não consigo acessar nada, me ajudem!",
            "Todos os meus colegas estão com a mesma falha, quando isso volta?",
        ),
        "ru": (
            "Приложение лежит уже два часа, ничего не загружается!",
            "Не могу войти в личный кабинет, одни сообщения об ошибке.",
            "Сайт полностью упал, всё время ошибка 503.",
            "По телефону никто не отвечает, вишу на линии целый час.",
            "Мне срочно нужен заказ сегодня, а доступа к аккаунту нет, помогите!",
            "У всех коллег тот же сбой, когда уже заработает?",
        ),
        "tr": (
            "Uygulama iki saattir çökmüş durumda, hiçbir şey açılmıyor!",
            "Hesabıma giremiyorum, sürekli hata mesajı çıkıyor.",
            "Siteniz tamamen ölmüş, durmadan 503 hatası veriyor.",
            "Telefona kimse bakmıyor, bir saattir hatta bekliyorum.",
            "Siparişim bugün acilen lazım ama hiçbir şeye erişemiyorum, lütfen yardım edin!",
            "İş yerindeki herkeste aynı arıza var, ne zaman düzelecek?",
        ),
        "uk": (
            "Застосунок лежить уже дві години, нічого не завантажується!",
            "Не можу увійти в кабінет, самі повідомлення про помилку.",
            "Сайт повністю впав, постійно помилка 503.",
            "Телефон ніхто не бере, чекаю на лінії цілу годину.",
            "Мені терміново потрібне замовлення сьогодні, а доступу до акаунта немає, допоможіть!",
            "У всіх колег той самий збій, коли вже запрацює?",
        ),
        "zh": (
            "应用已经瘫痪两个小时了,什么都打不开!",
            "登录不上账号,一直弹出错误提示。",
            "你们的网站彻底崩溃了,总是503错误。",
            "客服电话没人接,我已经等了一个小时。",
            "我今天急需拿到订单,却根本进不去,请马上处理!",
            "同事们全都遇到一样的故障,到底什么时候恢复?",
        ),
        "zh-Hant": (
            "應用程式已經當機兩個小時,什麼都打不開!",
            "帳號登入不了,一直跳出錯誤訊息。",
            "你們的網站整個掛掉,老是出現503錯誤。",
            "客服電話都沒人接,我已經等了一個小時。",
            "我今天急著要拿到訂單,卻完全進不去,請馬上處理!",
            "同事們全都碰到一樣的故障,到底什麼時候恢復?",
        ),
    },
    "delivery": {
        "ar": (
            "طردي تأخر أسبوعًا كاملًا ولا أحد يعرف أين هو!",
            "تتبع الشحنة لم يتغير منذ أيام.",
            "كتبت لكم ثلاث مرات ولم يرد أحد.",
            "دفعت الثمن كاملًا وأحتاج إليه اليوم بشكل عاجل.",
            "إن لم يصل غدًا أريد استرداد نقودي فورًا.",
        ),
        "de": (
            "Mein Paket ist seit einer Woche überfällig und spurlos verschwunden!",
            "Die Sendungsverfolgung steht seit Tagen still.",
            "Ich habe dreimal geschrieben, keiner antwortet.",
            "Alles längst bezahlt, und ich brauche es dringend noch heute.",
            "Kommt es morgen nicht, will ich sofort mein Geld zurück.",
        ),
        "en": (
            "My parcel is a week late and nobody knows where it is!",
            "Tracking has not moved for days.",
            "I have written three times and got no reply.",
            "I paid in full and urgently need it today.",
            "If it is not here tomorrow I want my money back at once.",
        ),
        "es": (
            "¡Mi paquete lleva una semana de retraso y nadie sabe dónde está!",
            "El seguimiento no cambia desde hace días.",
            "He escrito tres veces y nadie responde.",
            "Lo pagué todo y lo necesito hoy con urgencia.",
            "Si mañana no llega, quiero que me devuelvan el dinero ya.",
        ),
        "fr": (
            "Mon colis a une semaine de retard et personne ne sait où il est !",
            "Le suivi n'a pas bougé depuis des jours.",
            "J'ai écrit trois fois, aucune réponse.",
            "J'ai tout payé et il me le faut aujourd'hui, c'est urgent.",
            "S'il n'arrive pas demain, je veux être remboursé immédiatement.",
        ),
        "hi": (
            "मेरा पार्सल एक हफ़्ते से लेट है और किसी को पता नहीं कहाँ है!",
            "ट्रैकिंग कई दिनों से वहीं अटकी है।",
            "तीन बार लिख चुका हूँ, कोई जवाब नहीं देता।",
            "पूरे पैसे दे चुका हूँ और मुझे आज ही चाहिए, बहुत ज़रूरी है।",
            "कल तक नहीं आया तो तुरंत पैसे वापस चाहिए।",
        ),
        "id": (
            "Paket saya terlambat seminggu dan tidak ada yang tahu di mana!",
            "Status pelacakan tidak berubah berhari-hari.",
            "Saya sudah menulis tiga kali, tidak ada jawaban.",
            "Sudah saya bayar lunas dan saya perlu hari ini juga, mendesak.",
            "Kalau besok tidak sampai, saya minta uang kembali segera.",
        ),
        "it": (
            "Il mio pacco è in ritardo di una settimana e nessuno sa dove sia!",
            "Il tracciamento è fermo da giorni.",
            "Ho scritto tre volte e nessuno risponde.",
            "Ho pagato tutto e mi serve oggi, è urgente.",
            "Se domani non arriva rivoglio subito i miei soldi.",
        ),
        "ja": (
            "荷物が一週間も遅れていて、どこにあるのか誰も分からないと言われました!",
            "追跡の表示が何日も変わりません。",
            "三回も問い合わせたのに返事がありません。",
            "代金は全額払っていて、今日どうしても必要なんです。",
            "明日届かなければすぐに返金してください。",
        ),
        "ko": (
            "택배가 일주일이나 늦었는데 어디 있는지 아무도 모른대요!",
            "배송 조회가 며칠째 그대로예요.",
            "세 번이나 문의했는데 답이 없습니다.",
            "돈은 다 냈고 오늘 당장 급하게 필요해요.",
            "내일도 안 오면 바로 환불해 주세요.",
        ),
        "nl": (
            "Mijn pakket is een week te laat en niemand weet waar het is!",
            "De track-and-trace staat al dagen stil.",
            "Ik heb drie keer geschreven en krijg geen antwoord.",
            "Alles is betaald en ik heb het vandaag dringend nodig.",
            "Als het er morgen niet is, wil ik meteen mijn geld terug.",
        ),
        "pl": (
            "Moja paczka spóźnia się już tydzień i nikt nie wie, gdzie jest!",
            "Śledzenie przesyłki stoi od kilku dni.",
            "Pisałem trzy razy i zero odpowiedzi.",
            "Zapłaciłem za wszystko i pilnie potrzebuję tego dzisiaj.",
            "Jeśli jutro nie dojdzie, natychmiast żądam zwrotu pieniędzy.",
        ),
        "pt": (
            "Minha encomenda está uma semana atrasada e ninguém sabe onde está!",
            "O rastreamento não muda há dias.",
            "Já escrevi três vezes e ninguém responde.",
            "Paguei tudo e preciso disso hoje com urgência.",
            "Se não chegar amanhã, quero meu dinheiro de volta na hora.",
        ),
        "ru": (
            "Посылка опаздывает на неделю, и никто не знает, где она!",
            "Отслеживание не меняется уже несколько дней.",
            "Писал три раза, ответа нет.",
            "Всё оплачено, и мне срочно нужно сегодня.",
            "Если завтра не привезут, требую немедленно вернуть деньги.",
        ),
        "tr": (
            "Kargom bir hafta gecikti ve nerede olduğunu kimse bilmiyor!",
            "Takip ekranı günlerdir değişmiyor.",
            "Üç kez yazdım, cevap veren yok.",
            "Parasını tamamen ödedim ve bugün acilen lazım.",
            "Yarın gelmezse paramı derhal geri istiyorum.",
        ),
        "uk": (
            "Посилка запізнюється вже на тиждень, і ніхто не знає, де вона!",
            "Відстеження не змінюється кілька днів.",
            "Писав тричі, відповіді немає.",
            "Усе сплачено, і мені терміново потрібно сьогодні.",
            "Якщо завтра не привезуть, вимагаю негайно повернути гроші.",
        ),
        "zh": (
            "我的包裹晚了整整一个星期,没人知道在哪儿!",
            "物流信息好几天都没有更新。",
            "我写了三次,一直没人回复。",
            "钱早就付清了,今天就急着要用。",
            "明天再不到,请立刻退款。",
        ),
        "zh-Hant": (
            "我的包裹遲了整整一個禮拜,沒人知道在哪裡!",
            "物流資訊好幾天都沒有更新。",
            "我寫信問了三次,始終沒有人回覆。",
            "錢早就付清了,今天就急著要用。",
            "明天再不到,請立刻退費。",
        ),
    },
}
"""Sentences that stand alone, so that any two make a post."""

_LEADS: Mapping[str, int] = {"outage": 3, "delivery": 2}
"""How many of a topic's sentences, the first ones, are on the topic itself."""
_FALLBACK = "en"


def language_of(languages: Sequence[str], topic: str) -> str:
    """Return the first of a country's languages in which there are texts, else English."""
    known = TEXTS[topic]
    for language in languages:
        for tag in (language, language.rsplit("-", 1)[0], language.split("-", 1)[0]):
            if tag in known:
                return tag
    return _FALLBACK


def drill_posts(topic: str, language: str, brand: str, count: int) -> list[str]:
    """Return posts, each with a sentence on the topic itself; beyond the pairs that there are, they repeat."""
    sentences = TEXTS[topic][language]
    leads = _LEADS[topic]
    about, besides = sentences[:leads], sentences[leads:]
    pairs = [(lead, tail) for tail, lead in product(besides, about)] + list(combinations(about, 2))
    return [f"{MARK} {brand}: {' '.join(pairs[number % len(pairs)])}" for number in range(count)]
