/* SPDX-License-Identifier: Apache-2.0 */
#include "escrow/howto.h"

#include "escrow/folder.h"
#include "lib/base/error.h"
#include "lib/sign/envelope.h"

/* gfcombine in a language that will still be read when nobody packages it. */
static const char combine_py[] =
	"    | import sys\n"
	"    | def mul(a, b):\n"
	"    |     p = 0\n"
	"    |     while b:\n"
	"    |         if b & 1: p ^= a\n"
	"    |         a, b = a << 1 ^ (0x11d if a & 128 else 0), b >> 1\n"
	"    |     return p\n"
	"    | def inverse(a):\n"
	"    |     p = a\n"
	"    |     for _ in range(253): p = mul(p, a)\n"
	"    |     return p\n"
	"    | x = [int(name[-3:]) for name in sys.argv[1:]]\n"
	"    | y = [open(name, 'rb').read() for name in sys.argv[1:]]\n"
	"    | secret = bytearray(len(y[0]))\n"
	"    | for i in range(len(x)):\n"
	"    |     c = 1\n"
	"    |     for j in range(len(x)):\n"
	"    |         if j != i: c = mul(c, mul(x[j], inverse(x[j] ^ x[i])))\n"
	"    |     for b in range(len(secret)): secret[b] ^= mul(c, y[i][b])\n"
	"    | sys.stdout.buffer.write(secret)\n";

/* What the text says of a compartment. */
struct words {
	const char *share;  /* a share's file name without its number */
	const char *pass;   /* the passphrase's file */
	const char *tar;    /* the decrypted archive */
	const char *folder; /* the unpacked archive */
};
static const struct words words[COMPARTMENTS] = {
	{"share", "passphrase", "payload.tar", "opened"},
	{"restricted-share", "restricted-passphrase", "restricted.tar", "opened-restricted"},
};

static int head(const struct plan *p, struct buf *out, struct error *err)
{
	return buf_printf(
		out, err,
		"HOW TO OPEN THIS DEPOSIT BY HAND\n\n"
		"Product       %s\n"
		"Deposit       version %lld, bridge root %s\n"
		"Opened by     any %zu of %zu trustees\n"
		"Support       promised until %s\n\n"
		"This folder holds what somebody needs to keep %s alive when its maker no longer\n"
		"does. It is encrypted; the passphrase is split among the trustees below. You need\n"
		"gpg (GnuPG), gfcombine (libgfshare), tar, sha256sum and git, and nothing else. Lines\n"
		"that begin with \"$ \" are commands. Run them in a copy of this folder that nobody\n"
		"else can read, one after the other; each must succeed before the next.\n\n"
		"What is in here was signed by the maker: deposit.json lists each file with its\n"
		"digest. `bequest-escrow verify .` checks that; section 2 compares the digests that\n"
		"matter for opening without it.\n",
		p->product, (long long)p->version, envelope_id(p->bridge->doc), p->k, p->n,
		p->support_until, p->product);
}

static int seats(const struct plan *p, struct buf *out, struct error *err)
{
	int r = buf_puts(out, "\n1. WHO HOLDS THE SHARES\n\n", err);

	for (size_t i = 0; r == 0 && i < p->n; i++)
		r = buf_printf(out, err, "    %3zu  %s\n         key %s\n", i + 1, p->seats[i].name,
			       p->seats[i].encrypt);
	return r;
}

static int check(const struct plan *p, struct buf *out, struct error *err)
{
	int r = buf_puts(out, "\n2. CHECK THE ARCHIVE\n\n", err);

	for (size_t k = 0; r == 0 && k < COMPARTMENTS; k++) {
		char path[FOLDER_PATH_SIZE];

		if (!plan_has(p, (enum compartment_kind)k))
			continue;
		folder_payload((enum compartment_kind)k, path);
		r = buf_printf(out, err, "    $ echo '%s  %s' | sha256sum -c\n",
			       p->sealed[k].payload.sha256, path);
	}
	return r;
}

/* Each trustee's line, and the digest that tells a right share from a wrong one. */
static int shares(const struct plan *p, enum compartment_kind k, struct buf *out, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->n; i++) {
		char path[FOLDER_PATH_SIZE];

		folder_share(k, p->seats[i].encrypt, path);
		r = buf_printf(out, err,
			       "    (%s)\n"
			       "    $ gpg -o %s.%03zu -d %s\n"
			       "    $ echo '%s  %s.%03zu' | sha256sum -c\n",
			       p->seats[i].name, words[k].share, i + 1, path,
			       p->sealed[k].share_sha256[i], words[k].share, i + 1);
	}
	return r;
}

/* " share.001 share.002", the first k. */
static int names(const struct plan *p, enum compartment_kind k, struct buf *out, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->k; i++)
		r = buf_printf(out, err, " %s.%03zu", words[k].share, i + 1);
	return r;
}

static int unpack(const struct plan *p, enum compartment_kind k, struct buf *out, struct error *err)
{
	const struct words *w = &words[k];
	char path[FOLDER_PATH_SIZE];
	int r = buf_printf(out, err, "    $ gfcombine -o %s", w->pass);

	folder_payload(k, path);
	if (r == 0)
		r = names(p, k, out, err);
	if (r < 0)
		return r;
	return buf_printf(
		out, err,
		"\n    $ echo '%s  %s' | sha256sum -c\n"
		"    $ gpg --batch --pinentry-mode loopback --passphrase-file %s -o %s -d %s\n"
		"    $ mkdir %s\n"
		"    $ tar -x -f %s -C %s\n"
		"    $ (cd %s && sha256sum -c " PAYLOAD_MANIFEST ")\n",
		p->sealed[k].passphrase_sha256, w->pass, w->pass, w->tar, path, w->folder, w->tar,
		w->folder, w->folder);
}

static int contents(const struct plan *p, struct buf *out, struct error *err)
{
	const struct items *items = &p->items[COMPARTMENT_PUBLIC];
	int r = buf_puts(out,
			 "\n5. WHAT IS IN IT\n\n"
			 "    handover/  the bridge root, see section 6\n"
			 "    source/    the sources, as git bundles\n"
			 "    build/     how to build them\n"
			 "    licence/   what you may do with them\n\n",
			 err);

	for (size_t i = 0; r == 0 && i < items->n; i++) {
		const char *path = items->list[i].path;
		size_t len = strlen(path), end = strlen(".bundle");

		if (strncmp(path, "source/", strlen("source/")) == 0 && len > end &&
		    strcmp(path + len - end, ".bundle") == 0)
			r = buf_printf(out, err, "    $ git clone opened/%s %.*s\n", path,
				       (int)(len - end), path);
	}
	return r;
}

static int restricted(const struct plan *p, struct buf *out, struct error *err)
{
	int r;

	if (!plan_has(p, COMPARTMENT_RESTRICTED))
		return 0;
	r = buf_printf(
		out, err,
		"\n8. THE RESTRICTED PART\n\n"
		"restricted/ is for one party only, who has committed to fixing\n"
		"vulnerabilities: %s, key %s. Each trustee decrypts\n"
		"the share and encrypts it again to that key; the rest is for that party.\n\n",
		p->beneficiary.name, p->beneficiary.encrypt);
	if (r == 0)
		r = shares(p, COMPARTMENT_RESTRICTED, out, err);
	if (r == 0)
		r = unpack(p, COMPARTMENT_RESTRICTED, out, err);
	if (r == 0)
		r = buf_printf(out, err,
			       "\nThe list of files is vouched for by this digest:\n\n"
			       "    $ cat opened-restricted/" PAYLOAD_SALT
			       " opened-restricted/" PAYLOAD_MANIFEST
			       " | sha256sum | grep -q '^%s '\n",
			       p->sealed[COMPARTMENT_RESTRICTED].salted_manifest);
	return r;
}

int howto_write(const struct plan *p, struct buf *out, struct error *err)
{
	int r = head(p, out, err);

	if (r == 0)
		r = seats(p, out, err);
	if (r == 0)
		r = check(p, out, err);
	if (r == 0)
		r = buf_printf(
			out, err,
			"\n3. EACH TRUSTEE DECRYPTS THE SHARE\n\n"
			"on a machine of their own, and hands over the file share.NNN, whose number\n"
			"is part of the secret. %zu of them are enough. The second line of each says\n"
			"OK if it is the share that was sealed.\n\n",
			p->k);
	if (r == 0)
		r = shares(p, COMPARTMENT_PUBLIC, out, err);
	if (r == 0)
		r = buf_printf(out, err,
			       "\n4. OPEN IT\n\n"
			       "Here with the first %zu shares; any %zu do.\n\n",
			       p->k, p->k);
	if (r == 0)
		r = unpack(p, COMPARTMENT_PUBLIC, out, err);
	if (r == 0)
		r = contents(p, out, err);
	if (r == 0)
		r = buf_printf(
			out, err,
			"\n6. THE BRIDGE ROOT\n\n"
			"opened/" FOLDER_BRIDGE " is version %lld of the product's TUF root\n"
			"metadata. The maker has signed it. Once %lld of the stewards whose keys it\n"
			"lists in roles.root have added their signatures, devices accept it, and with\n"
			"it the stewards' next root: `bequest-escrow countersign` does that, and any\n"
			"tool that edits TUF metadata can.\n",
			(long long)p->bridge->version,
			(long long)p->bridge->role[TUF_ROOT].threshold);
	if (r == 0)
		r = buf_printf(
			out, err,
			"\n7. WITHOUT GFCOMBINE\n\n"
			"The secret is shared byte by byte over GF(2^8) modulo x^8+x^4+x^3+x^2+1\n"
			"(0x11d), with the secret at 0 and share NNN at NNN. This does the same:\n\n"
			"%s\n"
			"    $ sed -n 's/^    | //p' " FOLDER_HOWTO " > combine.py\n"
			"    $ python3 combine.py",
			combine_py);
	if (r == 0)
		r = names(p, COMPARTMENT_PUBLIC, out, err);
	if (r == 0)
		r = buf_puts(out, " > passphrase.again\n    $ cmp passphrase passphrase.again\n",
			     err);
	return r < 0 ? r : restricted(p, out, err);
}
