/*
 * config.h
 *	  What administrators have configured, cached in every backend.
 */
#ifndef POOL_CONFIG_H
#define POOL_CONFIG_H

#include "clock.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"
#include "utils/jsonpath.h"

#define POOL_NO_LIMIT (-1)

/* pools above a pool that are looked at: a circle that nobody checked ends */
#define POOL_MAX_DEPTH 100

/* From one moment to before another. */
typedef struct PoolPeriod
{
	TimestampTz from;
	TimestampTz until;			/* DT_NOEND = not over yet */
} PoolPeriod;

/* A day of a tenant's calendar, which its weekday says nothing about. */
typedef struct PoolCalendarDay
{
	DateADT		day;
	bool		is_workday;
} PoolCalendarDay;

typedef struct PoolTenantConf
{
	int32		id;
	char	   *name;
	pg_tz	   *zone;
	char		country[3];
	bool		workdays[8];	/* by ISO day of the week, 1 to 7 */
	TimeADT		work_from;
	TimeADT		work_until;
	PoolCalendarDay *calendar;	/* ascending */
	int			n_calendar;
} PoolTenantConf;

/*
 * A condition of a rule, ready to be evaluated.  The variables are those it
 * names; on_time tells that it may become true just because time passes.
 */
typedef struct PoolCondition
{
	JsonPath   *path;			/* NULL = always true */
	char	  **variables;
	int			n_variables;
	bool		on_time;
} PoolCondition;

typedef enum PoolTimerBasis
{
	POOL_BASIS_FIRST_CONTACT,
	POOL_BASIS_FOLLOW_UP,
	POOL_BASIS_OWNERSHIP,
	POOL_BASIS_ENTRY,
	POOL_BASIS_CREATION,
	POOL_BASIS_STAGE,
	POOL_BASIS_REVIEW,
	POOL_BASIS_APPROVAL,
	POOL_BASIS_PLANNED
} PoolTimerBasis;

typedef enum PoolTimerAction
{
	POOL_TIMER_RECLAIM,
	POOL_TIMER_MOVE,
	POOL_TIMER_ARCHIVE,
	POOL_TIMER_ESCALATE
} PoolTimerAction;

typedef enum PoolNotify
{
	POOL_NOTIFY_OWNER,
	POOL_NOTIFY_MANAGER,
	POOL_NOTIFY_PARENT_MANAGER
} PoolNotify;

typedef struct PoolTimerRule
{
	int32		id;
	char	   *name;
	PoolTimerAction action;
	PoolTimerBasis basis;
	Interval	after;
	bool		working_time;
	PoolNotify	notify;
	PoolCondition condition;
	Interval   *remind_before;
	int			n_remind;
	bool		notice_required;
	int32		to_pool_id;		/* 0 = none named */
} PoolTimerRule;

typedef struct PoolClaimRule
{
	int32		id;
	char	   *name;
	PoolCondition condition;
	PoolCondition member_condition;
	int32		min_level;
	bool		approval;
	Interval   *head_start;		/* NULL = binds always */
} PoolClaimRule;

typedef enum PoolEntryThen
{
	POOL_THEN_ACCEPT,
	POOL_THEN_REVIEW,
	POOL_THEN_REJECT,
	POOL_THEN_TO_POOL
} PoolEntryThen;

typedef struct PoolEntryRule
{
	int32		id;
	int32		position;
	char	   *name;
	PoolCondition condition;
	PoolEntryThen then;
	int32		to_pool_id;		/* 0 = none */
	char	   *grade;			/* NULL = as given */
	char	   *reason;
} PoolEntryRule;

typedef struct PoolScoreRule
{
	int32		id;
	char	   *name;
	PoolCondition condition;
	int32		points;
} PoolScoreRule;

typedef enum PoolStrategy
{
	POOL_ROUND_ROBIN,
	POOL_WEIGHTED,
	POOL_RANDOM,
	POOL_LEAST_LOADED,
	POOL_PERFORMANCE,
	POOL_BEST_MATCH,
	POOL_SUGGEST,
	POOL_HAND_OVER
} PoolStrategy;

typedef struct PoolRoutingRule
{
	int32		id;
	int32		position;
	char	   *name;
	PoolCondition condition;
	PoolCondition member_condition;
	int32		min_level;
	PoolStrategy strategy;
	int32		to_pool_id;		/* 0 = none */
	double		newcomer_share;
	int32		newcomer_min;
	Interval   *rotate_every;	/* NULL = no seats */
	int32		rotate_seats;
	Interval   *expires_after;
} PoolRoutingRule;

typedef struct PoolApprovalRule
{
	int32		id;
	char	   *name;
	char	   *action;
	PoolCondition condition;
	int32		step;
	int32		min_level;
	Interval   *expires_after;	/* NULL = never */
} PoolApprovalRule;

/* A word of the pool's dictionary. */
typedef struct PoolTerm
{
	char	   *kind;
	char	   *code;
	char	   *then;
	bool		counts;
	Interval   *after;			/* NULL = none */
} PoolTerm;

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
	PoolTimerRule *rules;		/* enabled ones, by id */
	int			n_rules;
	bool		conditional;	/* a follow-up or an edit may bring a timer
								 * nearer */
	PoolClaimRule *claim_rules; /* by name; enabled ones, as all of these */
	int			n_claim_rules;
	PoolEntryRule *entry_rules; /* by position, id */
	int			n_entry_rules;
	PoolScoreRule *score_rules; /* by name */
	int			n_score_rules;
	PoolRoutingRule *routing_rules; /* by position, id */
	int			n_routing_rules;
	int32	   *receivers;		/* member ids, ascending: all that routing
								 * rules may give leads to; none without rules */
	int			n_receivers;
	PoolApprovalRule *approval_rules;	/* by action, step, id */
	int			n_approval_rules;
	PoolTerm   *terms;
	int			n_terms;
	char		duplicate_policy;	/* r(eject), t(ouch), l(ink) */
	bool		review;
	bool		route_returned;
	bool		subtree_identity;
	char		country[3];
	List	   *masked;			/* of char *: masked_attributes */
	List	   *follow_up_requires; /* of char * */
	int32		follow_up_min_chars;	/* POOL_NO_LIMIT = any, as below */
	Interval   *keep_converted; /* NULL = none */
	Interval   *newcomer_period;
	bool		pause_when_away;
	Interval   *max_pause;		/* NULL = no limit */
	int32		protect_limit;
	Interval   *protect_for;	/* NULL = no limit */
	int32		extension_limit;
	int32		reveal_limit;
	int32		quarantine_after;
	int32		quarantine_pool_id; /* 0 = none */
	int32		reclaim_limit;
	double		reclaim_share;	/* below 0 = no limit */
	Interval   *catch_up;		/* NULL = none */
	int32		reserve_limit;
	Interval   *reserve_for;
} PoolConf;

typedef struct PoolMemberConf
{
	int32		id;
	int32		tenant_id;
	char	   *key;
	char	   *name;			/* NULL = none */
	pg_tz	   *zone;
	int32		level;
	Jsonb	   *profile;
	TimestampTz joined_at;
	int32		hold_limit;
	bool		left;			/* his rights have ended */
	PoolPeriod *absences;		/* by their beginning */
	int			n_absences;
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

StaticAssertDecl(sizeof(PoolMembershipKey) == 2 * sizeof(int32),
				 "keys have no padding");

typedef struct PoolMembershipConf
{
	PoolMembershipKey key;
	PoolRole	role;			/* by the row, or MEMBER by `everyone` */
	bool		listed;			/* there is a row */
	int32		level;			/* the member's where the row has none */
	double		weight;
	int32		hold_limit;		/* the pool's where the row has none */
	int32		claim_limit;
} PoolMembershipConf;

/*
 * An entry point refreshes before its first lookup: everything committed before
 * is seen then.  What lookups return is good until the transaction ends.  What
 * does not exist is NULL (or 0) where it is looked for, and an error where
 * something refers to it.
 */
extern const char *pool_timer_basis_name(PoolTimerBasis basis);
extern const char *pool_timer_action_name(PoolTimerAction action);
extern const char *pool_timer_notify_name(PoolNotify notify);
extern int	pool_timer_basis(const char *name);
extern int	pool_timer_action(const char *name);
extern const char *pool_strategy_name(PoolStrategy strategy);
extern bool pool_strategy_exists(const char *name);
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
extern int	pool_config_downtimes(const PoolPeriod **downtimes);
extern bool pool_config_approval_timers(void);

#endif							/* POOL_CONFIG_H */
