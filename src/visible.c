/*
 * visible.c
 *	  Whether the caller may know of a lead, and what of it: one rule for
 *	  history(), for the keys that refusals carry, and for edit().
 */
#include "compat.h"
#include "visible.h"

#include "access.h"
#include "catalog/pg_type.h"
#include "collaborator.h"
#include "sql.h"
#include "utils/array.h"

/*
 * Of those who see the lead's tenant: services, its owner and its last owner,
 * whoever helps the owner, viewers and managers of its pool and, while it is
 * in the pool, all members of the pool.  Nobody who has left.
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
	if (pool_config_member(self.member_id)->left)
		return false;
	if (lead->owner_id == self.member_id ||
		lead->last_owner_id == self.member_id ||
		pool_actor_manages(&self, lead->pool_id))
		return true;
	role = pool_actor_role(&self, lead->pool_id);
	if (role == POOL_ROLE_VIEWER ||
		(lead->status == POOL_AVAILABLE && role != POOL_ROLE_NONE))
		return true;
	return lead->status == POOL_OWNED &&
		pool_collaborator_find(work, lead->id, self.member_id, NULL);
}

/*
 * The names of the fields that the lead's pool keeps from this member (0 = a
 * service).  Its owner, whoever helps him and the pool's managers see all.
 */
List *
pool_lead_masked(PoolWork *work, const PoolLead *lead, int32 member_id)
{
	PoolActor	actor = {member_id, lead->tenant_id};
	List	   *masked = pool_config_pool(lead->pool_id)->masked;

	if (masked == NIL || member_id == 0 || lead->owner_id == member_id ||
		(lead->status == POOL_CONVERTED && lead->last_owner_id == member_id) ||
		pool_actor_manages(&actor, lead->pool_id) ||
		(lead->status == POOL_OWNED &&
		 pool_collaborator_find(work, lead->id, member_id, NULL)))
		return NIL;
	return masked;
}

bool
pool_is_masked(List *masked, const char *field)
{
	ListCell   *lc;

	foreach(lc, masked)
	{
		if (strcmp(lfirst(lc), field) == 0)
			return true;
	}
	return false;
}

/* Whether a row of a result may tell the caller the lead's key. */
bool
pool_lead_key_visible(PoolWork *work, const PoolLead *lead)
{
	return pool_lead_visible(work, lead) &&
		!pool_is_masked(pool_lead_masked(work, lead, pool_caller_member()),
						"key");
}

/*
 * The tenants the caller may see, as int4[]; the least of them in *first (unless
 * NULL), 0 if that is all there are or will be.
 */
Datum
pool_visible_tenants(int32 *first)
{
	MemoryContext context = CurrentMemoryContext;
	PoolSql		sql = pool_sql_begin();
	uint64		n = pool_sql_run("SELECT id FROM pool.tenant ORDER BY id",
								 0, NULL, NULL, NULL);
	Datum	   *ids = MemoryContextAlloc(context, (n + 1) * sizeof(Datum));
	bool		isnull;
	int			kept = 0;

	for (uint64 i = 0; i < n; i++)
		ids[i] = pool_sql_datum(i, 1, &isnull);
	pool_sql_end(sql);
	for (uint64 i = 0; i < n; i++)
		if (pool_caller_sees_tenant(DatumGetInt32(ids[i])))
			ids[kept++] = ids[i];
	if (first != NULL)
		*first = kept == 0 || pool_caller_sees_tenant(0) ? 0 :
			DatumGetInt32(ids[0]);
	return PointerGetDatum(construct_array(ids, kept, INT4OID, sizeof(int32),
										   true, TYPALIGN_INT));
}
