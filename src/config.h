/*
 * config.h
 *	  What administrators have configured, cached in every backend.
 */
#ifndef POOL_CONFIG_H
#define POOL_CONFIG_H

#include "clock.h"
#include "utils/jsonpath.h"

#define POOL_NO_LIMIT (-1)

typedef struct PoolTenantConf
{
	int32		id;
	char	   *name;
	pg_tz	   *zone;
	char		country[3];
} PoolTenantConf;

typedef enum PoolTimerBasis
{
	POOL_BASIS_FIRST_CONTACT,
	POOL_BASIS_FOLLOW_UP,
	POOL_BASIS_OWNERSHIP
} PoolTimerBasis;

typedef struct PoolTimerRule
{
	int32		id;
	char	   *name;
	PoolTimerBasis basis;
	Interval	after;
	JsonPath   *condition;		/* NULL = always */
	Interval   *remind_before;
	int			n_remind;
	bool		notice_required;
	int32		to_pool_id;		/* 0 = the lead's own */
} PoolTimerRule;

typedef struct PoolConf
{
	int32		id;
	int32		tenant_id;
	int32		parent_id;		/* 0 = none */
	char	   *name;
	pg_tz	   *zone;
	bool		everyone;
	bool		enabled;
	int32		hold_limit;
	int32		claim_limit;
	Interval   *claim_interval; /* NULL = none */
	Interval   *cooldown;
	PoolTimerRule *rules;		/* enabled ones */
	int			n_rules;
	bool		conditional;	/* some rule has a condition */
} PoolConf;

typedef struct PoolMemberConf
{
	int32		id;
	int32		tenant_id;
	char	   *key;
	pg_tz	   *zone;
	int32		hold_limit;
	bool		left;			/* his rights have ended */
} PoolMemberConf;

typedef enum PoolRole
{
	POOL_ROLE_NONE,
	POOL_ROLE_VIEWER,
	POOL_ROLE_MEMBER,
	POOL_ROLE_MANAGER
} PoolRole;

typedef struct PoolMembershipKey
{
	int32		pool_id;
	int32		member_id;
} PoolMembershipKey;

typedef struct PoolMembershipConf
{
	PoolMembershipKey key;
	PoolRole	role;			/* by the row, or MEMBER by `everyone` */
	bool		listed;			/* there is a row */
	int32		hold_limit;		/* the pool's where the row has none */
	int32		claim_limit;
} PoolMembershipConf;

/*
 * An entry point refreshes before its first lookup: everything committed before
 * is seen then.  What lookups return is good until the transaction ends.  What
 * does not exist is NULL (or 0) where it is looked for, and an error where
 * something refers to it.
 */
extern void pool_config_init(void);
extern void pool_config_refresh(void);
extern const PoolTenantConf *pool_config_tenant(int32 id);
extern int32 pool_config_tenant_by_name(const char *name);
extern const PoolConf *pool_config_find_pool(int32 id);
extern const PoolConf *pool_config_pool(int32 id);
extern int32 pool_config_pool_by_name(int32 tenant_id, const char *name);
extern const PoolMemberConf *pool_config_find_member(int32 id);
extern const PoolMemberConf *pool_config_member(int32 id);
extern int32 pool_config_member_by_key(int32 tenant_id, const char *key);
extern int32 pool_config_member_by_login(const char *login);
extern const PoolMembershipConf *pool_config_membership(int32 pool_id,
														int32 member_id);

#endif							/* POOL_CONFIG_H */
