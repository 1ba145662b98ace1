/*
 * installation.h
 *	  Which cluster and database the data lives in.
 */
#ifndef POOL_INSTALLATION_H
#define POOL_INSTALLATION_H

#include "postgres.h"

extern int32 pool_generation(void);
extern void pool_installation_forget(void);
extern bool pool_installation_active(void);

#endif							/* POOL_INSTALLATION_H */
