"""demo_words.py -- the names, goods and texts of the made-up business of `make run`.

Words alone, so that whoever wants another business edits this file.  The numbers that are
called here are those which regulators keep for films (Hamburg, Britain), and in China a range
that nobody has; the domains end in .example.
"""
import collections

Shop = collections.namedtuple("Shop", "zone currency rate country phone sundays customers han")
SHOPS = {
    "hamburg": Shop("Europe/Berlin", "EUR", 1, "DE", "+494066969{:03}", False, 1250, 0.12),
    "london": Shop("Europe/London", "GBP", 0.9, "GB", "+447700900{:03}", False, 950, 0.16),
    "shanghai": Shop("Asia/Shanghai", "CNY", 8, "CN", "+8610076540{:03}", True, 800, 0.95),
}

# name: (title, shop or None for the office)
STAFF = {
    "anna": ("Anna Berg", "hamburg"),
    "jonas": ("Jonas Petersen", "hamburg"),
    "wei": ("林伟", "hamburg"),
    "harriet": ("Harriet Boyd", "london"),
    "owen": ("Owen Price", "london"),
    "priya": ("Priya Nair", "london"),
    "mei": ("梅雪", "shanghai"),
    "chen": ("陈立", "shanghai"),
    "zhou": ("周敏", "shanghai"),
    "karin": ("Karin Wolff", None),
    "tom": ("Tom Ashworth", None),
}
MANAGERS = ["karin", "tom"]

# First names and family names; the frequent ones come first.
LATIN = {
    "hamburg": (
        "Anna Maria Peter Thomas Sabine Andrea Jan Lena Felix Julia Lukas Laura Stefan Claudia "
        "Nele Jonas Katrin Uwe Birgit Finn Merle Hauke Svenja Ole Greta Hanna Matthias Ingrid "
        "Torben Emil Frieda Bo Astrid Elena Marek Aylin Mehmet Sofia".split(),
        "Müller Schmidt Hansen Petersen Meyer Schröder Jansen Fischer Weber Lüders Brandt Voss "
        "Carstens Behrens Lorenzen Krüger Wulf Stahl Thomsen Matthiesen Kowalski Yilmaz Novak "
        "Lindqvist Ahrens Rohde Timm Harms".split(),
    ),
    "london": (
        "Oliver James Emma Sophie George Amelia Henry Charlotte Thomas Grace Alice Samuel Ruby Leo "
        "Hannah Isla Arthur Freya Edward Lucy Daniel Zara Adam Imogen Rosa Patrick Aisha Nikhil "
        "Clara Ewan Maeve Rhys".split(),
        "Smith Jones Taylor Brown Williams Wilson Evans Thomas Hughes Walker Wright Robinson "
        "Thompson White Green Hall Wood Clarke Patel Khan Murphy Kelly Okafor Costa Novak Moreau "
        "Bell Shaw".split(),
    ),
    "shanghai": (
        "Marc Julie Kenji Laura David Nina Paolo Erik Camille Andrew".split(),
        "Dupont Tanaka Rossi Keller Nguyen Larsen Garcia Cohen".split(),
    ),
}
FAMILY = dict(
    pair.split(":")
    for pair in "王:wang 李:li 张:zhang 刘:liu 陈:chen 杨:yang 黄:huang 赵:zhao 吴:wu 周:zhou 徐:xu 孙:sun "
    "马:ma 朱:zhu 胡:hu 郭:guo 何:he 林:lin 高:gao 罗:luo 郑:zheng 梁:liang 谢:xie 宋:song 唐:tang 许:xu "
    "韩:han 冯:feng 邓:deng 曹:cao 沈:shen 曾:zeng 吕:lü 欧阳:ouyang 司马:sima 上官:shangguan".split()
)
GIVEN = dict(
    pair.split(":")
    for pair in "伟:wei 芳:fang 娜:na 敏:min 静:jing 丽:li 强:qiang 磊:lei 洋:yang 艳:yan 勇:yong 军:jun 杰:jie "
    "娟:juan 涛:tao 明:ming 小明:xiaoming 晓燕:xiaoyan 建国:jianguo 志强:zhiqiang 秀英:xiuying "
    "婷婷:tingting 子涵:zihan 雨桐:yutong 浩然:haoran 欣怡:xinyi 思远:siyuan 文静:wenjing 嘉怡:jiayi "
    "宇轩:yuxuan 梓萱:zixuan 海燕:haiyan 国华:guohua 丽华:lihua 佳琪:jiaqi 立新:lixin".split()
)

# Prices in EUR; the rate of a shop and rounding make its own.
GOODS = {
    "sencha": 24,
    "oolong": 38,
    "jasmine pearls": 32,
    "pu-erh cake": 85,
    "white peony": 29,
    "gaiwan": 95,
    "teapot": 180,
    "cup": 18,
    "set of six cups": 110,
    "tea caddy": 60,
    "tea table": 640,
    "celadon vase": 260,
    "iron kettle": 220,
    "bamboo whisk": 22,
}
OFTEN = [9, 8, 7, 3, 5, 3, 2, 8, 2, 3, 0.5, 1.2, 1, 3]  # how often each is bought

ENQUIRIES = {
    "en": [
        ("opening hours", "Are you open on the bank holiday?"),
        ("oolong", "Do you still have the oolong from the spring picking?"),
        ("tea table", "Could you deliver the tea table to the third floor, no lift?"),
        ("workshop", "Is there a place left in the tasting on Saturday?"),
        ("gift", "I need something for my mother's seventieth. She drinks green tea only."),
        ("iron kettle", "Does the iron kettle work on induction?"),
    ],
    "de": [
        ("Öffnungszeiten", "Haben Sie am Samstag vor Ostern geöffnet?"),
        ("Matcha", "Wann kommt der Matcha wieder, der im Herbst ausverkauft war?"),
        ("Reparatur", "An meiner Kanne ist der Deckel gesprungen. Kann man das kitten?"),
        ("Firmengeschenk", "Wir suchen vierzig kleine Dosen für unsere Kunden. Geht das?"),
        ("Verkostung", "Gibt es die Verkostung auch auf Englisch?"),
    ],
    "zh": [
        ("普洱", "去年的熟普还有吗？想再要两饼。"),
        ("茶桌", "茶桌可以送到杭州吗？运费多少？"),
        ("品茗会", "周六的品茗会还有位子吗？两位。"),
        ("刻字", "茶壶可以刻字吗？想送给老师。"),
        ("营业时间", "国庆期间几点开门？"),
    ],
}
COMPLAINTS = {
    "en": [
        (
            "a broken cup",
            "One of the six cups arrived in pieces, and the parcel was barely padded.",
        ),
        ("a late parcel", "Promised for Friday; it is Wednesday and nobody picks up the phone."),
        ("the wrong tea", "I ordered white peony and got jasmine. Again."),
        ("a wrong bill", "I was charged for delivery although I collected it myself."),
        (
            "the tone in the shop",
            "I was told to hurry up because of the queue. Not what I come for.",
        ),
    ],
    "de": [
        ("eine gesprungene Kanne", "Die Kanne hat nach zwei Wochen einen Haarriss."),
        ("eine späte Lieferung", "Zugesagt war Montag, heute ist Donnerstag."),
        ("eine falsche Rechnung", "Der Rabatt vom Verkostungsabend fehlt auf der Rechnung."),
        ("muffigen Tee", "Die Dose war nicht dicht, der Sencha schmeckt nach Karton."),
    ],
    "zh": [
        ("杯子破损", "收到时六个杯子碎了一个，包装太薄了。"),
        ("发错货", "订的是白牡丹，收到的是茉莉。"),
        ("送货太慢", "说好三天到，已经一个星期了。"),
        ("发票抬头", "发票抬头开错了，报销不了。"),
    ],
}

# How staff closes a follow-up of each rule: (weight, outcome, note).
OUTCOMES = {
    "welcome call": [
        (6, "reached", "Friendly; came because of a friend"),
        (4, "reached", "Asked for the tasting dates"),
        (3, "voicemail", "Left a welcome and our hours"),
        (2, "no answer", ""),
        (1, "no calls please", "Prefers e-mail"),
    ],
    "thank for a big order": [
        (6, "reached", "Delighted that somebody calls"),
        (3, "reached", "It is a wedding present; asked for wrapping"),
        (2, "voicemail", "Thanked, no answer needed"),
        (1, "reached", "Wants an invoice in the company's name"),
    ],
    "follow up on a visit": [
        (4, "reached", "Still thinking about it; call again next month"),
        (3, "reached", "Too dear; told her about the smaller one"),
        (2, "reached", "Was a present; found something else"),
        (3, "no answer", ""),
    ],
    "answer a complaint": [
        (5, "replaced", "Sent a new one, with an apology and a sample"),
        (3, "refunded", "Money back the same day"),
        (2, "explained", "A misunderstanding; all is well"),
        (1, "replaced", "Will pick it up in the shop"),
    ],
    "ask after a regular": [
        (4, "reached", "Moved to another town; orders online from now on"),
        (4, "reached", "Had forgotten us; comes on Saturday"),
        (2, "reached", "Buys elsewhere: our prices"),
        (3, "no answer", ""),
    ],
}
