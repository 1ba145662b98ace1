/*
 * visible.h
 *	  Whether the caller may know of a lead.
 */
#ifndef POOL_VISIBLE_H
#define POOL_VISIBLE_H

#include "lead.h"

extern bool pool_lead_visible(PoolWork *work, const PoolLead *lead);

#endif							/* POOL_VISIBLE_H */
