/*
 * worker_setting.h
 *	  Settings a worker does not take from sessions of clients.
 */
#ifndef POOL_WORKER_SETTING_H
#define POOL_WORKER_SETTING_H

extern void pool_worker_override_settings(void);

#endif							/* POOL_WORKER_SETTING_H */
