-- Events for the outside (poll.c): every committed one once, in an order that
-- never skips a late commit.

CREATE FUNCTION pool.poll(
    consumer text, n integer DEFAULT 500,
    OUT "position" text, OUT event_id bigint, OUT at timestamptz,
    OUT kind text, OUT tenant text, OUT pool text, OUT lead_id bigint,
    OUT key text, OUT member text, OUT actor text, OUT rule_id integer,
    OUT reason text, OUT source text, OUT grade text, OUT detail jsonb)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_poll'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 500;
COMMENT ON FUNCTION pool.poll(text, integer) IS
    'The next n (1 to 10000) events the consumer has not acknowledged, of the '
    'tenants the caller may see, oldest first; the same ones again until '
    'ack(). The order is that of transactions: no event that commits late is '
    'skipped, and so none is given out before every transaction that began '
    'before its own has ended. A consumer comes into being with its first '
    'call, at the oldest event; ack(consumer, NULL) takes it to the present. '
    'LISTEN pool_event is woken by ticks when there is something new. Errors: '
    '22004, 22023, 42501; 25006 where a new consumer cannot be written.';

CREATE FUNCTION pool.ack(
    consumer text, "position" text, OUT outcome text)
RETURNS SETOF text
    AS 'MODULE_PATHNAME', 'pool_ack'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.ack(text, text) IS
    'Acknowledges all events up to this position (a column of poll() and '
    'digest()); NULL = all there are now. Outcomes: ok, behind (a later one '
    'is acknowledged already; nothing changes), not_found (no such consumer). '
    'Errors: 22004, 22023 for what is no position or was not given out.';

CREATE FUNCTION pool.digest(
    consumer text, n integer DEFAULT 500,
    OUT tenant text, OUT member text, OUT kind text, OUT pool text,
    OUT leads bigint, OUT lead_ids bigint[], OUT until timestamptz,
    OUT "position" text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_digest'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 100;
COMMENT ON FUNCTION pool.digest(text, integer) IS
    'The same events as messages: one row per person to be told (member), '
    'kind and pool, with the number of leads, the first 20 of them, and the '
    'earliest due time. Claims, follow-ups and edits, which people did '
    'themselves, make no message. position is that of the last event, the '
    'same in all rows; where nobody is to be told, one row has it alone. '
    'Errors: as poll().';

CREATE FUNCTION pool.drop_consumer(consumer text, OUT outcome text)
RETURNS SETOF text
    AS 'MODULE_PATHNAME', 'pool_drop_consumer'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.drop_consumer(text) IS
    'Forgets a consumer; purge_events() keeps nothing for it any more. '
    'Outcomes: dropped, not_found. Errors: 22004, 22023.';

CREATE VIEW pool.stat_consumer WITH (security_barrier) AS
SELECT c.name AS consumer, t.name AS tenant, c.generation,
    c.xid::text::bigint AS transaction, c.event_id, c.since, c.acked_at
FROM pool.consumer c
LEFT JOIN pool.tenant t ON t.id = c.tenant_id
WHERE c.tenant_id >= 0 AND pool.sees_tenant(c.tenant_id);
COMMENT ON VIEW pool.stat_consumer IS
    'Consumers of poll(), and how far they are.';
COMMENT ON COLUMN pool.stat_consumer.consumer IS 'Name.';
COMMENT ON COLUMN pool.stat_consumer.tenant IS 'Tenant; NULL = all.';
COMMENT ON COLUMN pool.stat_consumer.generation IS
    'Generation of the last event acknowledged.';
COMMENT ON COLUMN pool.stat_consumer.transaction IS
    'Transaction of the last event acknowledged.';
COMMENT ON COLUMN pool.stat_consumer.event_id IS
    'Last event acknowledged.';
COMMENT ON COLUMN pool.stat_consumer.since IS 'When it polled first.';
COMMENT ON COLUMN pool.stat_consumer.acked_at IS
    'When it acknowledged last; NULL = never.';
