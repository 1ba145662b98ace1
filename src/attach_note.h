/*
 * attach_note.h
 *	  Which leads of a call attached tables have to follow.
 */
#ifndef POOL_ATTACH_NOTE_H
#define POOL_ATTACH_NOTE_H

#include "lead.h"
#include "table.h"

/* A row of attachment, as far as C needs it; lives until the cache is stale. */
typedef struct PoolAttachment
{
	int32		id;
	int32		tenant_id;
	int32		pool_id;
	Oid			relid;
	NameData	key;
	NameData	owner;
	NameData	shared;			/* "" = none */
	char	   *nobody;			/* NULL = NULL */
	bool		conditional;
	List	   *mapped;			/* columns that say something of leads, or
								 * whether they enter: char * */
	List	   *followed;		/* those that say it always, not at entry only */
	List	   *identities;		/* of these those that hold identities */
	char		on_bypass;		/* first letter */
} PoolAttachment;

/* Leads whose rows may have to change when the call ends. */
typedef struct PoolAttachNotes
{
	int			n;
	int			size;
	int64	   *leads;
} PoolAttachNotes;

extern void pool_attach_note_init(void);
extern List *pool_attachments(void);
extern const PoolAttachment *pool_attachment_of(Oid relid);
extern void pool_attach_note(PoolWork *work, const PoolLead *lead,
							 const char *kind);
extern void pool_attach_set_writer(void (*writer) (PoolAttachNotes *notes));

#endif							/* POOL_ATTACH_NOTE_H */
