/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The archive of a compartment, already decrypted: the linker puts a copy in the place
 * of gpg. The first byte says whether the manifest is known or comes with the archive.
 * Whatever is taken is inside the folder, and exactly what was to be there.
 *
 * covers: escrow/payload_open.c escrow/items.c
 */
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "escrow/charset.h"
#include "escrow/payload.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/sign/gpg.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/room.h"

#define HELLO_SHA256 "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define NOTHING_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

int __wrap_gpg_decrypt_stream(struct gpg *g, const char *passphrase, int in, int out,
			      struct error *err);

int __wrap_gpg_decrypt_stream(struct gpg *g, const char *passphrase, int in, int out,
			      struct error *err)
{
	char chunk[65536];
	ssize_t n;

	(void)g;
	(void)passphrase;
	while ((n = read(in, chunk, sizeof(chunk))) > 0)
		if (write(out, chunk, (size_t)n) != n)
			return error_set(err, E_SYS, "nobody reads");
	return 0;
}

/*
 * The thread is one that has done its work when it was made, as far as a pipe takes all
 * that it writes: to hand over from one to the other takes longer than all else.
 */
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*work)(void *),
			  void *arg);
int __real_pthread_join(pthread_t thread, void **result);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*work)(void *),
			  void *arg);
int __wrap_pthread_join(pthread_t thread, void **result);

enum { PIPE_TAKES = 65536 };

static size_t payload_len;
static bool at_once;

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*work)(void *),
			  void *arg)
{
	at_once = payload_len <= PIPE_TAKES;
	if (!at_once)
		return __real_pthread_create(thread, how, work, arg);
	(void)work(arg);
	return 0;
}

int __wrap_pthread_join(pthread_t thread, void **result)
{
	return at_once ? 0 : __real_pthread_join(thread, result);
}

/* A file with the payload; the same one each time. */
static int file_of(const uint8_t *data, size_t size)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("payload", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size ||
	    lseek(fd, 0, SEEK_SET) != 0)
		abort();
	payload_len = size;
	return fd;
}

/* What corpus/payload/good has. */
static void expect(struct items *items)
{
	static const char list[] =
		"[{\"path\":\"a/empty\",\"size\":0,\"sha256\":\"" NOTHING_SHA256
		"\"},{\"path\":\"hello\",\"size\":5,\"sha256\":\"" HELLO_SHA256 "\"}]";
	CLEANUP(json_decrefp) json_t *json = json_loads(list, 0, NULL);
	struct error err;

	if (items_add_json(items, json, &err) < 0 || items_sort(items, &err) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char salted[] =
		"9b9f9e7e2f4c2fc1a1a6a3f1b0c7d1ff9a7a0f2b3c4d5e6f708192a3b4c5d6e7";
	CLEANUP(items_clear) struct items items = {0};
	struct payload_rules rules = {.items = &items, .size_max = 64};
	const struct payload_key key = {.passphrase = ""};
	static struct charset kept; /* else the locale is read from its file each time */
	struct error err = {0};
	int dir = room();

	if (size == 0)
		return 0;
	if (!kept.utf8 && charset_enter(&kept, &err) < 0)
		abort();
	if (data[0] & 1)
		rules.salted = salted;
	else
		expect(&items);
	if (payload_open(file_of(data + 1, size - 1), &rules, &key, dir, &err) == 0) {
		assert(!rules.salted); /* nobody finds what that is the digest of */
		assert(file_exists(dir, "a/empty") && file_exists(dir, "hello"));
	}
	room_empty(dir);
	return 0;
}
