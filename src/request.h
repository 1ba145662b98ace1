/*
 * request.h
 *	  Request ids: the same call twice happens once.
 */
#ifndef POOL_REQUEST_H
#define POOL_REQUEST_H

#include "result.h"

extern bool pool_request_replay(PoolCall *call, int argno, int32 tenant_id);
extern void pool_request_store(PoolCall *call);

#endif							/* POOL_REQUEST_H */
