/*
 * attach_sql.h
 *	  What rows of attached tables mean, for the statements about them.
 */
#ifndef POOL_ATTACH_SQL_H
#define POOL_ATTACH_SQL_H

/*
 * $1 attachment, $2 rows as a jsonb[]: called r below.  Names have a collation
 * that no index of ours has.
 */
#define POOL_ATTACHED_ROWS \
	"SELECT a.*, x.doc, x.n," \
	" nullif(a.key_prefix || (x.doc ->> a.key_column::text), '')" \
	"  COLLATE \"default\" AS lead_key," \
	" nullif(x.doc ->> a.owner_column::text, a.nobody) COLLATE \"default\"" \
	"  AS owner_value" \
	" FROM pool.attachment a, unnest($2) WITH ORDINALITY x (doc, n)" \
	" WHERE a.id = $1"

/* what a column says that is mapped to this field; NULL if none is */
#define POOL_ATTACHED_COLUMN(field) "(r.doc ->> (r.columns ->> '" field "'))"
#define POOL_ATTACHED_ATTRIBUTES \
	"(SELECT coalesce(jsonb_object_agg(c.name, r.doc -> c.name), '{}')" \
	" FROM jsonb_array_elements_text(CASE WHEN r.columns ? 'attributes'" \
	"  THEN r.columns -> 'attributes' ELSE '[]' END) c (name))"
#define POOL_ATTACHED_IDENTITIES \
	"(SELECT coalesce(jsonb_object_agg(c.key, r.doc ->> c.value), '{}')" \
	" FROM jsonb_each_text(r.identities) c WHERE r.doc ->> c.value <> '')"

/* the lead_data of r, looked up for each row: for CROSS JOIN LATERAL */
#define POOL_ATTACHED_LEAD \
	"(SELECT * FROM pool.lead_data l" \
	"  WHERE l.tenant_id = r.tenant_id AND l.key = r.lead_key OFFSET 0)"

/*
 * The one member of the tenant whose profile says this in the field that owners
 * are named by; NULL if none does, or several do.  Found by the index on
 * profiles (OFFSET 0: by nothing else), as a string or a number, and compared
 * as text.
 */
#define POOL_ATTACHED_NAMED(attachment, value) \
	"(SELECT min(p.id) FROM (SELECT q.* FROM pool.member q" \
	"   WHERE q.profile @> jsonb_build_object(" \
	"     " attachment ".member_field, " value ")" \
	"    OR q.profile @> jsonb_build_object(" attachment ".member_field," \
	"     CASE WHEN " value " ~ '^-?[0-9]{1,100}([.][0-9]{1,100})?$'" \
	"     THEN (" value ")::numeric END) OFFSET 0) p" \
	"  WHERE p.tenant_id = " attachment ".tenant_id" \
	"  AND p.profile ->> " attachment ".member_field = " value \
	"  HAVING count(*) = 1)"

/* joins the member m whom the owner column of r names */
#define POOL_ATTACHED_MEMBER \
	" LEFT JOIN pool.member mk ON r.member_field IS NULL" \
	"  AND mk.tenant_id = r.tenant_id AND mk.key = r.owner_value" \
	" LEFT JOIN pool.member m ON m.id =" \
	"  CASE WHEN r.member_field IS NULL THEN mk.id ELSE" \
	"   " POOL_ATTACHED_NAMED("r", "r.owner_value") " END "

/* who owns the lead s, as attached tables see it */
#define POOL_ATTACHED_OWNER \
	"(CASE s.status WHEN 'owned' THEN s.owner_id" \
	" WHEN 'converted' THEN s.last_owner_id END)"

#endif							/* POOL_ATTACH_SQL_H */
