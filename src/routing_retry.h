/*
 * routing_retry.h
 *	  A tick's task: leads that wait to be routed are tried again.
 */
#ifndef POOL_ROUTING_RETRY_H
#define POOL_ROUTING_RETRY_H

#include "tick.h"

extern PoolTickResult pool_routing_run(int max_leads, TimestampTz now);

#endif							/* POOL_ROUTING_RETRY_H */
