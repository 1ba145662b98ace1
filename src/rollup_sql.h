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

/* What is added to the counters of all three roll-ups of pools, */
#define ROLLUP_ADD_POOL \
	"entered = r.entered + excluded.entered, claimed = r.claimed + " \
	"excluded.claimed, assigned = r.assigned + excluded.assigned, " \
	"transferred = r.transferred + excluded.transferred, followed_up " \
	"= r.followed_up + excluded.followed_up, first_responses = " \
	"r.first_responses + excluded.first_responses, released = " \
	"r.released + excluded.released, reclaimed = r.reclaimed + " \
	"excluded.reclaimed, missed = r.missed + excluded.missed, " \
	"converted = r.converted + excluded.converted, archived = " \
	"r.archived + excluded.archived, reopened = r.reopened + " \
	"excluded.reopened, erased = r.erased + excluded.erased, moved_in " \
	"= r.moved_in + excluded.moved_in, moved_out = r.moved_out + " \
	"excluded.moved_out, ended = r.ended + excluded.ended, " \
	"first_response_seconds_sum = r.first_response_seconds_sum + " \
	"excluded.first_response_seconds_sum, amount = r.amount + " \
	"excluded.amount"

/* and of those by source */
#define ROLLUP_ADD_SOURCE \
	ROLLUP_ADD_POOL ", " \
	"given = r.given + excluded.given, d_available = r.d_available + " \
	"excluded.d_available, d_review = r.d_review + excluded.d_review, " \
	"d_owned = r.d_owned + excluded.d_owned, d_converted = " \
	"r.d_converted + excluded.d_converted, d_archived = r.d_archived " \
	"+ excluded.d_archived, seconds_to_convert_sum = " \
	"r.seconds_to_convert_sum + excluded.seconds_to_convert_sum"

/*
 * The tail is read once, and counts for its days and since the beginning.
 * $1 = snapshot, $2 = current generation (integer), also below.
 *
 * The stock at the end of a day is that of the last day before this fold, plus
 * what it brings until then.  Mostly the tail is of the last day of a pool;
 * where it is not, the days that follow change, too.
 */
#define ROLLUP_FOLD_DAY_SQL \
	"WITH f AS MATERIALIZED (SELECT * FROM pool.tail_day( " \
	"  (SELECT s.generation FROM pool.rollup_state s), " \
	"  (SELECT s.snapshot FROM pool.rollup_state s), $2, $1)), " \
	"source AS ( " \
	" INSERT INTO pool.rollup_source AS r " \
	" SELECT f.pool_id, f.source, " \
	"  sum(f.entered), sum(f.claimed), sum(f.assigned), " \
	"  sum(f.transferred), sum(f.given), sum(f.followed_up), " \
	"  sum(f.first_responses), sum(f.released), sum(f.reclaimed), " \
	"  sum(f.missed), sum(f.converted), sum(f.archived), " \
	"  sum(f.reopened), sum(f.erased), sum(f.moved_in), " \
	"  sum(f.moved_out), sum(f.ended), sum(f.d_available), " \
	"  sum(f.d_review), sum(f.d_owned), sum(f.d_converted), " \
	"  sum(f.d_archived), sum(f.first_response_seconds_sum), " \
	"  sum(f.seconds_to_convert_sum), sum(f.amount) " \
	" FROM f GROUP BY f.pool_id, f.source " \
	" ON CONFLICT (pool_id, source) DO UPDATE SET " ROLLUP_ADD_SOURCE "), " \
	"day AS ( " \
	" INSERT INTO pool.rollup_day AS r SELECT f.* FROM f " \
	" ON CONFLICT (pool_id, day, source) DO UPDATE SET " ROLLUP_ADD_SOURCE "), " \
	"d AS MATERIALIZED ( " \
	" SELECT f.pool_id, f.day, " \
	"  sum(f.entered) AS entered, sum(f.claimed) AS claimed, " \
	"  sum(f.assigned) AS assigned, sum(f.transferred) AS transferred, " \
	"  sum(f.followed_up) AS followed_up, " \
	"  sum(f.first_responses) AS first_responses, " \
	"  sum(f.released) AS released, sum(f.reclaimed) AS reclaimed, " \
	"  sum(f.missed) AS missed, sum(f.converted) AS converted, " \
	"  sum(f.archived) AS archived, sum(f.reopened) AS reopened, " \
	"  sum(f.erased) AS erased, sum(f.moved_in) AS moved_in, " \
	"  sum(f.moved_out) AS moved_out, sum(f.ended) AS ended, " \
	"  sum(f.first_response_seconds_sum) AS first_response_seconds_sum, " \
	"  sum(f.amount) AS amount, sum(f.d_available) AS d_available, " \
	"  sum(f.d_owned) AS d_owned " \
	" FROM f GROUP BY f.pool_id, f.day), " \
	"later AS ( " \
	" UPDATE pool.rollup_pool r SET " \
	"  available_at_end = r.available_at_end + x.available, " \
	"  owned_at_end = r.owned_at_end + x.owned " \
	" FROM (SELECT l.pool_id, l.day, sum(d.d_available) AS available, " \
	"   sum(d.d_owned) AS owned " \
	"  FROM d JOIN pool.rollup_pool l " \
	"   ON l.pool_id = d.pool_id AND l.day > d.day " \
	"  WHERE NOT EXISTS (SELECT FROM d n " \
	"   WHERE n.pool_id = l.pool_id AND n.day = l.day) " \
	"  GROUP BY l.pool_id, l.day) x " \
	" WHERE r.pool_id = x.pool_id AND r.day = x.day) " \
	"INSERT INTO pool.rollup_pool AS r " \
	"SELECT d.pool_id, d.day, " \
	" d.entered, d.claimed, d.assigned, d.transferred, d.followed_up, " \
	" d.first_responses, d.released, d.reclaimed, d.missed, " \
	" d.converted, d.archived, d.reopened, d.erased, d.moved_in, " \
	" d.moved_out, d.ended, d.first_response_seconds_sum, d.amount, " \
	" coalesce(b.available_at_end, 0) + sum(d.d_available) OVER w, " \
	" coalesce(b.owned_at_end, 0) + sum(d.d_owned) OVER w " \
	"FROM d LEFT JOIN LATERAL ( " \
	" SELECT p.available_at_end, p.owned_at_end " \
	" FROM pool.rollup_pool p " \
	" WHERE p.pool_id = d.pool_id AND p.day <= d.day " \
	" ORDER BY p.day DESC LIMIT 1) b ON true " \
	"WINDOW w AS (PARTITION BY d.pool_id ORDER BY d.day) " \
	"ON CONFLICT (pool_id, day) DO UPDATE SET " ROLLUP_ADD_POOL ", " \
	" available_at_end = excluded.available_at_end, " \
	" owned_at_end = excluded.owned_at_end"

#define ROLLUP_ADD_MEMBER \
	"claimed = r.claimed + excluded.claimed, assigned = r.assigned + " \
	"excluded.assigned, received = r.received + excluded.received, " \
	"given = r.given + excluded.given, followed_up = r.followed_up + " \
	"excluded.followed_up, first_responses = r.first_responses + " \
	"excluded.first_responses, missed = r.missed + excluded.missed, " \
	"released = r.released + excluded.released, reclaimed = " \
	"r.reclaimed + excluded.reclaimed, converted = r.converted + " \
	"excluded.converted, archived = r.archived + excluded.archived, " \
	"ended = r.ended + excluded.ended, first_response_seconds_sum = " \
	"r.first_response_seconds_sum + " \
	"excluded.first_response_seconds_sum, amount = r.amount + " \
	"excluded.amount"

#define ROLLUP_FOLD_MEMBER_SQL \
	"WITH f AS MATERIALIZED ( SELECT * FROM pool.tail_member( (SELECT " \
	"s.generation FROM pool.rollup_state s), (SELECT s.snapshot FROM " \
	"pool.rollup_state s), $2, $1)), total AS ( INSERT INTO " \
	"pool.rollup_membership AS r SELECT f.pool_id, f.member_id, " \
	"sum(f.claimed), sum(f.assigned), sum(f.received), sum(f.given), " \
	"sum(f.followed_up), sum(f.first_responses), sum(f.missed), " \
	"sum(f.released), sum(f.reclaimed), sum(f.converted), " \
	"sum(f.archived), sum(f.ended), sum(f.first_response_seconds_sum), " \
	"sum(f.amount) FROM f GROUP BY f.pool_id, f.member_id ON CONFLICT " \
	"(pool_id, member_id) DO UPDATE SET " \
	ROLLUP_ADD_MEMBER ") " \
	"INSERT INTO pool.rollup_member AS r SELECT f.* FROM f ON CONFLICT " \
	"(pool_id, member_id, day) DO UPDATE SET " \
	ROLLUP_ADD_MEMBER

#define ROLLUP_ADVANCE_SQL \
	"INSERT INTO pool.rollup_state AS s (generation, snapshot, at) " \
	"VALUES ($2, $1, pg_catalog.statement_timestamp()) " \
	"ON CONFLICT (singleton) DO UPDATE SET generation = excluded.generation, " \
	"snapshot = excluded.snapshot, at = excluded.at " \
	"WHERE s.generation <= excluded.generation"

#endif							/* POOL_ROLLUP_SQL_H */
