-- Generated stand-ins where the real files are absent: the same columns and
-- roughly the same proportions, the same rows every time.

-- a number in [0, 1) that depends on nothing but the row and the purpose
CREATE FUNCTION demo.draw(seed bigint, purpose text) RETURNS float8
LANGUAGE sql IMMUTABLE
RETURN (hashtextextended(purpose, seed) & 2147483647) / 2147483648.0;

-- one of these words: the second from the first bound on, and so forth
CREATE FUNCTION demo.pick(at float8, bounds float8[], words text[])
RETURNS text LANGUAGE sql IMMUTABLE
RETURN words[1 + width_bucket(at, bounds)];
