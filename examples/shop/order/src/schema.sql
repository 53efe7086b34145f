CREATE TABLE IF NOT EXISTS orders (
    id    INTEGER PRIMARY KEY,
    user  TEXT    NOT NULL,
    sku   TEXT    NOT NULL,
    count INTEGER NOT NULL,
    state TEXT    NOT NULL CHECK (state IN ('pending', 'confirmed', 'cancelled')),
    -- The transaction that placed it, so that its outcome can be asked for later.
    xid   TEXT    NOT NULL
);
CREATE TABLE IF NOT EXISTS last_order (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id  INTEGER NOT NULL
);
INSERT OR IGNORE INTO last_order VALUES (1, 0);
