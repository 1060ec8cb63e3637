/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf - the client's one configuration file
 *
 * Lines of `key = value`; "#" begins a comment line; only `url` may repeat.
 * Paths in it are relative to the folder of the file, whose descriptor is
 * `dir`. bequest-client(1) lists every key.
 */
#ifndef CLIENT_CONF_H
#define CLIENT_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "client/bootenv.h"

struct error;

enum { CONF_URLS_MAX = 16, CONF_TEXTS_MAX = 48 };
#define CONF_DEFAULT_FILE "/etc/bequest/client.conf"

/* Text is NULL where there is none; it lives as long as the struct. */
struct conf {
	int dir;            /* folder of the file, for every path below */
	const char *folder; /* its name, for other programs */
	const char *product, *hardware;
	const char *urls[CONF_URLS_MAX]; /* mirrors, in order */
	size_t nurls;
	const char *factory_root; /* path */
	const char *state;        /* path of the state folder */
	const char *policy;       /* "ask", "auto", "never", "rebuilt", or a path */
	const char *backend;
	const char *slot[SLOTS]; /* paths of files or block devices */
	const char *boot_env;    /* path */
	const char *keep_image;  /* path: where the vendor's image goes before it is overwritten */
	const char *channel;     /* a delegated targets role; NULL: the top-level one */
	const char *health;      /* shell command */
	int64_t boot_tries;
	int64_t health_timeout_s;
	int64_t byte_budget;  /* largest download, bytes; 0: no limit */
	int64_t metadata_max; /* bytes of metadata that are held at once (lib/tuf/client.h) */
	bool allow_http;
	bool clock_trusted;
	bool tls_verified;           /* else any certificate will do: TLS is for privacy alone */
	char *texts[CONF_TEXTS_MAX]; /* owns all of the above */
	size_t ntexts;
};

/* E_USAGE: unreadable, malformed, an unknown or repeated key, a value out of range. */
MUSTCHECK int conf_load(const char *path, struct conf *out, struct error *err);

/* The same from text; `dir` is borrowed here, and conf_clear() leaves -1 alone. */
MUSTCHECK int conf_parse(const char *text, size_t len, const char *name, struct conf *out,
			 struct error *err);
void conf_clear(struct conf *c);

/*
 * metadata_max where nothing is said, for a machine of so many bytes of memory: a 64th of it, which
 * is 36/64 at the worst by the bound of lib/tuf/client.h, whoever serves or signs the metadata. At
 * least 512 KiB; at most 16 MiB, which is all that the format allows, the old beside the new.
 */
int64_t conf_metadata_share(int64_t memory);

/* Bytes of one root: half of what may be held, so that the rest fits beside it. */
size_t conf_root_max(const struct conf *c);

#endif
