/*
 * attach.h
 *	  Tables of the application whose rows are leads.
 */
#ifndef POOL_ATTACH_H
#define POOL_ATTACH_H

#include "attach_note.h"
#include "commands/trigger.h"
#include "result.h"
#include "sql.h"
#include "utils/jsonpath.h"

/* How many rows came to one outcome. */
typedef struct PoolAttachCount
{
	char	   *outcome;
	char	   *owner;			/* NULL = any, as the next one */
	char	   *reason;
	int64		n;
} PoolAttachCount;

/* Which rows are to enter. */
typedef enum PoolAttachRows
{
	POOL_ATTACH_EXISTING,		/* there before the table was attached */
	POOL_ATTACH_INSERTED,
	POOL_ATTACH_UPDATED,		/* by a statement that names another owner */
	POOL_ATTACH_TOUCHED			/* that leaves the owner as it is */
} PoolAttachRows;

/* attach_fit.c: whether tables can be attached */
extern void pool_attach_check_owner(Oid relid);
extern void pool_attach_check_relation(Oid relid);
extern void pool_attach_check_fit(const PoolAttachment *a,
								  JsonPath *condition);
extern void pool_attach_check_mapping(Oid relid, Datum columns,
									  Datum identities);
extern bool pool_attach_key_is_unique(Oid relid, const char *name);
extern void pool_attach_check_columns(const PoolAttachment *a);

/* attach_row.c: rows, and what they say of leads */
#define POOL_ATTACH_CHUNK 5000
extern bool pool_attach_enter(const PoolAttachment *a, Datum rows,
							  PoolAttachRows how, List **counts);
extern void pool_attach_enter_all(const PoolAttachment *a, List **counts);
extern Datum pool_attach_fetch(Portal portal, MemoryContext context);
extern PoolSql pool_attach_as_owner(const PoolAttachment *a);
extern void pool_attach_as_nobody(void (*work) (void *arg), void *arg);
extern char *pool_attach_table_name(const PoolAttachment *a);
extern char *pool_attach_reading(const PoolAttachment *a, TriggerEvent event);

/* attach_edit.c: what else rows say */
extern void pool_attach_edit(const PoolAttachment *a, Datum rows,
							 Datum identified, Datum before);

/* attach_trigger.c */
extern void pool_attach_lock_leads(const PoolAttachment *a, Datum leads,
								   int64 n);

/* attach_write.c: owners, written back */
extern void pool_attach_write_init(void);
extern void pool_attach_write_rows(const PoolAttachment *a, Datum rows);
extern void pool_attach_report_gone(const char *table, const char *column);

/* attach_verify.c */
extern void pool_attach_verify(PoolCall *call);

#endif							/* POOL_ATTACH_H */
