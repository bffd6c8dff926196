"""Made-up customers and orders for tests of size: the same seed, the same files.

Two of five customers have Chinese names, the others Latin ones; a phone number and a mail address
is one customer's alone.  Orders come in order of their time, of customers drawn at random, as out
of a till.
"""
import array
import datetime
import random
import re
import time
import urllib.parse

SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
    "苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史"
    "顾侯邵孟龙万段钱汤尹黎易常武乔贺赖龚文"
)
GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红梅小晓春生志国建文海波宇浩"
    "然子轩梓涵欣怡雨婷佳琪思远天翔俊豪雪莹美玲淑珍凤金龙飞鹏程嘉宁安康乐阳晨曦月星云"
    "峰林森清泉瑞祥福德义仁智信礼永庆东南西北中山川河江湖松柏竹菊荷莲兰薇蓉萍"
)
FIRST = (
    "Anna Ben Clara David Emma Felix Greta Hannah Ida Jonas Karl Lena Max Nora Oskar Paula Quentin "
    "Rosa Simon Tessa Ute Viktor Wanda Xenia Yannick Zoe Jürgen Renée Søren Łukasz Inês Björn "
    "Alice Brian Carol Daniel Ellen Frank Grace Henry Irene James Kate Liam Mary Noah Olivia Peter"
).split()
STEMS = (
    "Acker Berg Blum Brand Braun Burg Dorn Eichen Feld Fisch Gold Grün Hart Haus Hirsch Holz Kirch "
    "König Lang Licht Linden Mark Meyer Neu Ober Rosen Roth Schmidt Schön Schwarz Silber Stein "
    "Stern Sommer Unter Wald Wasser Weiß Winter Zimmer Ash Bell Cart Dal Ell Ford Green Hill"
).split()
ENDINGS = (
    "mann berg stein er feld bach ner hof haus mer meier ton ley well son by field wood worth man "
    "hardt ring thal brunn dorf au eck horn kamp lund ström quist sen ski owa"
).split()
DOMAINS = "example.com example.org mail.example post.example web.example".split()
PREFIXES = "+86138 +86139 +86150 +86186 +4930 +4940 +4917 +1212555 +4420".split()
CITIES = "Berlin Hamburg Köln München Wien Zürich London 上海 北京 广州 成都".split()
FIRST_DAY = datetime.datetime(2023, 1, 1)
SECONDS = 3 * 365 * 86400
SILENT_SECONDS = 600  # without an order: there will be none any more
ORDER = re.compile(rb'"id":"Order Completed:order (\d+)"')
TAIL = 64  # bytes kept between two pieces; longer than what ORDER matches


class Customer:
    """One row: everything follows from its number."""

    def __init__(self, number, dice):
        self.number = number
        draw = dice.random
        self.is_chinese = draw() < 0.4
        if self.is_chinese:
            self.surname = SURNAMES[int(draw() * draw() * len(SURNAMES))]
            self.given = GIVEN[int(draw() * len(GIVEN))]
            if draw() < 0.8:
                self.given += GIVEN[int(draw() * len(GIVEN))]
            self.name = self.surname + self.given
        else:
            self.surname = STEMS[int(draw() * len(STEMS))] + ENDINGS[int(draw() * len(ENDINGS))]
            self.given = FIRST[int(draw() * len(FIRST))]
            self.name = f"{self.given} {self.surname}"
        word = ENDINGS[int(draw() * len(ENDINGS))] + STEMS[int(draw() * len(STEMS))].lower()
        if not word.isascii():
            word = "kontor"
        self.email = f"{word}.{number}@{DOMAINS[int(draw() * len(DOMAINS))]}"
        digits = (
            number * 38746159 + 12345678
        ) % 100000000  # each once: the factor is odd, not of 5
        self.phone = f"{PREFIXES[number % len(PREFIXES)]}{digits:08}"
        self.city = CITIES[int(draw() * len(CITIES))]


def customers(count, seed):
    dice = random.Random(seed)
    return (Customer(number, dice) for number in range(count))


def write_customers(path, count, seed=1):
    """customers.csv; `count` rows."""
    with open(path, "w", newline="\r\n", encoding="utf-8") as file:
        file.write("no,name,mail,phone,city\n")
        for it in customers(count, seed):
            file.write(f"{it.number},{it.name},{it.email},{it.phone},{it.city}\n")
    return path


CUSTOMER_WORDS = ("--map", "no=userId", "--map", "name=name", "--map", "mail=email")
CUSTOMER_WORDS += ("--map", "phone=phone", "--map", "city=city", "--id", "no")


class Orders:
    """orders.csv, and what each customer must have when every row has counted once."""

    def __init__(self, path, count, customer_count, seed=1):
        self.path, self.count = path, count
        self.orders = array.array("I", bytes(4 * customer_count))
        self.cents = array.array("Q", bytes(8 * customer_count))
        dice = random.Random(seed + 1)
        with open(path, "w", newline="\r\n", encoding="utf-8") as file:
            file.write("no,customer,at,shop,cents\n")
            for number in range(count):
                who, cents = int(dice.random() * customer_count), int(dice.random() * 30000) + 1
                at = FIRST_DAY + datetime.timedelta(seconds=number * SECONDS // count)
                self.orders[who] += 1
                self.cents[who] += cents
                file.write(f"order {number},{who},{at},shop {number % 7},{cents}\n")


ORDER_WORDS = ("--event", "Order Completed", "--map", "customer=userId")
ORDER_WORDS += ("--map", "at=at:date(%Y-%m-%d %H:%M:%S)", "--map", "shop=shop")
ORDER_WORDS += ("--map", "cents=cents:number", "--id", "no")

# What shows in each customer how often her orders counted.
RULES = """
rule "count orders" {
  on = "Order Completed",
  run = function(event, customer)
    customer:set("orders", (customer.orders or 0) + 1)
    customer:set("cents", (customer.cents or 0) + event.cents)
  end,
}
"""


# ---- Each once ----------------------------------------------------------------------------


def wait_for_checkpoint(daemon):
    """Lists show what the last checkpoint holds, which a busy daemon is a little ahead of."""
    end = daemon.metric("kith_log_entries")
    while daemon.get("/v1/customers?limit=1").json["seq"] < end:
        time.sleep(0.5)


def check_customers(daemon, orders, count):
    """Every customer is there once, and each of her orders counted once."""
    wait_for_checkpoint(daemon)
    connection, seen, after, faults = daemon.connect(), bytearray(count), "", []
    while after is not None:
        page = daemon.get(f"/v1/customers?limit=1000{after}", connection=connection).json
        for item in page["items"]:
            (who,) = map(int, item["ids"]["user_id"])
            seen[who] += 1
            traits = item["traits"]
            found = traits.get("orders", 0), traits.get("cents", 0)
            if found != (orders.orders[who], orders.cents[who]):
                faults.append((who, found, (orders.orders[who], orders.cents[who])))
        after = page["next"] and "&after=" + page["next"]
    assert seen == bytearray([1]) * count, f"{seen.count(0)} customers missing, or some twice"
    assert not faults, f"{len(faults)} customers with wrong counts: {faults[:3]}"


def check_orders(daemon, count):
    """The stream has every order once."""
    connection, seen, tail = daemon.connect(), bytearray(count), b""
    path = "/v1/stream?after=0&type=" + urllib.parse.quote("Order Completed")
    connection.request("GET", path, headers={"Authorization": f"Bearer {daemon.key('admin')}"})
    response, found = connection.getresponse(), 0
    assert response.status == 200, response.read()
    heard = time.monotonic()
    while found < count and time.monotonic() < heard + SILENT_SECONDS:
        piece = tail + response.read1(1 << 20)
        end = 0
        for match in ORDER.finditer(piece):
            seen[int(match.group(1))] += 1
            found, end, heard = found + 1, match.end(), time.monotonic()
        tail = piece[max(end, len(piece) - TAIL) :]
        assert piece, "the stream ended"
    connection.close()
    assert seen == bytearray([1]) * count, f"{seen.count(0)} orders missing, others twice"
