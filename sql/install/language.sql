-- The language of the comments that are shown by psql, BI tools and the like
-- (comments.c).  scripts/comments makes the files it reads.

CREATE FUNCTION pool.apply_comments(locale text)
RETURNS void
    AS 'MODULE_PATHNAME', 'pool_apply_comments'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION pool.apply_comments(text) IS
'Rewrites the comments on all functions, views, tables, columns, constraints and other objects of the extension in this language: "en" (as they are installed) or "zh_CN". Psql, BI tools and the hints of violated constraints show them to everybody in the database. pg_dump leaves comments of an extension''s objects out, and an update of the extension brings English ones: call it again after either. Waits for ALTER TABLE and VACUUM on these objects, not for work on leads. Errors: 42501 for others than the owner of the extension, 22004 NULL, 22023 there is no such language, 22P05 the encoding of the database lacks characters of it, 25006.';
