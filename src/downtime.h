/*
 * downtime.h
 *	  When ticks did not run.
 */
#ifndef POOL_DOWNTIME_H
#define POOL_DOWNTIME_H

#include "postgres.h"

#include "datatype/timestamp.h"

extern bool pool_downtime_note(TimestampTz now);

#endif							/* POOL_DOWNTIME_H */
