/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/sign/gpg_home.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "lib/base/buf.h"
#include "lib/base/digest.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/proc.h"

enum {
	/* The longest name of a socket in a home, "/S.gpg-agent.browser", and its NUL. */
	SOCKET_NAME_MAX = 22,
	HOME_LEN_MAX = sizeof(((struct sockaddr_un *)NULL)->sun_path) - SOCKET_NAME_MAX,
	GPGCONF_OUTPUT_MAX = 16 * 1024,
	SHORT_DIGITS = 16, /* of the digest in the name of a folder for sockets */
};

/* gpg 2.2 ignores a count of 1024 and takes its slow default; this is enough for random
 * passphrases. */
static const char private_conf[] = "s2k-count 65536\n"
				   "s2k-digest-algo SHA256\n"
				   "s2k-cipher-algo AES256\n"
				   "digest-algo SHA256\n"
				   "ignore-time-conflict\n";

/*
 * The same for a person's home, against what their gpg.conf may say that GPGME does
 * not unsay; the command line is the stronger. --no-armor comes before GPGME's
 * --armor, and not where gpg reads: it would take armoured input for rubbish.
 */
static const char wrapper_head[] =
	"#!/bin/sh\n"
	"for word; do\n"
	"\tcase $word in --detach | --encrypt | --symmetric | --export) set -- --no-armor \"$@\" ;; "
	"esac\n"
	"done\n"
	"exec ";
static const char wrapper_tail[] =
	" --s2k-count 65536 --s2k-digest-algo SHA256 --s2k-cipher-algo AES256 --digest-algo SHA256 "
	"--default-sig-expire 0 --ignore-time-conflict \"$@\"\n";

static const char *const sockets[] = {
	"S.gpg-agent",
	"S.gpg-agent.extra",
	"S.gpg-agent.browser",
	"S.gpg-agent.ssh",
};

/* Long folders for temporary files would make the agent's socket too long. */
static const char *temp_parent(void)
{
	const char *set = getenv("TMPDIR");

	return set && strlen(set) + sizeof("/" FILE_TEMP_PREFIX "XXXXXX") > HOME_LEN_MAX ? "/tmp"
											 : NULL;
}

static struct gpg_home take(struct gpg_home *h)
{
	struct gpg_home taken = *h;

	*h = GPG_HOME_NONE;
	return taken;
}

int gpg_home_private(struct gpg_home *out, struct error *err)
{
	CLEANUP(gpg_home_close) struct gpg_home h = GPG_HOME_NONE;
	int r = scratch_open(temp_parent(), &h.folder, err);

	if (r == 0)
		r = file_write(h.folder.fd, "gpg.conf", private_conf, strlen(private_conf), 0600,
			       err);
	if (r < 0)
		return r;
	h.path = strdup(h.folder.path);
	if (!h.path)
		return error_nomem(err);
	h.private = true;
	*out = take(&h);
	return 0;
}

/* One word for the shell, whatever it holds. */
static int add_quoted(struct buf *b, const char *text, struct error *err)
{
	int r = buf_puts(b, "'", err);

	for (const char *p = text; r == 0 && *p; p++)
		r = *p == '\'' ? buf_puts(b, "'\\''", err) : buf_add(b, p, 1, err);
	return r < 0 ? r : buf_puts(b, "'", err);
}

static int write_program(struct gpg_home *h, const char *gpg, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	int r = buf_puts(&text, wrapper_head, err);

	if (r == 0)
		r = add_quoted(&text, gpg, err);
	if (r == 0)
		r = buf_puts(&text, wrapper_tail, err);
	if (r == 0)
		r = scratch_open(NULL, &h->folder, err);
	if (r == 0)
		r = file_write(h->folder.fd, "gpg", text.data, text.len, 0700, err);
	return r < 0 ? r : scratch_path(&h->folder, "gpg", &h->program, err);
}

/* Where GnuPG would put the agent's socket: the line "agent-socket:<path>" of gpgconf. */
static int socket_is_too_long(const char *home, bool *out, struct error *err)
{
	const char *const argv[] = {"gpgconf",     "--homedir",    home,
				    "--list-dirs", "agent-socket", NULL};
	CLEANUP(buf_clear) struct buf path = {0};
	int r = proc_run(argv, NULL, NULL, &path, GPGCONF_OUTPUT_MAX, err);

	if (r < 0)
		return r;
	*out = path.len + SOCKET_NAME_MAX > HOME_LEN_MAX + sizeof("/S.gpg-agent");
	return 0;
}

/* The folder must be ours alone: its name in /tmp can be guessed. */
static int make_short_folder(const char *path, struct error *err)
{
	struct stat st;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_errno(err, errno, "%s", path);
	if (lstat(path, &st) < 0)
		return error_errno(err, errno, "%s", path);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077))
		return error_set(err, E_SYS, "%s: not a folder that only we can use", path);
	return 0;
}

/* libassuan follows a file in the place of a socket that says where the socket really is. */
static int redirect_sockets(const char *home, struct error *err)
{
	char digest[SHA256_HEX_SIZE];
	CLEANUP(buf_clear) struct buf folder = {0};
	CLEANUP(closep) int dir = -1;
	int r;

	sha256_hex(home, strlen(home), digest);
	r = buf_printf(&folder, err, "/tmp/bequest-%ld-%.*s", (long)geteuid(), SHORT_DIGITS,
		       digest);
	if (r == 0)
		r = make_short_folder(folder.data, err);
	if (r == 0)
		r = file_open_dir(AT_FDCWD, home, false, &dir, err);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(sockets); i++) {
		CLEANUP(buf_clear) struct buf text = {0};

		if (file_exists(dir, sockets[i]))
			continue;
		r = buf_printf(&text, err, "%%Assuan%%\nsocket=%s/%s\n", folder.data, sockets[i]);
		if (r == 0)
			r = file_write(dir, sockets[i], text.data, text.len, 0600, err);
	}
	return r;
}

int gpg_home_own(const char *path, const char *gpg, struct gpg_home *out, struct error *err)
{
	CLEANUP(gpg_home_close) struct gpg_home h = GPG_HOME_NONE;
	const char *named = path ? path : getenv("GNUPGHOME");
	bool too_long = false;
	int r = 0;

	if (named && *named) {
		h.path = realpath(named, NULL);
		if (!h.path)
			return error_errno(err, errno, "%s", named);
		if (strlen(h.path) > HOME_LEN_MAX)
			r = socket_is_too_long(h.path, &too_long, err);
		if (r == 0 && too_long)
			r = redirect_sockets(h.path, err);
	}
	if (r == 0)
		r = write_program(&h, gpg, err);
	if (r < 0)
		return r;
	*out = take(&h);
	return 0;
}

/* Ask gpgconf for something at the end, where failure changes nothing. */
static void tidy(const char *home, const char *what, const char *arg)
{
	const char *const argv[] = {"gpgconf", "--homedir", home, what, arg, NULL};
	struct error ignored;

	(void)!proc_run(argv, NULL, NULL, NULL, GPGCONF_OUTPUT_MAX, &ignored);
}

void gpg_home_close(struct gpg_home *h)
{
	/* Without gpgconf the agent still ends when its home is gone. */
	if (h->private) {
		tidy(h->path, "--kill", "all");
		tidy(h->path, "--remove-socketdir", NULL); /* below /run/user, where there is one */
	}
	scratch_close(&h->folder);
	free(h->program);
	free(h->path);
	*h = GPG_HOME_NONE;
}
