/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/fsck/fsck.h"

#include "lib/base/error.h"
#include "registry/blobs/blobs.h"

int fsck_problem(struct fsck *f, const char *where, const char *what, bool repaired,
		 struct error *err)
{
	if (json_array_append_new(f->problems, json_pack("{s:s, s:s, s:b}", "where", where, "what",
							 what, "repaired", repaired)) < 0)
		return error_nomem(err);
	f->repaired += repaired;
	return 0;
}

static int check_blob(void *ctx, const char *sha256, int64_t size, struct error *err)
{
	struct fsck *f = ctx;
	struct error why = {0};
	int r = blob_check(f->w->r->data, sha256, size, &why);

	f->blobs++;
	return r < 0 ? fsck_problem(f, sha256, why.text, false, err) : 0;
}

int fsck_blobs(struct fsck *f, struct error *err)
{
	return store_blobs(f->w->store, check_blob, f, err);
}

struct fsck_job {
	bool repair;
	json_t *report;
	bool sound;
};

static int run(struct work *w, void *arg, struct error *err)
{
	struct fsck_job *j = arg;
	CLEANUP(json_decrefp) json_t *problems = json_array();
	CLEANUP(json_decrefp) json_t *delegated = json_object();
	struct fsck f = {.w = w, .repair = j->repair, .problems = problems, .delegated = delegated};
	int r = problems && delegated ? fsck_documents(&f, err) : error_nomem(err);

	if (r == 0)
		r = fsck_log(&f, err);
	if (r == 0)
		r = fsck_blobs(&f, err);
	if (r < 0)
		return r;
	j->sound = json_array_size(problems) == (size_t)f.repaired;
	j->report = json_pack("{s:b, s:I, s:I, s:I, s:I, s:O}", "ok", j->sound, "documents",
			      (json_int_t)f.documents, "leaves", (json_int_t)f.leaves, "blobs",
			      (json_int_t)f.blobs, "repaired", (json_int_t)f.repaired, "problems",
			      problems);
	return j->report ? 0 : error_nomem(err);
}

int registry_fsck(struct registry *r, bool repair, json_t **report, struct error *err)
{
	struct fsck_job j = {.repair = repair};
	int e = registry_work(r, run, &j, err);

	if (e < 0) {
		json_decref(j.report);
		return e;
	}
	*report = j.report;
	if (!j.sound)
		return error_set(err, E_UNTRUSTED, "the registry is damaged: see the report");
	return 0;
}
