/* SPDX-License-Identifier: Apache-2.0 */
#include "escrow/opening.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/stat.h>

#include "escrow/desk.h"
#include "escrow/payload.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/proc.h"
#include "lib/base/scratch.h"
#include "lib/sign/gpg.h"
#include "lib/tuf/role.h"

enum {
	LINE_MAX_LEN = 4 + BASE64_LEN(SHARE_LEN) + 2, /* of share_set_add_fd() */
	REFS_TEXT_MAX = 4 * 1024 * 1024,
	OID = 40,
	NUMBER_DIGITS = 3,
};

void share_set_wipe(struct share_set *s)
{
	explicit_bzero(s, sizeof(*s));
}

int share_set_add(struct share_set *s, int64_t number, const void *data, size_t len,
		  struct error *err)
{
	if (len != SHARE_LEN)
		return error_set(err, E_USAGE, "share %lld: want %d bytes, got %zu",
				 (long long)number, SHARE_LEN, len);
	if (number < 0 || number > SHARES_MAX || s->n == SHARES_MAX)
		return error_set(err, E_USAGE, "share %lld: want a number from 0 to %d, each once",
				 (long long)number, SHARES_MAX);
	s->list[s->n].number = (int)number;
	memcpy(s->list[s->n].data, data, SHARE_LEN);
	s->n++;
	return 0;
}

/* The digits after the last dot, exactly three; -1: there are none. */
static int number_of(const char *path)
{
	const char *dot = strrchr(path, '.');

	if (!dot || strlen(dot + 1) != NUMBER_DIGITS ||
	    strspn(dot + 1, "0123456789") != NUMBER_DIGITS)
		return -1;
	return (int)strtol(dot + 1, NULL, 10);
}

int share_set_add_file(struct share_set *s, const char *path, struct error *err)
{
	CLEANUP(buf_wipe) struct buf data = {0};
	int number = number_of(path);
	int r;

	if (number < 1)
		return error_set(err, E_USAGE, "--share %s: want a name that ends in .001 to .255",
				 path);
	r = file_read(AT_FDCWD, path, SHARE_LEN, &data, err);
	if (r == 0)
		r = share_set_add(s, number, data.data, data.len, err);
	return r < 0 ? error_prefix(err, desk_usage(r, err), "--share %s", path) : 0;
}

static int add_line(struct share_set *s, const char *line, size_t len, struct error *err)
{
	CLEANUP(buf_wipe) struct buf data = {0};
	const char *space = memchr(line, ' ', len);
	char *end;
	long number;
	int r;

	if (!space)
		return error_set(err, E_USAGE, "want lines of '<number> <base64>'");
	number = strtol(line, &end, 10);
	if (end != space)
		return error_set(err, E_USAGE, "want lines of '<number> <base64>'");
	r = base64_decode(space + 1, len - (size_t)(space + 1 - line), &data, err);
	return r < 0 ? r : share_set_add(s, number, data.data, data.len, err);
}

int share_set_add_fd(struct share_set *s, int fd, struct error *err)
{
	char text[LINE_MAX_LEN * 2];
	size_t have = 0;

	for (;;) {
		ssize_t n = read(fd, text + have, sizeof(text) - have - 1);
		char *stop;
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "--shares-fd %d", fd);
		have += (size_t)n;
		text[have] = '\0';
		while ((stop = memchr(text, '\n', have)) != NULL) {
			size_t len = (size_t)(stop - text);

			r = add_line(s, text, len, err);
			have -= len + 1;
			memmove(text, stop + 1, have + 1);
			if (r < 0) {
				explicit_bzero(text, sizeof(text));
				return error_prefix(err, r, "--shares-fd %d", fd);
			}
		}
		if (n == 0 || have > LINE_MAX_LEN)
			break;
	}
	explicit_bzero(text, sizeof(text));
	return have ? error_set(err, E_USAGE,
				"--shares-fd %d: a line that is too long or cut short", fd)
		    : 0;
}

static const struct seat *seat_of(const struct deposit *d, int64_t number)
{
	for (size_t i = 0; i < d->nseats; i++)
		if (d->seats[i].number == number)
			return &d->seats[i];
	return NULL;
}

/* Wrong how? What the manifest has tells more than "wrong". */
static int check_share(const struct deposit *d, enum compartment_kind k, const struct share *share,
		       struct error *err)
{
	const struct seat *seat = seat_of(d, share->number);
	char got[SHA256_HEX_SIZE];

	sha256_hex(share->data, SHARE_LEN, got);
	if (seat && seat->share_sha256[k] && strcmp(seat->share_sha256[k], got) == 0)
		return 0;
	for (size_t i = 0; i < d->nseats; i++)
		for (size_t c = 0; c < COMPARTMENTS; c++)
			if (d->seats[i].share_sha256[c] &&
			    strcmp(d->seats[i].share_sha256[c], got) == 0)
				return error_set(err, E_UNTRUSTED,
						 "share %d: is share %lld of the %s compartment",
						 share->number, (long long)d->seats[i].number,
						 compartment_name((enum compartment_kind)c));
	if (!seat)
		return error_set(err, E_UNTRUSTED, "share %d: nobody has this number",
				 share->number);
	return error_set(err, E_UNTRUSTED, "share %d (%s): damaged, or of another deposit",
			 share->number, seat->name);
}

static int check_passphrase(const struct deposit *d, enum compartment_kind k, const char *text,
			    struct error *err)
{
	char got[SHA256_HEX_SIZE];

	sha256_hex(text, strlen(text), got);
	if (strcmp(got, d->compartments[k].passphrase_sha256) != 0)
		return error_set(err, E_UNTRUSTED, "passphrase: not that of the %s compartment",
				 compartment_name(k));
	return 0;
}

int opening_combine(const struct deposit *d, enum compartment_kind k, const struct share_set *s,
		    char out[SHARE_LEN + 1], struct error *err)
{
	size_t need = (size_t)d->trustees.threshold;
	const unsigned char *whole = NULL;
	int r = 0;

	if (!d->compartments[k].present)
		return error_set(err, E_USAGE, "this deposit has no %s compartment",
				 compartment_name(k));
	for (size_t i = 0; r == 0 && i < s->n; i++) {
		if (s->list[i].number == 0)
			whole = s->list[i].data;
		else
			r = check_share(d, k, &s->list[i], err);
	}
	if (r < 0)
		return r;
	if (!whole && s->n < need)
		return error_set(err, E_NOTYET, "%zu of %zu shares", s->n, need);
	if (whole)
		memcpy(out, whole, SHARE_LEN);
	else
		r = shamir_combine(s->list, need, (unsigned char *)out, err);
	out[SHARE_LEN] = '\0';
	return r < 0 ? r : check_passphrase(d, k, out, err);
}

/* Does the bundle have the refs that were signed, and no others? */
static int check_refs(const struct deposit *d, const struct scratch *at, const char *bundle,
		      json_t *seen, struct error *err)
{
	const char *const argv[] = {"git", "-C", at->path, "bundle", "list-heads", bundle, NULL};
	CLEANUP(buf_clear) struct buf text = {0};
	char *save = NULL;
	int r = proc_run(argv, NULL, NULL, &text, REFS_TEXT_MAX, err);

	if (r < 0)
		return error_prefix(err, r == E_SYS ? E_UNTRUSTED : r, "%s", bundle);
	for (char *line = text.len ? strtok_r(text.data, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		const char *commit;

		if (strlen(line) <= OID + 1)
			return error_set(err, E_UNTRUSTED, "git bundle: %s", line);
		line[OID] = '\0';
		commit = json_string_value(
			json_object_get(json_object_get(d->refs, line + OID + 1), "commit"));
		if (!commit || strcmp(commit, line) != 0)
			return error_set(err, E_UNTRUSTED, "%s: %s: want %s, got %s", bundle,
					 line + OID + 1, commit ? commit : "no such ref", line);
		if (json_object_set_new(seen, line + OID + 1, json_true()) < 0)
			return error_nomem(err);
	}
	return 0;
}

/* Is everything behind its refs in it, and whole? Only a clone finds that out. */
static int check_pack(const struct scratch *at, const char *bundle, struct error *err)
{
	CLEANUP(scratch_close) struct scratch beside = SCRATCH_NONE;
	CLEANUP(freep) char *parent = strdup(at->path);
	CLEANUP(freep) char *repo = NULL;
	int r = parent ? scratch_open(dirname(parent), &beside, err) : error_nomem(err);

	if (r == 0)
		r = scratch_path(&beside, "clone.git", &repo, err);
	if (r < 0)
		return r;
	const char *const argv[] = {"git",    "-C",   at->path, "clone", "-q",
				    "--bare", bundle, repo,     NULL};
	r = proc_run(argv, NULL, NULL, NULL, 0, err);
	return r == E_SYS ? error_set(err, E_UNTRUSTED, "%s: damaged, or not whole", bundle) : r;
}

static bool is_bundle(const char *path)
{
	size_t len = strlen(path), end = strlen(".bundle");

	return strncmp(path, "source/", strlen("source/")) == 0 && len > end &&
	       strcmp(path + len - end, ".bundle") == 0;
}

static int check_sources(const struct deposit *d, const struct items *items,
			 const struct scratch *at, struct error *err)
{
	CLEANUP(json_decrefp) json_t *seen = json_object();
	const char *ref;
	json_t *unused;
	int r = 0;

	for (size_t i = 0; r == 0 && i < items->n; i++) {
		const char *bundle = items->list[i].path;

		if (!is_bundle(bundle))
			continue;
		r = check_refs(d, at, bundle, seen, err);
		if (r == 0)
			r = check_pack(at, bundle, err);
	}
	if (r < 0)
		return r;
	json_object_foreach(d->refs, ref, unused) if (!json_object_get(seen, ref)) return error_set(
		err, E_UNTRUSTED, "source: %s: in no bundle", ref);
	return 0;
}

static int check_bridge(const struct opening *o, const struct scratch *at, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	CLEANUP(tuf_root_freep) struct tuf_root *bridge = NULL;
	const struct deposit *d = &o->folder->deposit;
	int r = file_read(at->fd, FOLDER_BRIDGE, TUF_ROOT_MAX, &text, err);

	if (r == E_NOTFOUND)
		return error_set(err, E_UNTRUSTED, FOLDER_BRIDGE ": not in the archive");
	if (r == 0)
		r = tuf_root_parse(text.data, text.len, FOLDER_BRIDGE, &bridge, err);
	if (r != 0)
		return r;
	if (strcmp(envelope_id(bridge->doc), d->bridge) != 0)
		return error_set(err, E_UNTRUSTED, FOLDER_BRIDGE ": want id %s, got %s", d->bridge,
				 envelope_id(bridge->doc));
	if (bridge->version != d->follows_version + 1)
		return error_set(err, E_UNTRUSTED,
				 FOLDER_BRIDGE ": signed.version: want %lld, got %lld",
				 (long long)d->follows_version + 1, (long long)bridge->version);
	return o->root ? envelope_verify(bridge->doc, &o->root->role[TUF_ROOT],
					 "the root it follows", err)
		       : 0;
}

/* Decrypt and unpack into the scratch folder; all of it is right, or this fails. */
static int unpack(const struct opening *o, const struct scratch *at, struct error *err)
{
	const struct deposit *d = &o->folder->deposit;
	const struct compartment *c = &d->compartments[o->compartment];
	CLEANUP(items_clear) struct items items = {0};
	CLEANUP(gpg_closep) struct gpg *gpg = NULL;
	CLEANUP(closep) int fd = -1;
	char path[FOLDER_PATH_SIZE];
	struct payload_rules rules = {.items = &items, .size_max = c->size};
	int r = 0;

	if (o->compartment == COMPARTMENT_PUBLIC)
		r = items_add_json(&items, d->items, err);
	else
		rules.salted = c->salted_manifest;
	if (r == 0)
		r = items_sort(&items, err);
	if (r == 0)
		r = gpg_open_private(&gpg, err);
	if (r < 0)
		return r;
	folder_payload(o->compartment, path);
	fd = openat(o->folder->fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return error_errno(err, errno, "%s", path);

	const struct payload_key key = {
		.gpg = gpg, .passphrase = o->passphrase, .progress = o->progress, .ctx = o->ctx};

	r = payload_open(fd, &rules, &key, at->fd, err);
	if (r < 0)
		return error_prefix(err, r, "%s", path);
	if (o->compartment != COMPARTMENT_PUBLIC)
		return 0;
	r = check_sources(d, &items, at, err);
	return r < 0 ? r : check_bridge(o, at, err);
}

/* A worker is given a folder that is there already: an empty one may go. */
static int make_way(const char *to, struct error *err)
{
	if (rmdir(to) < 0 && errno != ENOENT)
		return errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR
			       ? error_set(err, E_USAGE,
					   "--to %s: exists, and is not an empty folder", to)
			       : error_errno(err, errno, "--to %s", to);
	return 0;
}

int opening_run(const struct opening *o, struct error *err)
{
	CLEANUP(scratch_close) struct scratch at = SCRATCH_NONE;
	CLEANUP(freep) char *copy = strdup(o->to);
	char path[FOLDER_PATH_SIZE];
	int r;

	if (!copy)
		return error_nomem(err);
	folder_payload(o->compartment, path);
	r = check_passphrase(&o->folder->deposit, o->compartment, o->passphrase, err);
	if (r == 0)
		r = make_way(o->to, err);
	/* Before gpg sees a byte of it. */
	if (r == 0)
		r = folder_check_file(o->folder, path, err);
	if (r == 0)
		r = scratch_open(dirname(copy), &at, err);
	if (r == 0)
		r = unpack(o, &at, err);
	return r < 0 ? r : scratch_keep(&at, o->to, err);
}
