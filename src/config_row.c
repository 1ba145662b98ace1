/*
 * config_row.c
 *	  Reading tenants, pools, members and memberships.
 *
 * Each function reads the row of what its result names, and all that belongs
 * to it; false if there is none.
 */
#include "compat.h"
#include "config_read.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* The zone named in the column, or the one that applies where it is NULL. */
static pg_tz *
column_zone(ConfigScan *scan, int attnum, int32 tenant_id)
{
	bool		isnull;
	Datum		value = config_column(scan, attnum, &isnull);

	if (!isnull)
		return pool_zone(TextDatumGetCString(value));
	return pool_config_tenant(tenant_id)->zone;
}

static Jsonb *
column_jsonb(ConfigScan *scan, int attnum)
{
	bool		isnull;
	Datum		value = config_column(scan, attnum, &isnull);
	MemoryContext old = MemoryContextSwitchTo(scan->context);
	Jsonb	   *copy = DatumGetJsonbPCopy(value);

	MemoryContextSwitchTo(old);
	return copy;
}

static TimestampTz
column_time(ConfigScan *scan, int attnum)
{
	bool		isnull;

	return DatumGetTimestampTz(config_column(scan, attnum, &isnull));
}

static void
read_hours(ConfigScan *scan, PoolTenantConf *tenant)
{
	bool		isnull;
	ArrayType  *days = DatumGetArrayTypeP(config_column(scan, TENANT_WORKDAYS,
														&isnull));
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	deconstruct_array(days, INT4OID, sizeof(int32), true, TYPALIGN_INT,
					  &elements, &nulls, &n);
	memset(tenant->workdays, 0, sizeof(tenant->workdays));
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			tenant->workdays[DatumGetInt32(elements[i])] = true;
	tenant->work_from = DatumGetTimeADT(config_column(scan, TENANT_WORK_FROM,
													  &isnull));
	tenant->work_until = DatumGetTimeADT(config_column(scan,
													   TENANT_WORK_UNTIL,
													   &isnull));
}

bool
config_read_tenant(MemoryContext context, PoolTenantConf *tenant)
{
	ConfigScan	scan = config_scan_begin(context, POOL_TENANT,
										 POOL_TENANT_PKEY,
										 &pool_key_int4(tenant->id), 1);
	bool		found = config_scan_next(&scan);

	if (found)
	{
		tenant->name = config_column_text(&scan, TENANT_NAME);
		tenant->zone = pool_zone(config_column_text(&scan, TENANT_TIMEZONE));
		strlcpy(tenant->country, config_column_text(&scan, TENANT_COUNTRY),
				sizeof(tenant->country));
		read_hours(&scan, tenant);
	}
	config_scan_end(&scan);
	if (found)
		config_read_calendar(context, tenant);
	return found;
}

static void
read_pool(ConfigScan *scan, PoolConf *pool)
{
	char	   *country = config_column_text(scan, POOL_COUNTRY);

	pool->tenant_id = config_column_int(scan, POOL_TENANT_ID, 0);
	pool->parent_id = config_column_int(scan, POOL_PARENT_ID, 0);
	pool->name = config_column_text(scan, POOL_NAME);
	pool->zone = column_zone(scan, POOL_TIMEZONE, pool->tenant_id);
	pool->everyone = config_column_bool(scan, POOL_EVERYONE);
	pool->enabled = config_column_bool(scan, POOL_ENABLED);
	pool->hold_limit = config_column_int(scan, POOL_HOLD_LIMIT,
										 POOL_NO_LIMIT);
	pool->claim_limit = config_column_int(scan, POOL_CLAIM_LIMIT,
										  POOL_NO_LIMIT);
	pool->claim_interval = config_column_interval(scan, POOL_CLAIM_INTERVAL);
	pool->cooldown = config_column_interval(scan, POOL_COOLDOWN);
	pool->masked = config_column_texts(scan, POOL_MASKED_ATTRIBUTES);
	pool->duplicate_policy =
		*config_column_text(scan, POOL_DUPLICATE_POLICY);
	pool->review = config_column_bool(scan, POOL_REVIEW);
	pool->route_returned = config_column_bool(scan, POOL_ROUTE_RETURNED);
	pool->keep_converted = config_column_interval(scan, POOL_KEEP_CONVERTED);
	pool->subtree_identity =
		strcmp(config_column_text(scan, POOL_IDENTITY_SCOPE), "subtree") == 0;
	strlcpy(pool->country, country != NULL ? country :
			pool_config_tenant(pool->tenant_id)->country,
			sizeof(pool->country));
	pool->newcomer_period = config_column_interval(scan,
												   POOL_NEWCOMER_PERIOD);
	pool->follow_up_requires = config_column_texts(scan,
												   POOL_FOLLOW_UP_REQUIRES);
	pool->follow_up_min_chars = config_column_int(scan,
												  POOL_FOLLOW_UP_MIN_CHARS,
												  POOL_NO_LIMIT);
	pool->pause_when_away = config_column_bool(scan, POOL_PAUSE_WHEN_AWAY);
	pool->max_pause = config_column_interval(scan, POOL_MAX_PAUSE);
	pool->protect_limit = config_column_int(scan, POOL_PROTECT_LIMIT,
											POOL_NO_LIMIT);
	pool->protect_for = config_column_interval(scan, POOL_PROTECT_FOR);
	pool->extension_limit = config_column_int(scan, POOL_EXTENSION_LIMIT,
											  POOL_NO_LIMIT);
	pool->reveal_limit = config_column_int(scan, POOL_REVEAL_LIMIT,
										   POOL_NO_LIMIT);
	pool->quarantine_after = config_column_int(scan, POOL_QUARANTINE_AFTER,
											   POOL_NO_LIMIT);
	pool->quarantine_pool_id = config_column_int(scan,
												 POOL_QUARANTINE_POOL_ID, 0);
	pool->reclaim_limit = config_column_int(scan, POOL_RECLAIM_LIMIT,
											POOL_NO_LIMIT);
	pool->reclaim_share = config_column_number(scan, POOL_RECLAIM_SHARE, -1);
	pool->catch_up = config_column_interval(scan, POOL_CATCH_UP);
	pool->reserve_limit = config_column_int(scan, POOL_RESERVE_LIMIT,
											POOL_NO_LIMIT);
	pool->reserve_for = config_column_interval(scan, POOL_RESERVE_FOR);
}

/* With its rules. */
bool
config_read_pool(MemoryContext context, PoolConf *pool)
{
	ConfigScan	scan = config_scan_begin(context, POOL_POOL, POOL_POOL_PKEY,
										 &pool_key_int4(pool->id), 1);
	bool		found = config_scan_next(&scan);

	if (found)
		read_pool(&scan, pool);
	config_scan_end(&scan);
	if (found)
		config_read_rules(context, pool);
	return found;
}

static void
read_member(ConfigScan *scan, PoolMemberConf *member)
{
	member->tenant_id = config_column_int(scan, MEMBER_TENANT_ID, 0);
	member->key = config_column_text(scan, MEMBER_KEY);
	member->zone = column_zone(scan, MEMBER_TIMEZONE, member->tenant_id);
	member->hold_limit = config_column_int(scan, MEMBER_HOLD_LIMIT,
										   POOL_NO_LIMIT);
	member->name = config_column_text(scan, MEMBER_NAME);
	member->level = config_column_int(scan, MEMBER_LEVEL, 0);
	member->profile = column_jsonb(scan, MEMBER_PROFILE);
	member->joined_at = pool_time_within(column_time(scan,
													 MEMBER_JOINED_AT));
	member->left = strcmp(config_column_text(scan, MEMBER_STATUS),
						  "left") == 0;
}

/* With his absences. */
bool
config_read_member(MemoryContext context, PoolMemberConf *member)
{
	ConfigScan	scan = config_scan_begin(context, POOL_MEMBER,
										 POOL_MEMBER_PKEY,
										 &pool_key_int4(member->id), 1);
	bool		found = config_scan_next(&scan);

	if (found)
		read_member(&scan, member);
	config_scan_end(&scan);
	if (!found)
		return false;
	scan = config_scan_begin(context, POOL_ABSENCE, POOL_ABSENCE_PKEY,
							 &pool_key_int4(member->id), 1);
	member->n_absences = config_read_periods(&scan, ABSENCE_STARTED_AT,
											 ABSENCE_ENDED_AT,
											 &member->absences);
	return true;
}

static PoolRole
role_from_text(const char *role)
{
	if (strcmp(role, "manager") == 0)
		return POOL_ROLE_MANAGER;
	if (strcmp(role, "viewer") == 0)
		return POOL_ROLE_VIEWER;
	return POOL_ROLE_MEMBER;
}

/* Who has no row belongs to a pool that everyone belongs to. */
void
config_read_membership(MemoryContext context, const PoolConf *pool,
					   const PoolMemberConf *member, PoolMembershipConf *read)
{
	PoolKey		keys[2] = {pool_key_int4(pool->id), pool_key_int4(member->id)};
	ConfigScan	scan = config_scan_begin(context, POOL_MEMBERSHIP,
										 POOL_MEMBERSHIP_PKEY, keys, 2);

	read->listed = config_scan_next(&scan);
	if (read->listed)
	{
		read->role = role_from_text(config_column_text(&scan,
													   MEMBERSHIP_ROLE));
		read->level = config_column_int(&scan, MEMBERSHIP_LEVEL,
										member->level);
		read->weight = config_column_number(&scan, MEMBERSHIP_WEIGHT, 1);
		read->hold_limit = config_column_int(&scan, MEMBERSHIP_HOLD_LIMIT,
											 pool->hold_limit);
		read->claim_limit = config_column_int(&scan, MEMBERSHIP_CLAIM_LIMIT,
											  pool->claim_limit);
	}
	else
	{
		read->role = pool->everyone && member->tenant_id == pool->tenant_id ?
			POOL_ROLE_MEMBER : POOL_ROLE_NONE;
		read->level = member->level;
		read->weight = 1;
		read->hold_limit = pool->hold_limit;
		read->claim_limit = pool->claim_limit;
	}
	config_scan_end(&scan);
}
