"""The tables of the database. An upload without a content is a multipart upload of the XML API."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (
  name TEXT PRIMARY KEY, project TEXT NOT NULL, created REAL NOT NULL, updated REAL NOT NULL,
  metageneration INTEGER NOT NULL, settings TEXT NOT NULL, policy TEXT NOT NULL, notifications TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
  bucket TEXT NOT NULL REFERENCES buckets, name TEXT NOT NULL, generation INTEGER NOT NULL,
  metageneration INTEGER NOT NULL, created REAL NOT NULL, updated REAL NOT NULL, deleted REAL,
  content TEXT NOT NULL, size INTEGER NOT NULL, crc32c TEXT NOT NULL, md5 TEXT, components INTEGER,
  settings TEXT NOT NULL,
  PRIMARY KEY (bucket, name, generation)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS small_contents (generation INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS uploads (
  id TEXT PRIMARY KEY, content TEXT NOT NULL, created REAL NOT NULL, request TEXT NOT NULL, finished TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parts (
  upload TEXT NOT NULL REFERENCES uploads ON DELETE CASCADE, number INTEGER NOT NULL, content TEXT NOT NULL,
  size INTEGER NOT NULL, crc32c TEXT NOT NULL, md5 TEXT NOT NULL, created REAL NOT NULL, PRIMARY KEY (upload, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hmac_keys (
  id TEXT PRIMARY KEY, project TEXT NOT NULL, email TEXT NOT NULL, state TEXT NOT NULL,
  created REAL NOT NULL, updated REAL NOT NULL, number INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, data BLOB NOT NULL, attributes TEXT NOT NULL
);
"""
