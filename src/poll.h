/*
 * poll.h
 *	  Events for the outside.
 */
#ifndef POOL_POLL_H
#define POOL_POLL_H

extern void pool_wake_readers(void);

#endif							/* POOL_POLL_H */
