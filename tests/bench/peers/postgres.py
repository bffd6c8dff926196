#!/usr/bin/python3
"""postgres.py FILE BATCH DSN -- the work of Kith's ingest in PostgreSQL.

No round trip per event: a batch is copied into a temporary table, and one statement over the
whole set stores the events whose message id is new, creates customers, counts orders and revenue,
sets reminders and queues messages.  A batch is one durable transaction (synchronous_commit on).
What the rules cannot find (a customer of tier gold paying in euros) is asked for as well.
"""
import io
import sys
import time

import psycopg2

TABLES = """
drop schema if exists bench cascade;
create schema bench;
set search_path = bench;
create table customer (
    number bigserial primary key,
    user_id text not null unique,
    tier text not null default 'silver',
    orders integer not null default 0,
    revenue double precision not null default 0);
create table event (
    seq bigserial primary key,
    message_id text not null unique,
    customer bigint not null,
    logged timestamptz not null default now(),
    body jsonb not null);
create index on event (customer, seq);
create table reminder (
    due timestamptz,
    customer bigint,
    seq bigint,
    primary key (due, customer, seq));
create table message (seq bigint, channel text, body text);
create temporary table incoming (place serial, body jsonb);
"""

CREATE_CUSTOMERS = """
insert into customer (user_id) select distinct body->>'userId' from incoming
on conflict do nothing
"""

APPLY = """
with stored as (
    insert into event (message_id, customer, body)
    select i.body->>'messageId', c.number, i.body
    from incoming i join customer c on c.user_id = i.body->>'userId'
    order by i.place
    on conflict do nothing
    returning seq, customer, body->'properties' as data),
sums as (
    select customer, count(*) as orders, sum((data->>'total')::double precision) as revenue,
        max(seq) as seq, bool_or(data->>'currency' = 'EUR') as has_euros
    from stored group by customer),
counted as (
    update customer c set orders = c.orders + s.orders, revenue = c.revenue + s.revenue
    from sums s where c.number = s.customer
    returning c.orders, s.orders as new, s.seq, s.has_euros, c.tier),
reminded as (
    insert into reminder
    select now() + interval '3 days', customer, seq from stored
    where (data->>'total')::double precision > 990)
insert into message
select seq, 'log', 'thanks' from counted where orders / 50 <> (orders - new) / 50
union all
select seq, 'log', 'gold ' || rule from counted, generate_series(4, 10) as rule
where has_euros and tier = 'gold'
"""


def apply(cursor, lines):
    cursor.execute("truncate incoming")
    cursor.copy_expert(
        "copy incoming (body) from stdin " "with (format csv, quote e'\\x01', delimiter e'\\x02')",
        io.StringIO("\n".join(lines) + "\n"),
    )
    cursor.execute(CREATE_CUSTOMERS)
    cursor.execute(APPLY)


def main(path, batch, dsn):
    database = psycopg2.connect(dsn)
    cursor = database.cursor()
    cursor.execute(TABLES)
    cursor.execute("set search_path = bench, pg_temp")
    database.commit()
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    began = time.monotonic()
    for first in range(0, len(lines), batch):
        apply(cursor, lines[first : first + batch])
        database.commit()
    print("%d events in %.3f s" % (len(lines), time.monotonic() - began))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
