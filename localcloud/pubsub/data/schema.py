"""The tables of the database. A batch without a body has a file; `places` has a bit for each open message."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS topics (
    name TEXT PRIMARY KEY, message BLOB NOT NULL, policy BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subscriptions (
    key INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, message BLOB NOT NULL, policy BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS batches (id INTEGER PRIMARY KEY, size INTEGER NOT NULL, body BLOB);
CREATE TABLE IF NOT EXISTS waiting (
    subscription INTEGER NOT NULL, batch INTEGER NOT NULL, places BLOB NOT NULL, attempts TEXT NOT NULL,
    PRIMARY KEY (subscription, batch)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS snapshots (
    name TEXT PRIMARY KEY, message BLOB NOT NULL, policy BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kept (
    archive TEXT NOT NULL, message INTEGER NOT NULL, batch INTEGER NOT NULL,
    PRIMARY KEY (archive, message)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS activity (subscription INTEGER PRIMARY KEY, time REAL NOT NULL);
CREATE TABLE IF NOT EXISTS seeks (subscription INTEGER PRIMARY KEY, lease INTEGER NOT NULL);
"""
