/*
 * term.h
 *	  The words a pool knows: its dictionary.
 */
#ifndef POOL_TERM_H
#define POOL_TERM_H

#include "config.h"

#define POOL_TERM_FOLLOW_UP "follow_up"
#define POOL_TERM_RESULT "result"
#define POOL_TERM_RELEASE "release_reason"
#define POOL_TERM_ARCHIVE "archive_reason"

extern bool pool_term_find(const PoolConf *pool, const char *kind,
						   Datum code, const PoolTerm **term);
extern bool pool_term_then(const PoolTerm *term, const char *then);
extern bool pool_term_counts(const PoolTerm *term);

#endif							/* POOL_TERM_H */
