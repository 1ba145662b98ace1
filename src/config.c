/*
 * config.c
 *	  What administrators have configured, cached in every backend.
 *
 * Entries are read one by one on first use, with the latest snapshot whatever
 * the isolation level.  Statement triggers on the configuration tables send a
 * relcache invalidation (config_trigger.c); any such message empties the whole
 * cache at the next refresh: configuration changes rarely, and then all of it
 * may hang together (zones, parents).
 */
#include "compat.h"
#include "config.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "config_read.h"
#include "installation.h"
#include "table.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"

typedef struct NameKey
{
	uint64		hash;
	int32		tenant_id;
	int32		kind;			/* POOL_TENANT, POOL_POOL or POOL_MEMBER */
} NameKey;

StaticAssertDecl(sizeof(NameKey) == sizeof(uint64) + 2 * sizeof(int32),
				 "keys have no padding");

typedef struct NameEntry
{
	NameKey		key;
	int32		id;
} NameEntry;

typedef struct LoginEntry
{
	NameData	login;
	int32		id;				/* 0 = nobody's */
} LoginEntry;

static MemoryContext cache_context = NULL;

/* of caches that became stale in this transaction */
static List *retired_contexts = NIL;

static HTAB *tenants;
static HTAB *pools;
static HTAB *members;
static HTAB *memberships;
static HTAB *names;
static HTAB *logins;
static PoolPeriod *downtimes;
static int	n_downtimes;		/* -1 = not read yet, as the next one */
static int	approval_timers;
static bool cache_stale = true;

/* the tables whose invalidation empties the cache */
static const PoolTableId config_tables[] = {
	POOL_TENANT, POOL_POOL, POOL_MEMBER, POOL_MEMBERSHIP, POOL_TIMER_RULE,
	POOL_CLAIM_RULE, POOL_ENTRY_RULE, POOL_SCORE_RULE, POOL_ROUTING_RULE,
	POOL_APPROVAL_RULE, POOL_DICTIONARY, POOL_INSTALLATION, POOL_CALENDAR,
	POOL_ABSENCE, POOL_DOWNTIME
};
static Oid	config_oids[lengthof(config_tables)];

static void
invalidate(Datum arg, Oid relid)
{
	if (cache_stale)
		return;
	if (!OidIsValid(relid))
		cache_stale = true;
	for (int i = 0; i < (int) lengthof(config_oids); i++)
		if (config_oids[i] == relid)
			cache_stale = true;
}

static HTAB *
make_table(const char *name, Size keysize, Size entrysize)
{
	HASHCTL		ctl;

	memset(&ctl, 0, sizeof(ctl));
	ctl.keysize = keysize;
	ctl.entrysize = entrysize;
	ctl.hcxt = cache_context;
	return hash_create(name, 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static void
start_cache(void)
{
	cache_context = AllocSetContextCreate(CacheMemoryContext,
										  "pool_ext configuration",
										  ALLOCSET_DEFAULT_SIZES);
	pool_installation_forget();
	tenants = make_table("pool_ext tenants", sizeof(int32),
						 sizeof(PoolTenantConf));
	pools = make_table("pool_ext pools", sizeof(int32), sizeof(PoolConf));
	members = make_table("pool_ext members", sizeof(int32),
						 sizeof(PoolMemberConf));
	memberships = make_table("pool_ext memberships",
							 sizeof(PoolMembershipKey),
							 sizeof(PoolMembershipConf));
	names = make_table("pool_ext names", sizeof(NameKey), sizeof(NameEntry));
	logins = make_table("pool_ext logins", sizeof(NameData),
						sizeof(LoginEntry));
	n_downtimes = -1;
	approval_timers = -1;
	for (int i = 0; i < (int) lengthof(config_tables); i++)
		config_oids[i] = pool_table_oid(config_tables[i]);
	/* from here on an invalidation counts */
	cache_stale = false;
}

/*
 * Later lookups see what has changed meanwhile; what earlier ones returned
 * stays good until the transaction ends, since a call may be nested in another.
 */
void
pool_config_refresh(void)
{
	MemoryContext old;

	AcceptInvalidationMessages();
	if (!cache_stale)
		return;
	if (cache_context != NULL)
	{
		old = MemoryContextSwitchTo(CacheMemoryContext);
		retired_contexts = lappend(retired_contexts, cache_context);
		MemoryContextSwitchTo(old);
		cache_context = NULL;
	}
	start_cache();
}

static void
free_retired(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT &&
		event != XACT_EVENT_PREPARE)
		return;
	while (retired_contexts != NIL)
	{
		MemoryContextDelete(linitial(retired_contexts));
		retired_contexts = list_delete_first(retired_contexts);
	}
}

void
pool_config_init(void)
{
	CacheRegisterRelcacheCallback(invalidate, (Datum) 0);
	RegisterXactCallback(free_retired, NULL);
}

const PoolTenantConf *
pool_config_tenant(int32 id)
{
	PoolTenantConf *conf = hash_search(tenants, &id, HASH_FIND, NULL);
	PoolTenantConf read = {.id = id};

	if (conf != NULL)
		return conf;
	if (!config_read_tenant(cache_context, &read))
		return NULL;
	conf = hash_search(tenants, &id, HASH_ENTER, NULL);
	*conf = read;
	return conf;
}

const PoolConf *
pool_config_find_pool(int32 id)
{
	PoolConf   *conf = hash_search(pools, &id, HASH_FIND, NULL);
	PoolConf	read = {.id = id};

	if (conf != NULL)
		return conf;
	if (!config_read_pool(cache_context, &read))
		return NULL;
	conf = hash_search(pools, &id, HASH_ENTER, NULL);
	*conf = read;
	return conf;
}

const PoolMemberConf *
pool_config_find_member(int32 id)
{
	PoolMemberConf *conf = hash_search(members, &id, HASH_FIND, NULL);
	PoolMemberConf read = {.id = id};

	if (conf != NULL)
		return conf;
	if (!config_read_member(cache_context, &read))
		return NULL;
	conf = hash_search(members, &id, HASH_ENTER, NULL);
	*conf = read;
	return conf;
}

static void
report_lost(const char *what, int32 id)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("%s %d does not exist, but something refers to it",
					what, id),
			 errdetail("Its row was removed without the extension's triggers, or not restored."),
			 errhint("Create it anew with the same id; SELECT * FROM "
					 "pool.verify() shows what refers to it.")));
}

/* A pool that something refers to. */
const PoolConf *
pool_config_pool(int32 id)
{
	const PoolConf *pool = pool_config_find_pool(id);

	if (pool == NULL)
		report_lost("pool", id);
	return pool;
}

/* A member that something refers to. */
const PoolMemberConf *
pool_config_member(int32 id)
{
	const PoolMemberConf *member = pool_config_find_member(id);

	if (member == NULL)
		report_lost("member", id);
	return member;
}

static int32
find_by_name(PoolTableId table, PoolIndexId index, int id_column,
			 int32 tenant_id, const char *name)
{
	PoolKey		keys[2] = {pool_key_int4(tenant_id),
	pool_key_text(CStringGetTextDatum(name))};
	ConfigScan	scan = config_scan_begin(cache_context, table, index, keys, 2);
	int32		id = config_scan_next(&scan) ?
	config_column_int(&scan, id_column, 0) : 0;

	config_scan_end(&scan);
	return id;
}

static NameKey
name_key(PoolTableId kind, int32 tenant_id, const char *name)
{
	NameKey		key;

	memset(&key, 0, sizeof(key));
	key.hash = hash_bytes_extended((const unsigned char *) name,
								   strlen(name), 0);
	key.tenant_id = tenant_id;
	key.kind = kind;
	return key;
}

static void
remember_name(NameKey key, int32 id)
{
	NameEntry  *entry;

	if (id == 0)
		return;
	entry = hash_search(names, &key, HASH_ENTER, NULL);
	entry->id = id;
}

static bool
is_tenant_named(int32 id, const char *name)
{
	const PoolTenantConf *tenant = pool_config_tenant(id);

	return tenant != NULL && strcmp(tenant->name, name) == 0;
}

int32
pool_config_tenant_by_name(const char *name)
{
	NameKey		key = name_key(POOL_TENANT, 0, name);
	NameEntry  *entry = hash_search(names, &key, HASH_FIND, NULL);
	ConfigScan	scan;
	int32		id;

	if (entry != NULL && is_tenant_named(entry->id, name))
		return entry->id;
	scan = config_scan_begin(cache_context, POOL_TENANT, POOL_TENANT_NAME,
							 &pool_key_text(CStringGetTextDatum(name)), 1);
	id = config_scan_next(&scan) ? config_column_int(&scan, TENANT_ID, 0) : 0;
	config_scan_end(&scan);
	if (id != 0 && pool_config_tenant(id) == NULL)
		return 0;
	remember_name(key, id);
	return id;
}

int32
pool_config_pool_by_name(int32 tenant_id, const char *name)
{
	NameKey		key = name_key(POOL_POOL, tenant_id, name);
	NameEntry  *entry = hash_search(names, &key, HASH_FIND, NULL);
	int32		id;

	/* two names may share a hash: the entry's own name decides */
	if (entry != NULL &&
		strcmp(pool_config_pool(entry->id)->name, name) == 0)
		return entry->id;
	id = find_by_name(POOL_POOL, POOL_POOL_NAME, POOL_ID, tenant_id, name);
	if (id != 0 && pool_config_find_pool(id) == NULL)
		return 0;
	remember_name(key, id);
	return id;
}

int32
pool_config_member_by_key(int32 tenant_id, const char *member_key)
{
	NameKey		key = name_key(POOL_MEMBER, tenant_id, member_key);
	NameEntry  *entry = hash_search(names, &key, HASH_FIND, NULL);
	int32		id;

	if (entry != NULL &&
		strcmp(pool_config_member(entry->id)->key, member_key) == 0)
		return entry->id;
	id = find_by_name(POOL_MEMBER, POOL_MEMBER_KEY, MEMBER_ID,
					  tenant_id, member_key);
	if (id != 0 && pool_config_find_member(id) == NULL)
		return 0;
	remember_name(key, id);
	return id;
}

/* Role names are short enough to be their own key. */
int32
pool_config_member_by_login(const char *login)
{
	NameData	key;
	LoginEntry *entry;
	ConfigScan	scan;
	int32		id;

	namestrcpy(&key, login);
	entry = hash_search(logins, &key, HASH_FIND, NULL);
	if (entry != NULL)
		return entry->id;
	scan = config_scan_begin(cache_context, POOL_MEMBER, POOL_MEMBER_LOGIN,
							 &pool_key_text(CStringGetTextDatum(login)), 1);
	id = config_scan_next(&scan) ? config_column_int(&scan, MEMBER_ID, 0) : 0;
	config_scan_end(&scan);
	if (id != 0 && pool_config_find_member(id) == NULL)
		id = 0;
	entry = hash_search(logins, &key, HASH_ENTER, NULL);
	entry->id = id;
	return id;
}

/*
 * What this member is in this pool; role NONE if he does not belong to it.
 * Both must exist.
 */
const PoolMembershipConf *
pool_config_membership(int32 pool_id, int32 member_id)
{
	PoolMembershipKey key = {pool_id, member_id};
	PoolMembershipConf *conf = hash_search(memberships, &key, HASH_FIND, NULL);
	PoolMembershipConf read = {.key = key};

	if (conf != NULL)
		return conf;
	config_read_membership(cache_context, pool_config_pool(pool_id),
						   pool_config_member(member_id), &read);
	conf = hash_search(memberships, &key, HASH_ENTER, NULL);
	*conf = read;
	return conf;
}

/* When ticks did not run, by the beginning; returns how many times. */
int
pool_config_downtimes(const PoolPeriod **result)
{
	if (n_downtimes < 0)
	{
		ConfigScan	scan = config_scan_begin(cache_context, POOL_DOWNTIME,
											 POOL_DOWNTIME_PKEY, NULL, 0);

		n_downtimes = config_read_periods(&scan, DOWNTIME_STARTED_AT,
										  DOWNTIME_ENDED_AT, &downtimes);
	}
	*result = downtimes;
	return n_downtimes;
}

/* Whether any timer rule is about requests that wait. */
bool
pool_config_approval_timers(void)
{
	if (approval_timers < 0)
		approval_timers = config_find_timer_basis(cache_context,
												  POOL_BASIS_APPROVAL);
	return approval_timers;
}
