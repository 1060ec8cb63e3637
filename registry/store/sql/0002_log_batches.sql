-- SPDX-License-Identifier: Apache-2.0

-- The log. `hash` and `data` are the Merkle leaf hash and the entry.
CREATE TABLE leaf (
	idx      INTEGER PRIMARY KEY,
	product  TEXT NOT NULL,
	seq      INTEGER NOT NULL,
	document TEXT NOT NULL,
	hash     BLOB NOT NULL,
	data     BLOB NOT NULL,
	UNIQUE (product, seq)
) STRICT;

CREATE UNIQUE INDEX leaf_document ON leaf (document);

CREATE TABLE tile (
	level  INTEGER NOT NULL,
	n      INTEGER NOT NULL,
	hashes BLOB NOT NULL, -- as wide as it ever was
	PRIMARY KEY (level, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoint (
	one  INTEGER PRIMARY KEY CHECK (one = 1),
	size INTEGER NOT NULL,
	note BLOB NOT NULL
) STRICT;

-- Documents that are not in force yet: below their threshold, or waiting for blobs.
CREATE TABLE batch (
	n        INTEGER PRIMARY KEY AUTOINCREMENT,
	product  TEXT NOT NULL,
	state    TEXT NOT NULL CHECK (state IN ('proposal', 'waiting', 'refused')),
	received INTEGER NOT NULL,
	reason   TEXT
) STRICT;

CREATE INDEX batch_product ON batch (product);

CREATE TABLE batch_document (
	batch   INTEGER NOT NULL REFERENCES batch (n) ON DELETE CASCADE,
	pos     INTEGER NOT NULL,
	id      TEXT NOT NULL,
	sha256  TEXT NOT NULL,
	type    TEXT NOT NULL,
	version INTEGER NOT NULL,
	have    INTEGER NOT NULL, -- signatures that count
	need    INTEGER NOT NULL,
	bytes   BLOB NOT NULL,
	PRIMARY KEY (batch, pos)
) STRICT, WITHOUT ROWID;

CREATE INDEX batch_document_id ON batch_document (id);

CREATE TABLE batch_blob (
	batch  INTEGER NOT NULL REFERENCES batch (n) ON DELETE CASCADE,
	sha256 TEXT NOT NULL,
	size   INTEGER NOT NULL,
	PRIMARY KEY (batch, sha256)
) STRICT, WITHOUT ROWID;

CREATE INDEX batch_blob_sha256 ON batch_blob (sha256);

CREATE TABLE blob (
	sha256   TEXT PRIMARY KEY,
	size     INTEGER NOT NULL,
	received INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE hardware (
	id      TEXT NOT NULL,
	product TEXT NOT NULL REFERENCES product (id),
	PRIMARY KEY (id, product)
) STRICT, WITHOUT ROWID;

CREATE INDEX hardware_product ON hardware (product);

-- What a commit decided and the public tree may not show yet, done in the order
-- of (stage, n) and again after a crash.
CREATE TABLE outbox (
	n       INTEGER PRIMARY KEY AUTOINCREMENT,
	stage   INTEGER NOT NULL,
	kind    TEXT NOT NULL CHECK (kind IN ('put', 'link', 'stage', 'swap', 'pages')),
	path    TEXT NOT NULL, -- below public/; stage, swap, pages: the product
	content BLOB           -- put: the bytes; link: the blob's digest
) STRICT;

CREATE INDEX outbox_order ON outbox (stage, n);
