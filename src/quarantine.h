/*
 * quarantine.h
 *	  Leads that come back again and again without having been worked on.
 */
#ifndef POOL_QUARANTINE_H
#define POOL_QUARANTINE_H

#include "lead.h"

extern const PoolConf *pool_quarantine(PoolWork *work, const PoolLead *lead);

#endif							/* POOL_QUARANTINE_H */
