-- What the sellers' pool came to, against what its customers were to say.
-- Wants the variables pool, and from the published figures leads, calls, sold
-- or NULL.
INSERT INTO demo.result (step, figure, expected, found)
SELECT 'sellers', f.figure, coalesce(f.published, f.counted),
    coalesce(f.found, 0)
FROM (
    SELECT count(*) AS leads, sum(calls) AS calls,
        count(*) FILTER (WHERE buys) AS sold
    FROM demo.customer JOIN pool.lead USING (key)
) c, (
    SELECT sum(entered) AS entered, sum(followed_up) AS followed_up,
        sum(converted) AS converted, sum(archived) AS archived
    FROM pool.stat_daily
    WHERE pool IN (:'pool', :'pool' || ' declined')
) v, LATERAL (VALUES
    ('customers entered', c.leads, :leads::bigint, v.entered),
    ('calls', c.calls, :calls, v.followed_up),
    ('sold', c.sold, :sold, v.converted),
    ('declined and closed', c.leads - c.sold, :leads::bigint - :sold,
        v.archived)
) f(figure, counted, published, found);
