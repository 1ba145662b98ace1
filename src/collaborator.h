/*
 * collaborator.h
 *	  Who helps the owner of a lead.
 */
#ifndef POOL_COLLABORATOR_H
#define POOL_COLLABORATOR_H

#include "clock.h"
#include "event.h"
#include "table.h"

typedef struct PoolCollaborator
{
	int32		member_id;
	char	   *role;			/* helper, mentor or deputy */
	bool		counts;			/* his follow-ups do */
	TimestampTz since;
} PoolCollaborator;

extern bool pool_collaborator_find(PoolWork *work, int64 lead_id,
								   int32 member_id, PoolCollaborator *found);
extern List *pool_collaborators(PoolWork *work, int64 lead_id);
extern void pool_collaborator_put(PoolWork *work, const PoolLead *lead,
								  const PoolCollaborator *who);
extern bool pool_collaborator_remove(PoolWork *work, int64 lead_id,
									 int32 member_id);
extern void pool_collaborators_end(PoolWork *work, int64 lead_id);
extern void pool_detail_collaborators(PoolDetail *detail, List *who);

#endif							/* POOL_COLLABORATOR_H */
