-- SPDX-License-Identifier: Apache-2.0
-- Instants are seconds since the Unix epoch, sizes are bytes, ids and digests are
-- lower-case hex. Nothing here is secret: keys and shares are files elsewhere.

CREATE TABLE product (
	id       TEXT PRIMARY KEY,
	admitted INTEGER NOT NULL,
	root     INTEGER NOT NULL DEFAULT 0, -- version of the current root; 0: none yet
	tenure   INTEGER NOT NULL DEFAULT 0, -- the current one
	head     TEXT,                       -- commit of source.git; NULL: no sources yet
	listing  TEXT                        -- its member of products.json, as JSON
) STRICT;

-- Who held the product, one after the other. Online metadata counts its versions
-- anew in each.
CREATE TABLE tenure (
	product    TEXT NOT NULL REFERENCES product (id),
	n          INTEGER NOT NULL,
	publisher  TEXT NOT NULL,
	epoch      INTEGER NOT NULL, -- the how manieth tenure of this publisher, from 0
	first_root INTEGER NOT NULL,
	anchor     INTEGER NOT NULL, -- version of the root that the next ones are compared with
	last_root  INTEGER,          -- set when it ended: its files are in held/<last_root>/
	PRIMARY KEY (product, n)
) STRICT, WITHOUT ROWID;

-- What was accepted: each of these is in the log.
CREATE TABLE document (
	id       TEXT PRIMARY KEY,
	sha256   TEXT NOT NULL,
	product  TEXT NOT NULL REFERENCES product (id),
	type     TEXT NOT NULL, -- signed._type
	role     TEXT NOT NULL, -- TUF roles: its name; statements: ''
	signer   TEXT NOT NULL, -- key id where versions count for each signer; else ''
	tenure   INTEGER NOT NULL, -- targets: whose; else 0
	version  INTEGER NOT NULL,
	issued   INTEGER NOT NULL, -- statements; roles: when they came
	received INTEGER NOT NULL,
	deposit  TEXT,             -- statements that name one: its id
	bytes    BLOB NOT NULL,
	UNIQUE (product, type, role, signer, tenure, version)
) STRICT;

CREATE INDEX document_deposit ON document (deposit) WHERE deposit IS NOT NULL;

-- The targets roles of a tenure, each with the version in force.
CREATE TABLE role (
	product  TEXT NOT NULL REFERENCES product (id),
	tenure   INTEGER NOT NULL,
	name     TEXT NOT NULL,
	version  INTEGER NOT NULL,
	document TEXT NOT NULL REFERENCES document (id),
	PRIMARY KEY (product, tenure, name)
) STRICT, WITHOUT ROWID;

-- The latest snapshot and timestamp of a tenure, made here.
CREATE TABLE online (
	product TEXT NOT NULL REFERENCES product (id),
	tenure  INTEGER NOT NULL,
	type    TEXT NOT NULL,
	version INTEGER NOT NULL,
	renew   INTEGER NOT NULL, -- from when on the next version is due
	bytes   BLOB NOT NULL,
	PRIMARY KEY (product, tenure, type)
) STRICT, WITHOUT ROWID;

CREATE INDEX online_renew ON online (renew);

CREATE TABLE deposit (
	id      TEXT PRIMARY KEY REFERENCES document (id),
	product TEXT NOT NULL REFERENCES product (id),
	follows TEXT NOT NULL, -- id of the root that its bridge follows
	bridge  TEXT NOT NULL,
	release TEXT           -- id of the `release` statement, once it is open
) STRICT;

CREATE INDEX deposit_product ON deposit (product, follows);
