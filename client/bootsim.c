/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bootsim - plays the boot loader of a device that is a folder
 *
 *	bootsim DEVICE_DIR
 *
 * Reads DEVICE_DIR/client.conf for the boot environment, starts a slot as a
 * boot loader would (bootenv_boot()), writes the environment back, and prints
 * the slot and the version that the device's records give for it.
 */
#include <fcntl.h>
#include <stdio.h>

#include "client/conf.h"
#include "client/state.h"
#include "lib/base/cli.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/log.h"

/* What is recorded of the slot, "unknown" if nothing is. */
static void version_of(const struct conf *c, enum slot s, char out[VERSION_MAX + 1])
{
	CLEANUP(closep) int dir = -1;
	struct error ignored = {0};
	struct state st;

	(void)snprintf(out, VERSION_MAX + 1, "unknown");
	if (file_open_dir(c->dir, c->state, false, &dir, &ignored) == 0 &&
	    state_load(dir, &st, &ignored) == 0 && st.slot[s].version[0])
		memcpy(out, st.slot[s].version, sizeof(st.slot[s].version));
}

static int boot(const char *device, struct error *err)
{
	CLEANUP(conf_clear) struct conf c = {.dir = -1};
	CLEANUP(bootenv_clear) struct bootenv env = {0};
	CLEANUP(buf_clear) struct buf path = {0};
	char version[VERSION_MAX + 1];
	enum slot s;
	int r = buf_printf(&path, err, "%s/client.conf", device);

	if (r == 0)
		r = conf_load(path.data, &c, err);
	if (r == 0)
		r = bootenv_load(c.dir, c.boot_env, &env, err);
	if (r < 0)
		return r;
	s = bootenv_boot(&env, c.boot_tries);
	if (s == SLOT_NONE)
		return error_set(err, E_SYS, "%s: BOOT_ORDER: names no slot", c.boot_env);
	r = bootenv_save(&env, c.dir, c.boot_env, err);
	if (r < 0)
		return r;
	version_of(&c, s, version);
	(void)printf("slot %c version %s\n", slot_letter(s), version);
	return 0;
}

int main(int argc, char *argv[])
{
	struct error err = {0};
	int r;

	if (argc != 2 || argv[1][0] == '-') {
		(void)fputs("usage: bootsim DEVICE_DIR\n", stderr);
		return EXIT_USAGE;
	}
	r = boot(argv[1], &err);
	if (r < 0) {
		(void)fputs("bootsim: ", stderr);
		log_escaped(stderr, err.text);
		(void)fputc('\n', stderr);
	}
	return cli_exit_status(r);
}
