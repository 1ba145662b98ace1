/*
 * lead.h
 *	  The lead row.
 */
#ifndef POOL_LEAD_H
#define POOL_LEAD_H

#include "clock.h"
#include "config.h"
#include "queue.h"

typedef enum PoolStatus
{
	POOL_AVAILABLE,
	POOL_OWNED,
	POOL_CONVERTED,
	POOL_ARCHIVED,
	POOL_IN_REVIEW
} PoolStatus;

/*
 * A row of lead_state.  Ids and tickets that are NULL are 0, times
 * POOL_NO_TIME.  Pointers live as long as the table's slot holds the row.
 */
typedef struct PoolLead
{
	int64		id;
	int64		ticket;
	TimestampTz entered_at;
	TimestampTz owned_at;
	TimestampTz chain_at;
	TimestampTz first_follow_up_at;
	TimestampTz last_follow_up_at;
	TimestampTz next_follow_up_at;
	TimestampTz protected_until;
	TimestampTz hidden_until;
	TimestampTz closed_at;
	TimestampTz check_at;
	TimestampTz stage_at;
	int64		group_id;
	int32		tenant_id;
	int32		pool_id;
	int32		owner_id;
	int32		last_owner_id;
	int32		reserved_for;
	int32		follow_ups;
	int32		claims;
	int16		priority;
	int16		extensions;
	PoolStatus	status;
	Datum		last_result;	/* 0 = NULL, as the next three */
	Datum		stage;
	Datum		amount;
	Datum		currency;
	TimestampTz created_at;		/* of lead_data, where somebody has read it */
	ItemPointerData tid;
} PoolLead;

/* What was found of a lead. */
typedef enum PoolLeadLock
{
	POOL_LEAD_LOCKED,			/* or just found, where no lock was asked for */
	POOL_LEAD_MISSING,
	POOL_LEAD_BUSY				/* another transaction holds it */
} PoolLeadLock;

extern const char *pool_status_name(PoolStatus status);
extern bool pool_lead_is_open(const PoolLead *lead);
extern bool pool_lead_is_closed(const PoolLead *lead);

/* finding and locking */
extern void pool_lead_read(PoolTable *leads, PoolLead *lead);
extern bool pool_lead_peek(PoolTable *leads, int64 id, Snapshot snapshot,
						   PoolLead *lead);
extern PoolLeadLock pool_lead_lock(PoolTable *leads, int64 id,
								   Snapshot snapshot, bool wait,
								   PoolLead *lead);
extern PoolLeadLock pool_lead_fetch_candidate(PoolTable *leads,
											  const PoolCandidate *candidate,
											  PoolLead *lead);
extern PoolLeadLock pool_lead_lock_of(TM_Result result);
extern PoolLeadLock pool_lead_lock_candidate(PoolTable *leads,
											 const PoolCandidate *candidate);
extern void pool_lead_reload(PoolTable *leads, PoolLead *lead);

/* the time that counts for a change of this lead: never before its last one */
extern TimestampTz pool_lead_time(const PoolLead *lead, TimestampTz now);

/* transitions: each asserts the state before and leaves *lead as written */
extern void pool_lead_create(PoolTable *leads, PoolLead *lead);
extern void pool_lead_leave_queue(PoolTable *leads, const PoolLead *lead);
extern void pool_lead_own(PoolTable *leads, PoolLead *lead, int32 owner_id,
						  int32 pool_id, TimestampTz at);
extern PoolLeadLock pool_lead_try_own(PoolTable *leads, PoolLead *lead,
									  int32 owner_id, TimestampTz at);
extern void pool_lead_pass(PoolTable *leads, PoolLead *lead, int32 owner_id,
						   int32 pool_id, TimestampTz at);
extern void pool_lead_give_back(PoolTable *leads, PoolLead *lead,
								int32 pool_id, TimestampTz at);
extern void pool_lead_close(PoolTable *leads, PoolLead *lead,
							PoolStatus status, TimestampTz at);
extern void pool_lead_reopen(PoolTable *leads, PoolLead *lead, int32 pool_id,
							 TimestampTz at);
extern void pool_lead_move(PoolTable *leads, PoolLead *lead, int32 pool_id,
						   TimestampTz at);
extern void pool_lead_hide(PoolTable *leads, PoolLead *lead,
						   TimestampTz until, int32 reserved_for);
extern void pool_lead_hold(PoolTable *leads, PoolLead *lead, TimestampTz at);
extern void pool_lead_admit(PoolTable *leads, PoolLead *lead, TimestampTz at);
extern void pool_lead_join(PoolTable *leads, PoolLead *lead, int64 group_id);
extern void pool_lead_seal(PoolTable *leads, PoolLead *lead);
extern void pool_lead_rank(PoolTable *leads, PoolLead *lead, int16 priority);
extern void pool_lead_note(PoolTable *leads, PoolLead *lead);
extern void pool_lead_retime(PoolTable *leads, PoolLead *lead);

extern int64 pool_lead_new_id(void);

#endif							/* POOL_LEAD_H */
