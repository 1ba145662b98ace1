/*
 * rollup_sql.h
 *	  The statements that fold finished events into the roll-ups.
 *
 * All run in one transaction, as the owner of the tables, in this order:
 * lock, snapshot, fold day, fold member, advance.  The lock comes first and in
 * a statement of its own: only then do the later ones, at READ COMMITTED, see
 * what the previous holder stored.  A worker takes it conditionally.
 *
 * The snapshot decides by itself what is folded, so that it does not matter
 * that later statements see more: an event written after it was taken, or by
 * the folding transaction itself, stays in the tail.
 *
 * An event of a lower generation that commits after the first fold of the new
 * one would be counted by neither side.  There is none: a generation is of one
 * cluster and database, whoever writes first in a copy opens its own before any
 * event (installation.c), and those who wrote the older ones are elsewhere.
 */
#ifndef POOL_ROLLUP_SQL_H
#define POOL_ROLLUP_SQL_H

/*
 * Events to fold.  A CASE, so that the planner does not take it for something
 * to look up in the index: that is what is_tail is for.
 */
#define ROLLUP_FINISHED(event, snapshot) \
	"CASE WHEN " event ".generation = $2 " \
	"THEN pg_catalog.pg_visible_in_snapshot(" event ".xid, " snapshot ") " \
	"ELSE " event ".generation < $2 END"

/*
 * $1 = greatest number of events to fold, NULL = all (a whole transaction is
 * never split, and what older generations left is folded at once); $2 =
 * current generation.  One row: the snapshot to fold up to, whether more is
 * left, whether there is anything to fold, and whether the last fold was in an
 * older generation.
 *
 * pg_current_snapshot() leaves out the caller's own transaction, which would
 * make its later events look folded: it is added here.  A bound is a smaller
 * xmax: transactions are folded in the order of their ids.
 *
 * Nothing to fold is the usual answer and must be cheap: where the last fold
 * left no running transaction behind, one look at the index gives it.
 */
#define ROLLUP_SNAPSHOT_SQL \
	"WITH here AS MATERIALIZED ( " \
	"SELECT n.s, n.own, pg_catalog.pg_snapshot_xmax(n.s) AS xmax, " \
	"CASE WHEN r.generation = $2 THEN pg_catalog.pg_snapshot_xmax(r.snapshot) " \
	"ELSE '0'::xid8 END AS done, coalesce(r.generation = $2 AND " \
	"pg_catalog.pg_snapshot_xmin(r.snapshot) = " \
	"pg_catalog.pg_snapshot_xmax(r.snapshot), false) AS settled, " \
	"coalesce(r.generation < $2, false) AS behind " \
	"FROM (SELECT pg_catalog.pg_current_snapshot() AS s, " \
	"pg_catalog.pg_current_xact_id_if_assigned() AS own) n " \
	"LEFT JOIN pool.rollup_state r ON true), " \
	"head AS MATERIALIZED ( " \
	"SELECT h.done, h.own, h.settled, (SELECT e.xid FROM pool.event e " \
	"WHERE e.generation = $2 AND e.xid >= h.done " \
	"AND e.xid IS DISTINCT FROM h.own " \
	"ORDER BY e.generation, e.xid LIMIT 1) AS first FROM here h), " \
	"next AS MATERIALIZED ( " \
	"SELECT h.first, h.settled AND h.first IS NULL AS nothing, " \
	"CASE WHEN h.first IS NOT NULL THEN (SELECT e.xid FROM pool.event e " \
	"WHERE $1 IS NOT NULL AND e.generation = $2 AND e.xid >= h.done " \
	"AND e.xid IS DISTINCT FROM h.own " \
	"ORDER BY e.generation, e.xid OFFSET $1 LIMIT 1) END AS beyond " \
	"FROM head h), " \
	"bound AS MATERIALIZED ( " \
	"SELECT h.s, h.own, h.xmax, n.nothing, CASE WHEN n.beyond IS NULL THEN h.xmax " \
	"ELSE LEAST(h.xmax, GREATEST(n.beyond, " \
	"(n.first::text::bigint + 1)::text::xid8)) END AS upto " \
	"FROM here h, next n), " \
	"made AS MATERIALIZED ( " \
	"SELECT b.upto < b.xmax AS more, b.nothing, " \
	"(LEAST(pg_catalog.pg_snapshot_xmin(b.s), b.own, b.upto)::text " \
	"|| ':' || b.upto::text || ':' || coalesce( " \
	"(SELECT pg_catalog.string_agg(u.x::text, ',' ORDER BY u.x) " \
	"FROM (SELECT pg_catalog.pg_snapshot_xip(b.s) UNION SELECT b.own) u(x) " \
	"WHERE u.x < b.upto), ''))::pg_snapshot AS snapshot FROM bound b) " \
	"SELECT m.snapshot, m.more, CASE WHEN m.nothing THEN false " \
	"ELSE EXISTS (SELECT FROM pool.event_tail e " \
	"WHERE " ROLLUP_FINISHED("e", "m.snapshot") ") " \
	"END AS pending, (SELECT h.behind FROM here h) AS behind " \
	"FROM made m"

/* $1 = snapshot, $2 = current generation (integer), also below. */
#define ROLLUP_FOLD_DAY_SQL \
	"INSERT INTO pool.rollup_day AS r SELECT f.* FROM pool.tail_day( " \
	"(SELECT s.generation FROM pool.rollup_state s), " \
	"(SELECT s.snapshot FROM pool.rollup_state s), $2, $1) f " \
	"ON CONFLICT (pool_id, day, source) DO UPDATE SET " \
	"entered = r.entered + excluded.entered, claimed = r.claimed + " \
	"excluded.claimed, assigned = r.assigned + excluded.assigned, " \
	"transferred = r.transferred + excluded.transferred, given = r.given + " \
	"excluded.given, followed_up = r.followed_up + excluded.followed_up, " \
	"first_responses = r.first_responses + excluded.first_responses, " \
	"released = r.released + excluded.released, reclaimed = r.reclaimed + " \
	"excluded.reclaimed, missed = r.missed + excluded.missed, converted = " \
	"r.converted + excluded.converted, archived = r.archived + " \
	"excluded.archived, reopened = r.reopened + excluded.reopened, erased = " \
	"r.erased + excluded.erased, moved_in = r.moved_in + excluded.moved_in, " \
	"moved_out = r.moved_out + excluded.moved_out, ended = r.ended + " \
	"excluded.ended, d_available = r.d_available + excluded.d_available, " \
	"d_review = r.d_review + excluded.d_review, d_owned = r.d_owned + " \
	"excluded.d_owned, d_converted = r.d_converted + excluded.d_converted, " \
	"d_archived = r.d_archived + excluded.d_archived, " \
	"first_response_seconds_sum = r.first_response_seconds_sum + " \
	"excluded.first_response_seconds_sum, seconds_to_convert_sum = " \
	"r.seconds_to_convert_sum + excluded.seconds_to_convert_sum, amount = " \
	"r.amount + excluded.amount"

#define ROLLUP_FOLD_MEMBER_SQL \
	"INSERT INTO pool.rollup_member AS r SELECT f.* FROM pool.tail_member( " \
	"(SELECT s.generation FROM pool.rollup_state s), " \
	"(SELECT s.snapshot FROM pool.rollup_state s), $2, $1) f " \
	"ON CONFLICT (pool_id, member_id, day) DO UPDATE SET " \
	"claimed = r.claimed + excluded.claimed, assigned = r.assigned + " \
	"excluded.assigned, received = r.received + excluded.received, given = " \
	"r.given + excluded.given, followed_up = r.followed_up + " \
	"excluded.followed_up, first_responses = r.first_responses + " \
	"excluded.first_responses, missed = r.missed + excluded.missed, " \
	"released = r.released + excluded.released, reclaimed = r.reclaimed + " \
	"excluded.reclaimed, converted = r.converted + excluded.converted, " \
	"archived = r.archived + excluded.archived, ended = r.ended + " \
	"excluded.ended, first_response_seconds_sum = " \
	"r.first_response_seconds_sum + excluded.first_response_seconds_sum, " \
	"amount = r.amount + excluded.amount"

#define ROLLUP_ADVANCE_SQL \
	"INSERT INTO pool.rollup_state AS s (generation, snapshot, at) " \
	"VALUES ($2, $1, pg_catalog.statement_timestamp()) " \
	"ON CONFLICT (singleton) DO UPDATE SET generation = excluded.generation, " \
	"snapshot = excluded.snapshot, at = excluded.at " \
	"WHERE s.generation <= excluded.generation"

#endif							/* POOL_ROLLUP_SQL_H */
