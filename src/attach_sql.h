/*
 * attach_sql.h
 *	  What rows of attached tables mean, for the statements about them.
 */
#ifndef POOL_ATTACH_SQL_H
#define POOL_ATTACH_SQL_H

/* $1 attachment, $2 rows as a jsonb[]: called r below */
#define POOL_ATTACHED_ROWS \
	"SELECT a.*, x.doc, x.n," \
	" a.key_prefix || (x.doc ->> a.key_column::text) AS lead_key," \
	" nullif(x.doc ->> a.owner_column::text, a.nobody) AS owner_value" \
	" FROM pool.attachment a, unnest($2) WITH ORDINALITY x (doc, n)" \
	" WHERE a.id = $1"

/* which member m the owner column of r names */
#define POOL_ATTACHED_MEMBER \
	"m.tenant_id = r.tenant_id AND r.owner_value =" \
	" CASE WHEN r.member_field IS NULL THEN m.key" \
	"  ELSE m.profile ->> r.member_field END"

/* who owns the lead s, as attached tables see it */
#define POOL_ATTACHED_OWNER \
	"(CASE s.status WHEN 'owned' THEN s.owner_id" \
	" WHEN 'converted' THEN s.last_owner_id END)"

#endif							/* POOL_ATTACH_SQL_H */
