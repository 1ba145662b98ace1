-- Most calls were made early, none at a week-end, and the file is in the order
-- of their dates.  Wants the variable rows.
INSERT INTO demo.bank_full (age, job, marital, education, "default", balance,
    housing, loan, contact, day, month, duration, campaign, pdays, previous,
    poutcome, y)
SELECT 18 + (demo.draw(i, 'age') * 40 + demo.draw(i, 'old') * 25)::int,
    demo.pick(demo.draw(i, 'job'),
        '{.215,.425,.595,.705,.795,.845,.88,.913,.943,.97,.991}',
        '{blue-collar,management,technician,admin.,services,retired,
        self-employed,entrepreneur,unemployed,housemaid,student,unknown}'),
    demo.pick(demo.draw(i, 'marital'), '{.6,.88}', '{married,single,divorced}'),
    demo.pick(demo.draw(i, 'education'), '{.51,.81,.96}',
        '{secondary,tertiary,primary,unknown}'),
    demo.pick(demo.draw(i, 'default'), '{.98}', '{no,yes}'),
    (demo.draw(i, 'balance') ^ 4 * 8000 - 200)::int,
    demo.pick(demo.draw(i, 'housing'), '{.56}', '{yes,no}'),
    demo.pick(demo.draw(i, 'loan'), '{.84}', '{no,yes}'),
    c.contact, extract(day FROM d.at), lower(to_char(d.at, 'Mon')),
    (-258 * ln(1 - demo.draw(i, 'duration')))::int,
    least(63, 1 + floor(-2.2 * ln(1 - demo.draw(i, 'campaign'))))::int,
    CASE WHEN c.poutcome = 'unknown' THEN -1
         ELSE 90 + (demo.draw(i, 'pdays') * 270)::int END,
    CASE WHEN c.poutcome = 'unknown' THEN 0
         ELSE 1 + (demo.draw(i, 'previous') ^ 3 * 9)::int END,
    c.poutcome,
    CASE WHEN demo.draw(i, 'y') < CASE c.poutcome WHEN 'success' THEN .65
        WHEN 'unknown' THEN CASE c.contact WHEN 'unknown' THEN .04 ELSE .12 END
        ELSE .14 END THEN 'yes' ELSE 'no' END
FROM generate_series(1, :rows) i
CROSS JOIN LATERAL (
    SELECT date '2008-05-05' + floor((i::float8 / :rows) ^ 3 * 926)::int AS raw
    ) r
CROSS JOIN LATERAL (
    SELECT r.raw + CASE WHEN extract(isodow FROM r.raw) > 5
        THEN 8 - extract(isodow FROM r.raw)::int ELSE 0 END AS at) d
CROSS JOIN LATERAL (
    SELECT demo.pick(demo.draw(i, 'contact'), '{.648,.936}',
            '{cellular,unknown,telephone}') AS contact,
        demo.pick(demo.draw(i, 'poutcome'), '{.817,.925,.966}',
            '{unknown,failure,other,success}') AS poutcome) c
ORDER BY i;
