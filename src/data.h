/*
 * data.h
 *	  What a lead is called and carries: rows of lead_data.
 */
#ifndef POOL_DATA_H
#define POOL_DATA_H

#include "clock.h"
#include "table.h"
#include "utils/jsonb.h"

/* Datums are 0 for NULL and live as long as the table's slot holds the row. */
typedef struct PoolData
{
	int64		id;
	int32		tenant_id;
	Datum		key;
	Datum		name;
	Datum		source;
	Datum		grade;
	Datum		attributes;
	TimestampTz created_at;
	TimestampTz erased_at;
} PoolData;

extern bool pool_data_read(PoolTable *table, int64 id, Snapshot snapshot,
						   PoolData *data);
extern void pool_data_get(PoolTable *table, int64 id, PoolData *data);
extern bool pool_data_is_erased(PoolTable *table, int64 id);
extern bool pool_data_read_by_key(PoolTable *table, int32 tenant_id,
								  Datum key, Snapshot snapshot,
								  PoolData *data);
extern TimestampTz pool_data_created_at(int64 id);
extern bool pool_data_lock(PoolTable *table, int64 id, Snapshot snapshot,
						   PoolData *data);
extern void pool_data_update(PoolTable *table, const PoolData *data);

#endif							/* POOL_DATA_H */
