"""Words that hold sentences together and say nothing of what they are about, in the languages that put spaces.

The commonest of each, written down; counted words alone do not tell them where a week has few posts in a language.
"""

_BY_LANGUAGE = {
    "en": "the and for with that this they them their there here have has had been being was were are but not you your"
    " our his her its she him who what when where why how all any can could would should will just about after again"
    " even ever every from into more most much than then too very also because until while still only really some such"
    " please thanks hello know say said get got make made take need want did does doing can't don't didn't it's i'm",
    "fr": "les des une est que qui pour pas plus dans sur avec par tout tous fait faire mais donc car moi toi lui nous"
    " vous ils elles mon mes son ses leur leurs notre nos votre vos cette ces été être avoir ont avez avons j'ai c'est"
    " n'est qu'il d'un d'une depuis encore toujours jamais rien très trop bien aussi alors comme quand sans chez matin"
    " bonjour merci svp même peu après avant entre déjà j'en aux dit vos suis sont était peut cela ceci",
    "de": "der die das den dem des ein eine einen einem einer und oder aber nicht ich mich mir wir uns ihr euch sie ihn"
    " ihm mein meine meinem meinen dein sein seine ist sind war waren wird werden wurde hat habe haben hatte kann noch"
    " nur auch schon immer wieder jetzt dann wenn weil dass mit von vom zum zur bei nach aus auf über unter für ohne"
    " wie was wer warum mal mehr sehr doch kein keine einfach machen bitte hallo danke heute gestern muss soll lieber",
    "es": "los las una unos unas que con por para pero como más muy mis sus nos les este esta esto ese esa eso hay está"
    " están era fue son ser estar sin sobre todo toda todos cuando donde porque desde hasta también tan solo bien nada"
    " nadie nunca siempre otra otro vez hola gracias favor ahora aquí hace tiene tengo han haya puedo puede quiero",
    "it": "gli una uno che con per non del della dei delle nel nella sul sono era stato ho hai abbiamo hanno mio mia"
    " loro questo questa quello come quando dove perché ancora sempre mai molto più anche ma poi già dopo prima senza"
    " tutto tutti niente grazie buongiorno fatto fare essere avere",
    "nl": "het een van voor met niet dat dit deze die maar ook nog wel als dan toch heel mijn jullie onze zijn was"
    " waren hebben heeft had kan kunnen wordt worden naar over door uit bij omdat steeds altijd alweer weer geen meer"
    " niets hallo bedankt graag alles veel ben heb wat wie waar waarom gewoon moet",
    "pt": "uma uns umas que com para por mas como mais muito meu minha seu sua nos nas dos das este esta isso isto são"
    " foi era ser estar está não sem sobre tudo todos quando onde porque desde até também só bem nada ninguém nunca"
    " sempre outra outro vez olá obrigado favor agora aqui tem tenho",
    "ru": "это как что где когда почему или если для без при над под через после перед уже ещё еще только очень тоже"
    " также был была было были есть быть нет все всё вся мне меня нас вам вас его её ему она они оно мой моя наш ваш"
    " этот эта эти тот так там тут здесь опять снова просто можно нужно надо даже вот чтобы пока третий второй",
    "uk": "це як що де коли чому або якщо для без при над під через після перед вже ще тільки дуже теж також був була"
    " було були бути немає все мені мене нас вам вас його вона вони мій наш ваш цей ця ці той так там тут знову просто",
    "pl": "nie jest się jak ale dla czy tak już jeszcze tylko bardzo też był była było były być mam mnie nam was ich"
    " ten ta to te tam tutaj znowu przez przed przy bez pod nad oraz który która które gdy kiedy dlaczego proszę dzień",
    "tr": "bir ama için çok daha gibi kadar sonra önce bana size bize onlar ben sen biz siz var yok değil ile olan"
    " oldu olarak hiç her şey neden niye nasıl hala artık yine lütfen merhaba",
    "id": "yang dan untuk dengan tidak ini itu ada saya kami kamu anda mereka sudah belum masih bisa akan karena tapi"
    " juga lagi sangat sekali kurang dari pada oleh atau kalau jadi sama saja tolong halo min kok nya",
    "ar": "من في على عن إلى الى مع هذا هذه ذلك التي الذي ما لا لم لن كان كانت أن إن أنا نحن انا كل بعد قبل حتى عند بس"
    " كثير جدا لكن أو ثم هل لماذا",
    "hi": "है हैं था थी थे और का की के को से में पर यह वह ये वो मैं हम आप मेरा मेरी मुझे नहीं भी तो ही कि जो बहुत फिर अब कोई कुछ",
}

FUNCTION_WORDS = frozenset(word for words in _BY_LANGUAGE.values() for word in words.split())
"""Folded for comparison."""
