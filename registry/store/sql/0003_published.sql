-- SPDX-License-Identifier: Apache-2.0

-- The checkpoint that the public tree shows, with its witnesses' lines. Behind
-- the one in `checkpoint` while they are being asked.
CREATE TABLE published (
	one    INTEGER PRIMARY KEY CHECK (one = 1),
	size   INTEGER NOT NULL,
	proved INTEGER NOT NULL, -- leaves whose proof files are in the tree, too
	note   BLOB NOT NULL
) STRICT;

INSERT INTO published (one, size, proved, note) SELECT one, size, size, note FROM checkpoint;
