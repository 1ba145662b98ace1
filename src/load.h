/*
 * load.h
 *	  Leads enter in bulk: the view intake.
 */
#ifndef POOL_LOAD_H
#define POOL_LOAD_H

extern void pool_load_init(void);

#endif							/* POOL_LOAD_H */
