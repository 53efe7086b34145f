CREATE TABLE IF NOT EXISTS account (
    user    TEXT    PRIMARY KEY,
    balance INTEGER NOT NULL CHECK (balance >= 0),
    held    INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0)
);
CREATE TABLE IF NOT EXISTS revenue (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    total INTEGER NOT NULL
);
INSERT OR IGNORE INTO revenue VALUES (1, 0);
