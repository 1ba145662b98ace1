/*
 * route.h
 *	  Giving leads to members by the routing rules of their pool.
 */
#ifndef POOL_ROUTE_H
#define POOL_ROUTE_H

#include "event.h"
#include "lead.h"
#include "quota.h"
#include "score.h"
#include "strategy.h"
#include "turn.h"

/* One test of a lead that is explained, and how it ended. */
typedef struct PoolRouteTest
{
	const PoolRoutingRule *rule;
	const PoolMemberConf *member;	/* NULL = the rule itself was tested */
	const char *name;
	bool		passed;
	const char *detail;			/* NULL = none, as the next */
	const double *score;
} PoolRouteTest;

/* Whoever is told of every test of a lead that is explained. */
typedef struct PoolRouteWatch
{
	void		(*tell) (void *arg, const PoolRouteTest *test);
	void	   *arg;
} PoolRouteWatch;

/* A receiver whom a rule can give leads to, whatever the lead is like. */
typedef struct PoolStanding
{
	int			index;			/* of the receiver */
	uint32		lot;			/* decides among those never served */
} PoolStanding;

/* A rule in use; what it needs is read when the first lead meets it. */
typedef struct PoolRouteRule
{
	const PoolRoutingRule *rule;
	PoolTurns  *turns;
	PoolMemberVerdicts *verdicts;
	PoolScores *scores;
	PoolStanding *standing;		/* who can receive at all by it */
	int			n_standing;
	bool		reported;		/* its error, as the next */
	bool		member_reported;
} PoolRouteRule;

/* A pool that leads may come through. */
typedef struct PoolRoutePool
{
	const PoolConf *conf;
	bool		named;			/* its receivers' counters are asked for */
	PoolReceivers *receivers;	/* NULL = not named, or not ready yet */
	PoolRouteRule *rules;		/* as in conf */
} PoolRoutePool;

/* One call: all leads share what is read, and the locks. */
typedef struct PoolRoute
{
	PoolWork   *work;
	PoolQuotaSet *set;
	int32		actor_id;
	TimestampTz now;
	MemoryContext context;		/* of the call */
	MemoryContext lead_context; /* reset for each lead */
	List	   *pools;			/* of PoolRoutePool */
	PoolContender *contenders;	/* room for all receivers of any pool */
	const PoolRouteWatch *watch;	/* NULL = act, do not explain */
} PoolRoute;

/* What became of a lead. */
typedef struct PoolRouted
{
	const char *outcome;		/* assigned, suggested, no_rule, no_candidate,
								 * at_capacity; NULL = its pool has no rules */
	int32		member_id;		/* 0 = nobody */
	int32		pool_id;		/* where the lead is now */
	const PoolRoutingRule *rule;	/* that decided; NULL = none */
} PoolRouted;

/* A lead on its way; for the files of routing. */
typedef struct PoolRouteCase
{
	PoolRoute  *route;
	PoolLead   *lead;
	PoolData	data;
	TimestampTz now;
	Jsonb	   *document;		/* NULL = no rule has asked for it */
	int32		excluded_id;	/* gave it back, 0 = nobody */
	bool		queue_knows;	/* that the lead is leaving */
	List	   *hops;			/* of PoolRouteRule: hand_overs on the way */
	PoolRoutePool *pool;		/* where it arrived */
	PoolRouteRule *rule;		/* that decides; NULL = none */
	PoolVerdict *verdicts;
	List	   *cooling;		/* members barred by cooldown */
	int32		customer_of;	/* who owns leads of this customer, 0 = nobody */
	bool		any_full;		/* somebody lacks nothing but room */
	int			n_contenders;
	int64		seed;			/* of the draw */
	PoolChoice	choice;
} PoolRouteCase;

extern PoolRoute *pool_route_begin(PoolWork *work, PoolQuotaSet *set,
								   int32 actor_id);
extern bool pool_route_add_pool(PoolRoute *route, int32 pool_id);
extern bool pool_route_add_lead(PoolRoute *route, int64 lead_id,
								int32 pool_id);
extern bool pool_route_try_lock(PoolRoute *route);
extern void pool_route_ready(PoolRoute *route, TimestampTz now);
extern bool pool_route_full(const PoolRoute *route);
extern PoolRouted pool_route_lead(PoolRoute *route, PoolLead *lead,
								  int32 excluded_id, bool queue_knows);
extern bool pool_route_by_id(PoolRoute *route, int64 lead_id,
							 int32 pool_id, int32 excluded_id,
							 PoolRouted *routed);
extern void pool_route_end(PoolRoute *route);

extern PoolRoutePool *pool_route_pool(PoolRoute *route, int32 pool_id);

/* route_rule.c */
extern Jsonb *pool_route_document(PoolRouteCase *c);
extern void pool_route_follow(PoolRouteCase *c);

/* route_test.c */
extern void pool_route_find_standing(PoolRouteCase *c);
extern void pool_route_contenders(PoolRouteCase *c);
extern void pool_route_report_rule(PoolRoutePool *pool, PoolRouteRule *rule);
extern void pool_route_report_members(PoolRoutePool *pool,
									  PoolRouteRule *rule);

/* route_write.c */
extern bool pool_may_be_routed(PoolWork *work, const PoolLead *lead,
							   TimestampTz now);
extern void pool_route_give(PoolRouteCase *c);
extern void pool_route_suggest(PoolRouteCase *c);
extern void pool_route_move(PoolRouteCase *c);

#endif							/* POOL_ROUTE_H */
