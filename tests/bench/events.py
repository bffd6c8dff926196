#!/usr/bin/python3
"""events.py COUNT CUSTOMERS [SEED] -- orders as Segment's track calls, one JSON object a line.

Few customers buy much: customer number CUSTOMERS * x^3 for an even x, so that the busiest of
100,000 has two orders in a hundred.  Totals are even from 0 to 1000, an order has two products.
The same arguments give the same bytes.
"""
import random
import sys

LINE = (
    '{"type":"track","event":"Order Completed","userId":"u-%d","messageId":"m-%016x",'
    '"timestamp":"2026-11-21T10:11:12.345Z","properties":{"order_id":"o-%d","total":%.2f,'
    '"currency":"USD","products":[{"sku":"A-1","price":99.5,"qty":1},'
    '{"sku":"B-2","price":100.45,"qty":1}]},"context":{"ip":"10.0.0.1"}}\n'
)


def write(file, count, customers, seed=7, is_even=False):
    """is_even: every customer once, then again from the first."""
    dice = random.Random(seed)
    for number in range(count):
        customer = number % customers if is_even else int(customers * dice.random() ** 3)
        file.write(LINE % (customer, dice.getrandbits(64), number, dice.random() * 1000))


if __name__ == "__main__":
    write(sys.stdout, *(int(argument) for argument in sys.argv[1:]))
