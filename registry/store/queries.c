/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/store/queries.h"

#define DOCUMENT_COLUMNS \
	"d.id, sha256, d.product, type, role, signer, tenure, version, issued, received, " \
	"deposit, idx, seq"

const char *const queries[Q_COUNT] = {
	[Q_PRODUCT] = "SELECT id, root, tenure, head FROM product WHERE id = ?1",
	[Q_PRODUCT_ADD] = "INSERT OR IGNORE INTO product (id, admitted) VALUES (?1, ?2)",
	[Q_PRODUCT_ROOT] = "UPDATE product SET root = ?2, tenure = ?3 WHERE id = ?1",
	[Q_PRODUCT_HEAD] = "UPDATE product SET head = ?2 WHERE id = ?1",
	[Q_PRODUCT_LISTING] = "UPDATE product SET listing = ?2 WHERE id = ?1 AND listing IS NOT ?2",
	[Q_PRODUCTS] = "SELECT id FROM product WHERE root > 0 ORDER BY id",
	[Q_TENURE] = "SELECT n, publisher, epoch, first_root, anchor, coalesce(last_root, 0) FROM "
		     "tenure WHERE product = ?1 AND n = ?2",
	[Q_TENURE_ADD] =
		"INSERT INTO tenure (product, n, publisher, epoch, first_root, anchor) VALUES"
		" (?1, ?2, ?3, ?4, ?5, ?6)",
	[Q_TENURE_END] = "UPDATE tenure SET last_root = ?3 WHERE product = ?1 AND n = ?2",
	[Q_TENURE_ANCHOR] = "UPDATE tenure SET anchor = ?3 WHERE product = ?1 AND n = ?2",
	[Q_TENURE_COUNT] = "SELECT count(*) FROM tenure WHERE product = ?1 AND publisher = ?2",
	[Q_HARDWARE_CLEAR] = "DELETE FROM hardware WHERE product = ?1",
	[Q_HARDWARE_ADD] = "INSERT OR IGNORE INTO hardware (id, product) VALUES (?1, ?2)",
	[Q_HARDWARE_IDS] = "SELECT id FROM hardware WHERE product = ?1 ORDER BY id",
	[Q_HARDWARE_PRODUCTS] = "SELECT product FROM hardware WHERE id = ?1 ORDER BY product",
	[Q_LISTINGS] =
		"SELECT listing FROM product WHERE listing IS NOT NULL AND id >= ?1 AND id < "
		"?1 || '~' ORDER BY id",
	[Q_LISTING_COUNT] = "SELECT count(*) FROM product WHERE listing IS NOT NULL",
	[Q_DOCUMENT] = "SELECT " DOCUMENT_COLUMNS
		       ", bytes FROM document d JOIN leaf l ON l.document = d.id WHERE d.id = ?1",
	[Q_DOCUMENT_FIND] =
		"SELECT " DOCUMENT_COLUMNS
		", bytes FROM document d JOIN leaf l ON l.document = d.id WHERE d.product = "
		"?1 AND type = ?2 AND role = ?3 AND signer = ?4 AND tenure = ?5 AND version ="
		" ?6",
	[Q_DOCUMENT_LATEST] =
		"SELECT " DOCUMENT_COLUMNS
		", bytes FROM document d JOIN leaf l ON l.document = d.id WHERE d.product = "
		"?1 AND type = ?2 AND role = ?3 AND signer = ?4 AND tenure = ?5 ORDER BY "
		"version DESC LIMIT 1",
	[Q_DOCUMENT_ADD] =
		"INSERT INTO document (id, sha256, product, type, role, signer, tenure, "
		"version, issued, received, deposit, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, "
		"?7, ?8, ?9, ?10, nullif(?11, ''), ?12)",
	[Q_DOCUMENTS] = "SELECT " DOCUMENT_COLUMNS
			" FROM document d JOIN leaf l ON l.document = d.id ORDER BY idx",
	[Q_PRODUCT_DOCUMENTS] =
		"SELECT " DOCUMENT_COLUMNS
		" FROM leaf l JOIN document d ON d.id = l.document WHERE l.product = ?1 ORDER"
		" BY seq",
	[Q_DEPOSIT_COUNT] = "SELECT count(*) FROM document WHERE deposit = ?1 AND type = ?2",
	[Q_SIGNER_COUNT] = "SELECT count(*) FROM document WHERE deposit = ?1 AND signer = ?2 "
			   "AND type IN ('notice', 'approval', 'refusal')",
	[Q_TYPE_COUNT] =
		"SELECT count(*) FROM document d JOIN leaf l ON l.document = d.id WHERE d.product "
		"= ?1 AND type = ?2 AND l.seq > (SELECT seq FROM leaf WHERE document = ?3)",
	[Q_ROLE] = "SELECT name, version, document FROM role WHERE product = ?1 AND tenure = ?2 "
		   "AND name = ?3",
	[Q_ROLE_SET] = "INSERT OR REPLACE INTO role (product, tenure, name, version, document) "
		       "VALUES (?1, ?2, ?3, ?4, ?5)",
	[Q_ROLES] = "SELECT name, version, document FROM role WHERE product = ?1 AND tenure = ?2 "
		    "ORDER BY name",
	[Q_ONLINE] = "SELECT product, tenure, type, version, renew, bytes FROM online WHERE "
		     "product = ?1 AND tenure = ?2 AND type = ?3",
	[Q_ONLINE_SET] =
		"INSERT OR REPLACE INTO online (product, tenure, type, version, renew, bytes)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[Q_ONLINE_DUE] =
		"SELECT product, tenure, type, version, renew FROM online WHERE renew <= ?1 "
		"ORDER BY renew LIMIT 1",
	[Q_DEPOSIT] = "SELECT id, product, follows, bridge, release FROM deposit WHERE id = ?1",
	[Q_DEPOSIT_ADD] =
		"INSERT INTO deposit (id, product, follows, bridge) VALUES (?1, ?2, ?3, ?4)",
	[Q_DEPOSIT_RELEASE] = "UPDATE deposit SET release = ?2 WHERE id = ?1",
	[Q_DEPOSITS] =
		"SELECT p.id, p.product, follows, bridge, release FROM deposit p JOIN leaf l "
		"ON l.document = p.id WHERE p.product = ?1 AND (?2 IS NULL OR follows = ?2) "
		"ORDER BY seq",
	[Q_LOG_SIZE] = "SELECT coalesce(max(idx) + 1, 0) FROM leaf",
	[Q_LEAF_ADD] = "INSERT INTO leaf (idx, product, seq, document, hash, data) VALUES (?1, ?2, "
		       "?3, ?4, ?5, ?6)",
	[Q_LEAF_LAST] = "SELECT seq, hash FROM leaf WHERE product = ?1 ORDER BY seq DESC LIMIT 1",
	[Q_LEAVES] = "SELECT idx, product, document, hash, data FROM leaf WHERE idx >= ?1 AND idx "
		     "< ?2 ORDER BY idx",
	[Q_PRODUCT_LEAVES] =
		"SELECT idx, product, document, hash, data FROM leaf WHERE product = ?1 ORDER"
		" BY seq",
	[Q_TILE] = "SELECT hashes FROM tile WHERE level = ?1 AND n = ?2",
	[Q_TILE_SET] = "INSERT OR REPLACE INTO tile (level, n, hashes) VALUES (?1, ?2, ?3)",
	[Q_CHECKPOINT] = "SELECT size, note FROM checkpoint WHERE one = 1",
	[Q_CHECKPOINT_SET] =
		"INSERT OR REPLACE INTO checkpoint (one, size, note) VALUES (1, ?1, ?2)",
	[Q_PUBLISHED] = "SELECT size, proved, note FROM published WHERE one = 1",
	[Q_PUBLISHED_SET] = "INSERT OR REPLACE INTO published (one, size, proved, note) VALUES "
			    "(1, ?1, ?2, ?3)",
	[Q_BATCH] = "SELECT n, product, state, received, reason FROM batch WHERE n = ?1",
	[Q_BATCH_ADD] = "INSERT INTO batch (product, state, received) VALUES (?1, ?2, ?3)",
	[Q_BATCH_DOCUMENT_ADD] =
		"INSERT INTO batch_document (batch, pos, id, sha256, type, version, have, "
		"need, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[Q_BATCH_BLOB_ADD] =
		"INSERT OR IGNORE INTO batch_blob (batch, sha256, size) VALUES (?1, ?2, ?3)",
	[Q_BATCH_REFUSE] = "UPDATE batch SET state = 'refused', reason = ?2 WHERE n = ?1",
	[Q_BATCH_DROP] = "DELETE FROM batch WHERE n = ?1",
	[Q_BATCHES_EXPIRE] = "DELETE FROM batch WHERE received < ?1",
	[Q_BATCH_COUNT] = "SELECT count(*) FROM batch WHERE product = ?1",
	[Q_BATCH_FIND] =
		"SELECT batch, bytes FROM batch_document WHERE id = ?1 ORDER BY batch DESC "
		"LIMIT 1",
	[Q_BATCH_DOCUMENTS] =
		"SELECT id, sha256, type, version, have, need, bytes FROM batch_document "
		"WHERE batch = ?1 ORDER BY pos",
	[Q_BATCHES] = "SELECT n FROM batch WHERE product = ?1 ORDER BY n",
	[Q_BATCHES_READY] =
		"SELECT n FROM batch b WHERE state = 'waiting' AND EXISTS (SELECT 1 FROM "
		"batch_blob w WHERE w.batch = b.n AND w.sha256 = ?1) AND NOT EXISTS (SELECT 1"
		" FROM batch_blob w WHERE w.batch = b.n AND w.sha256 NOT IN (SELECT sha256 "
		"FROM blob)) ORDER BY n",
	[Q_BATCHES_COMPLETE] =
		"SELECT n FROM batch b WHERE state = 'waiting' AND NOT EXISTS (SELECT 1 FROM "
		"batch_blob w WHERE w.batch = b.n AND w.sha256 NOT IN (SELECT sha256 FROM "
		"blob)) ORDER BY n",
	[Q_BATCH_MISSING] =
		"SELECT sha256, size FROM batch_blob WHERE batch = ?1 AND sha256 NOT IN "
		"(SELECT sha256 FROM blob) ORDER BY sha256",
	[Q_BLOB] = "SELECT size FROM blob WHERE sha256 = ?1",
	[Q_BLOB_WANTED] =
		"SELECT w.size FROM batch_blob w JOIN batch b ON b.n = w.batch WHERE w.sha256"
		" = ?1 AND b.state = 'waiting' LIMIT 1",
	[Q_BLOB_ADD] = "INSERT OR IGNORE INTO blob (sha256, size, received) VALUES (?1, ?2, ?3)",
	[Q_BLOBS] = "SELECT sha256, size FROM blob ORDER BY sha256",
	[Q_BLOBS_WANTED] =
		"SELECT DISTINCT w.sha256, w.size FROM batch_blob w JOIN batch b ON b.n = w.batch "
		"WHERE b.state = 'waiting' AND w.sha256 NOT IN (SELECT sha256 FROM blob) ORDER "
		"BY w.sha256",
	[Q_OUTBOX_ADD] = "INSERT INTO outbox (stage, kind, path, content) VALUES (?1, ?2, ?3, ?4)",
	[Q_OUTBOX_NEXT] =
		"SELECT n, stage, kind, path, content FROM outbox WHERE (stage, n) > (?1, ?2)"
		" ORDER BY stage, n LIMIT 1",
	[Q_OUTBOX_SUPERSEDED] =
		"SELECT count(*) FROM outbox WHERE path = ?1 AND kind = ?2 AND (stage, n) > "
		"(?3, ?4)",
	[Q_OUTBOX_DONE] = "DELETE FROM outbox WHERE (stage, n) <= (?1, ?2)",
};
