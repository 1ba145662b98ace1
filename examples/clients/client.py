"""Claiming and consuming events from Python, with psycopg 3.

    python3 client.py claim POOL ...       claim one lead of each pool
    python3 client.py events CONSUMER      print what is new, then acknowledge it

The connection is that of the usual PGHOST, PGPORT, PGUSER, PGDATABASE.
README.md tells what to look at.
"""
import sys
import time
import uuid

import psycopg
from psycopg.rows import namedtuple_row

REJECTED = {
    "PO001": "there is no such pool",
    "PO002": "this login belongs to no member",
    "PO003": "you are not a member of this pool",
    "42501": "this login has no access; see pool.grant_access",
}


class Database:
    """One connection, opened when needed and again after it broke."""

    def __init__(self):
        self.connection = None

    def query(self, sql, arguments):
        if self.connection is None or self.connection.closed:
            # Behind a pooler the next transaction may be on another connection
            # of the server, which knows no statement prepared before.
            self.connection = psycopg.connect(
                autocommit=True, prepare_threshold=None,
                row_factory=namedtuple_row)
        return self.connection.execute(sql, arguments).fetchall()


database = Database()


def passing(error):
    """Worth another try: the connection is gone (often without a SQLSTATE), or
    the server asks to repeat the transaction."""
    state = error.sqlstate
    return state is None or state.startswith(("08", "57P", "40001", "40P01"))


def claim_one(pool):
    """Claims once, however often it has to ask.  Nobody can know whether a
    request whose answer got lost was carried out; so the same request id goes
    along again, and the answer is the first one."""
    request_id = uuid.uuid4()
    for attempt in range(1, 6):
        try:
            return database.query(
                """SELECT outcome, key, limit_value, used,
                       to_char(retry_at, 'YYYY-MM-DD HH24:MI') AS retry_at
                   FROM pool.claim(%s, request_id => %s)""",
                (pool, request_id))[0]
        except psycopg.Error as error:
            if not passing(error) or attempt == 5:
                raise
            time.sleep(0.1 * 2 ** attempt)


def told(lead):
    """What an outcome means to the person who pressed the button."""
    match lead.outcome:
        case "claimed":
            return f"claimed {lead.key}"
        case "empty" | "none_allowed":
            return f"{lead.outcome}: nothing here for you now"
        case "contended":
            return "contended: others are taking the last ones, try again"
        case "hold_limit" | "claim_limit":
            return f"{lead.outcome}: {lead.used} of {lead.limit_value}"
        case "too_soon":
            return f"too_soon: again at {lead.retry_at}"
        case "away":
            return "away: you are not at work"
        case "pool_disabled":
            return "pool_disabled: this pool is closed"
        case _:  # later versions may know more
            return lead.outcome


def claim(pools):
    for pool in pools:
        try:
            print(f"{pool}: {told(claim_one(pool))}")
        except psycopg.Error as error:
            if error.sqlstate not in REJECTED:
                raise
            print(f"{pool}: {error.sqlstate}: {REJECTED[error.sqlstate]}")


def events(consumer):
    """Each event at least once: after a crash before ack() the same ones come
    again, so do with them what may be done twice."""
    while rows := database.query(
            "SELECT position, kind, key, member FROM pool.poll(%s, 100)",
            (consumer,)):
        for event in rows:
            print(event.kind, event.key, event.member or "-")
        database.query("SELECT pool.ack(%s, %s)",
                       (consumer, rows[-1].position))
    # a service would sleep and go on


if sys.argv[1] == "events":
    events(sys.argv[2])
else:
    claim(sys.argv[2:])
