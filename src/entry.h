/*
 * entry.h
 *	  Leads enter: the engine behind enter() and the view intake.
 */
#ifndef POOL_ENTRY_H
#define POOL_ENTRY_H

#include "config.h"
#include "identity.h"
#include "lead.h"
#include "table.h"
#include "utils/jsonb.h"

/* One lead that asks to be let in, and what became of it. */
typedef struct PoolEntry
{
	/* asked */
	int32		tenant_id;
	int32		pool_id;
	Datum		key;
	Datum		name;			/* 0 = NULL, as all the Datums here */
	Datum		source;
	Datum		grade;
	int16		priority;
	Datum		attributes;
	TimestampTz created_at;		/* POOL_NO_TIME = now */
	int32		owner_id;		/* 0 = none */
	List	   *identities;		/* of PoolIdentity, normalised */

	/* asked of a lead that comes with a history */
	bool		taken_over;		/* it was owned or closed elsewhere */
	PoolStatus	taken_status;
	TimestampTz owned_at;		/* POOL_NO_TIME = unknown, as the next one */
	TimestampTz last_follow_up_at;

	/* decided by rules */
	PoolEntryThen then;			/* never to_pool: pool_id has changed */
	int32		rule_id;		/* 0 = none */
	const char *scope;			/* within which its identities are unique */
	int64		linked_to;		/* lead of the same customer, 0 = none */
	int64		judged;			/* lead that decided whether to link by
								 * whether it is archived, 0 = none */
	bool		judged_archived;
	bool		kept;			/* goes back to its last owner */

	/* answered */
	int64		lead_id;
	const char *outcome;
	int32		member_id;		/* the lead's owner now, 0 = none */
	const char *status;
	int32		home_pool_id;
	const char *rule;			/* of entry, or that routed it; NULL = none */
	const char *reason;			/* the rule's, or why the owner, or nobody,
								 * got it */
} PoolEntry;

extern void pool_entry_run(PoolWork *work, Snapshot snapshot,
						   PoolEntry *entries, int n, int32 actor_id);

#endif							/* POOL_ENTRY_H */
