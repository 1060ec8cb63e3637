/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A git pack of unknown origin.
 *
 * covers: registry/sources/packscan.c
 */
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "registry/sources/packscan.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sources_limits limits = {
		.objects = 1000, .object_bytes = 1 << 20, .total_bytes = 1 << 22};
	int fd = memfd_create("pack", MFD_CLOEXEC);
	struct error err = {0};
	uint32_t n;

	if (fd < 0)
		return 0;
	if (write(fd, data, size) == (ssize_t)size)
		(void)!packscan(fd, 0, "pack", &limits, &n, &err);
	(void)close(fd);
	return 0;
}
