/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>

#include "escrow/desk.h"
#include "escrow/opening.h"
#include "escrow/verbs.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/progress.h"
#include "lib/json/print.h"
#include "lib/sign/gpg.h"

enum { FD_NONE = 0, FD_MAX = 1023, SEALED_MAX = 64 * 1024 };

struct options {
	struct common common;
	const char *to, *compartment, *passphrase;
	struct cli_list shares;
	int64_t shares_fd;
	bool vendor;
};

static const struct cli_option options[] = {
	CLI_NEED(struct options, to, CLI_TEXT, "to", "DIR", "where to unpack; new, or empty"),
	CLI_OPT(struct options, shares, CLI_LIST, "share", "FILE",
		"a decrypted share, named as in share.001; may repeat"),
	CLI_RANGE(struct options, shares_fd, 1, FD_MAX, "shares-fd", "N",
		  "read '<number> <base64>' lines of shares from this descriptor"),
	CLI_OPT(struct options, passphrase, CLI_TEXT, "passphrase", "FILE",
		"what gfcombine made, instead of shares"),
	CLI_OPT(struct options, vendor, CLI_FLAG, "vendor", NULL,
		"decrypt the vendor's own copy of the passphrase with my key"),
	CLI_OPT(struct options, compartment, CLI_TEXT, "compartment", "NAME",
		"public or restricted (public)"),
	OPT_ROOT(struct options, CLI_OPT),
	OPT_HOME(struct options),
	{0},
};

static int compartment_of(const char *name, enum compartment_kind *out, struct error *err)
{
	for (size_t k = 0; k < COMPARTMENTS; k++)
		if (!name || strcmp(name, compartment_name((enum compartment_kind)k)) == 0) {
			*out = (enum compartment_kind)k;
			return 0;
		}
	return error_set(err, E_USAGE, "--compartment: want public or restricted, got %s", name);
}

static int from_shares(const struct options *o, const struct deposit *d, enum compartment_kind k,
		       char out[SHARE_LEN + 1], struct error *err)
{
	CLEANUP(share_set_wipe) struct share_set s = {.n = 0};
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->shares.n; i++)
		r = share_set_add_file(&s, o->shares.items[i], err);
	if (r == 0 && o->shares_fd != FD_NONE)
		r = share_set_add_fd(&s, (int)o->shares_fd, err);
	return r < 0 ? r : opening_combine(d, k, &s, out, err);
}

/* The passphrase as text: SHARE_LEN bytes, perhaps with an editor's newline after them. */
static int take_text(const struct buf *text, char out[SHARE_LEN + 1], struct error *err)
{
	if (text->len < SHARE_LEN || text->len > SHARE_LEN + 1 ||
	    (text->len == SHARE_LEN + 1 && text->data[SHARE_LEN] != '\n'))
		return error_set(err, E_USAGE, "passphrase: want %d bytes, got %zu", SHARE_LEN,
				 text->len);
	memcpy(out, text->data, SHARE_LEN);
	out[SHARE_LEN] = '\0';
	return 0;
}

static int from_vendor(const struct options *o, const struct folder *f, enum compartment_kind k,
		       char out[SHARE_LEN + 1], struct error *err)
{
	CLEANUP(gpg_closep) struct gpg *g = NULL;
	CLEANUP(buf_clear) struct buf sealed = {0};
	CLEANUP(buf_wipe) struct buf text = {0};
	char path[FOLDER_PATH_SIZE];
	int r;

	folder_vendor(k, path);
	r = folder_check_file(f, path, err);
	if (r == 0)
		r = file_read(f->fd, path, SEALED_MAX, &sealed, err);
	if (r == 0)
		r = gpg_open(o->common.gnupg_home, &g, err);
	if (r == 0)
		r = gpg_decrypt(g, sealed.data, sealed.len, &text, NULL, err);
	if (r < 0)
		return error_prefix(err, r, "%s", path);
	return take_text(&text, out, err);
}

static int find_passphrase(const struct options *o, const struct folder *f, enum compartment_kind k,
			   char out[SHARE_LEN + 1], struct error *err)
{
	CLEANUP(buf_wipe) struct buf text = {0};
	bool shares = o->shares.n > 0 || o->shares_fd != FD_NONE;
	int r;

	if ((shares ? 1 : 0) + (o->passphrase ? 1 : 0) + (o->vendor ? 1 : 0) != 1)
		return error_set(err, E_USAGE,
				 "want shares (--share, --shares-fd), --passphrase, or --vendor");
	if (shares)
		return from_shares(o, &f->deposit, k, out, err);
	if (o->vendor)
		return from_vendor(o, f, k, out, err);
	r = desk_read(o->passphrase, SHARE_LEN + 1, &text, err);
	return r < 0 ? r : take_text(&text, out, err);
}

static void wipe(char (*text)[SHARE_LEN + 1])
{
	explicit_bzero(*text, sizeof(*text));
}

static int run(const struct cli_call *call, struct error *err)
{
	const struct options *o = call->opt;
	CLEANUP(folder_close) struct folder f = {.fd = -1};
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	CLEANUP(wipe) char passphrase[SHARE_LEN + 1] = "";
	struct progress bar;
	struct opening opening = {.folder = &f, .passphrase = passphrase, .to = o->to};
	int r = compartment_of(o->compartment, &opening.compartment, err);

	if (r == 0)
		r = folder_open(call->args[0], &f, err);
	if (r == 0 && o->common.root)
		r = folder_verify(&f, o->common.root, &root, err);
	if (r == 0)
		r = find_passphrase(o, &f, opening.compartment, passphrase, err);
	if (r < 0)
		return r;
	opening.root = root;
	progress_init(&bar, "opening", call->json);
	opening.progress = progress_draw;
	opening.ctx = &bar;
	r = opening_run(&opening, err);
	progress_end(&bar);
	if (r < 0)
		return r;
	if (call->json)
		return json_print(json_pack("{s:b, s:s, s:s, s:s}", "ok", 1, "deposit",
					    envelope_id(f.doc), "compartment",
					    compartment_name(opening.compartment), "folder", o->to),
				  err);
	(void)printf("%s: the %s compartment of deposit %s, every digest right\n", o->to,
		     compartment_name(opening.compartment), envelope_id(f.doc));
	return 0;
}

const struct cli_verb escrow_open = {
	.name = "open",
	.args = "DEPOSIT",
	.help = "combine shares, check every digest, unpack; needs no registry",
	.options = options,
	.size = sizeof(struct options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
