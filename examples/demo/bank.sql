-- The called customers of a bank, bank-full.csv of UCI Bank Marketing
-- (Moro, Rita, Cortez 2014, CC BY 4.0), as leads.
--
--   key         position in the file: the file has no other
--   source      contact, the channel
--   created_at  date of the last contact, the only one there is; the year is
--               found by counting the times the month falls
--   priority    from what was known before the campaign: 50 if the customer
--               bought in an earlier one, 10 if he was called in one, else 0
--   grade       the same as a letter
--   attributes  what the bank knew before the call; neither duration nor y,
--               which are known only after it
--
-- How many calls it takes (campaign) and how they end (y) is what the customer
-- does later.  Wants the variable every: one row in so many is taken.
CREATE TABLE demo.incoming AS
WITH m AS (
    SELECT *, extract(month FROM to_date(initcap(month), 'Mon'))::int AS mm
    FROM demo.bank_full
), s AS (
    SELECT *, (mm < lag(mm) OVER (ORDER BY seq))::int AS bump FROM m
), y AS (
    SELECT *, 2008 + coalesce(sum(bump) OVER (ORDER BY seq), 0) AS yy FROM s
), k AS (
    SELECT *, make_date(yy::int, mm, day) AS contact_date,
        CASE WHEN poutcome = 'success' THEN 50
             WHEN previous > 0 THEN 10 ELSE 0 END AS worth
    FROM y
)
SELECT seq, seq::text AS key, NULL::text AS name, contact AS source,
    CASE worth WHEN 50 THEN 'A' WHEN 10 THEN 'B' ELSE 'C' END AS grade,
    worth::text AS priority,
    jsonb_build_object('age', age, 'job', job, 'marital', marital,
        'education', education, 'default', "default", 'balance', balance,
        'housing', housing, 'loan', loan, 'pdays', nullif(pdays, -1),
        'previous', previous, 'poutcome', poutcome) AS attributes,
    '{}'::jsonb AS identities,
    contact_date::timestamptz AS created_at, campaign AS calls,
    y = 'yes' AS buys
FROM k
WHERE seq % :every = 0;
