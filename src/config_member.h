/*
 * config_member.h
 *	  What follows from a change of members and memberships.
 */
#ifndef POOL_CONFIG_MEMBER_H
#define POOL_CONFIG_MEMBER_H

/* INSERT INTO timer_recheck AS r: who is in it already begins anew */
#define POOL_RECHECK_ANEW \
	" ON CONFLICT (pool_id, member_id) DO UPDATE SET" \
	" everything = r.everything OR excluded.everything," \
	" since = excluded.since, after_lead = 0, horizon = NULL," \
	" walk_xmin = NULL, todo = NULL, done = 0"

extern void pool_mirror_status(const char *pairs);

#endif							/* POOL_CONFIG_MEMBER_H */
