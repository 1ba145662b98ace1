-- The user's own leads.  demo.csv has one text column for each of the file,
-- and the file's header as its first row.  key, name, source, grade, priority
-- and created_at are themselves, phone and email are identities, everything
-- else is an attribute.  How it ends is read from y or outcome, and made up
-- (one in eight buys) where the file has neither.
CREATE TABLE demo.incoming AS
WITH header AS (
    SELECT h.key AS col, trim(h.value) AS name, lower(trim(h.value)) AS role
    FROM (SELECT * FROM demo.csv ORDER BY seq LIMIT 1) f,
        jsonb_each_text(to_jsonb(f) - 'seq') h
    WHERE trim(h.value) <> ''
), field AS (
    SELECT c.seq, h.name, h.role, to_jsonb(c) ->> h.col AS value
    FROM demo.csv c CROSS JOIN header h
    WHERE c.seq > (SELECT min(seq) FROM demo.csv)
), line AS (
    SELECT seq,
        coalesce(max(value) FILTER (WHERE role = 'key'),
            (row_number() OVER (ORDER BY seq))::text) AS key,
        max(value) FILTER (WHERE role = 'name') AS name,
        max(value) FILTER (WHERE role = 'source') AS source,
        max(value) FILTER (WHERE role = 'grade') AS grade,
        coalesce(max(value) FILTER (WHERE role = 'priority'), '0') AS priority,
        max(value) FILTER (WHERE role = 'created_at') AS created_at,
        lower(max(value) FILTER (WHERE role IN ('y', 'outcome'))) AS outcome,
        jsonb_object_agg(name, value) FILTER (WHERE value IS NOT NULL
            AND role NOT IN ('key', 'name', 'source', 'grade', 'priority',
                'created_at', 'phone', 'email', 'y', 'outcome')) AS attributes,
        jsonb_object_agg(role, value) FILTER (WHERE value IS NOT NULL
            AND role IN ('phone', 'email')) AS identities
    FROM field
    GROUP BY seq
)
SELECT seq, key, name, source, grade, priority,
    coalesce(attributes, '{}') AS attributes,
    coalesce(identities, '{}') AS identities, created_at,
    1 AS calls,
    coalesce(outcome IN ('y', 'yes', '1', 't', 'true', 'won', 'converted'),
        (hashtext(key) & 7) = 0) AS buys
FROM line;
