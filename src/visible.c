/*
 * visible.c
 *	  Whether the caller may know of a lead: one rule for history() and for
 *	  the keys that refusals carry.
 */
#include "compat.h"
#include "visible.h"

#include "access.h"
#include "collaborator.h"

/*
 * Services and those who see the tenant, the lead's owner and its last one,
 * who helps the owner, the members of its pool while it is in the pool, the
 * pool's viewers and managers.
 */
bool
pool_lead_visible(PoolWork *work, const PoolLead *lead)
{
	PoolActor	self = {pool_caller_member(), 0};
	PoolRole	role;

	if (!pool_caller_sees_tenant(lead->tenant_id))
		return false;
	if (self.member_id == 0)
		return pool_caller_is_service();
	if (lead->owner_id == self.member_id ||
		lead->last_owner_id == self.member_id ||
		pool_actor_manages(&self, lead->pool_id))
		return true;
	role = pool_config_membership(lead->pool_id, self.member_id)->role;
	if (role == POOL_ROLE_VIEWER ||
		(lead->status == POOL_AVAILABLE && role != POOL_ROLE_NONE))
		return true;
	return lead->status == POOL_OWNED &&
		pool_collaborator_find(work, lead->id, self.member_id, NULL);
}
