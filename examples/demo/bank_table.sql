CREATE SCHEMA demo;
CREATE TABLE demo.bank_full (
    age integer, job text, marital text, education text, "default" text,
    balance integer, housing text, loan text, contact text, day integer,
    month text, duration integer, campaign integer, pdays integer,
    previous integer, poutcome text, y text,
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY
);
