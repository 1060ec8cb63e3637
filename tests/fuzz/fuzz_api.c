/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a registry answers: a status in the first byte, an offset in the second, then
 * the body. The transport is put in the place of http_send() by the linker,
 * and a clock that moves by the pauses.
 *
 * covers: lib/net/api.c
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/error.h"
#include "lib/net/api.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t *answer;
static size_t answer_len;

/* --- what the linker puts in the place of the true ones: a pause only moves the clock --- */

static struct timespec clock_now;

int __wrap_clock_gettime(clockid_t which, struct timespec *out);
int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left);

int __wrap_clock_gettime(clockid_t which, struct timespec *out)
{
	(void)which;
	*out = clock_now;
	return 0;
}

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left)
{
	(void)left;
	clock_now.tv_sec += wanted->tv_sec + 1;
	return 0;
}

int __wrap_http_send(struct http *h, const struct http_request *q, struct http_answer *out,
		     struct error *err);

int __wrap_http_send(struct http *h, const struct http_request *q, struct http_answer *out,
		     struct error *err)
{
	static const long statuses[] = {200, 201, 202, 204, 301, 400, 403, 404,
					409, 412, 422, 429, 500, 503, 507, 0};

	(void)h;
	(void)q;
	if (answer_len < 2)
		return error_set(err, E_INVALID, "no answer");
	*out = (struct http_answer){.status = statuses[answer[0] % ARRAY_LEN(statuses)],
				    .upload_offset = (int64_t)answer[1] - 1};
	return buf_add(&out->body, answer + 2, answer_len - 2, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char sha256[] =
		"0000000000000000000000000000000000000000000000000000000000000000";
	const struct api a = {.base = "http://registry.example/"};
	const struct buf doc = {.data = (char[]){"{}"}, .len = 2};
	CLEANUP(json_decrefp) json_t *reply = NULL;
	CLEANUP(json_decrefp) json_t *other = NULL;
	struct error err = {0};

	clock_now.tv_sec = 0;
	answer = data;
	answer_len = size;
	if (api_post_documents(&a, &doc, 1, &reply, &err) == 0) {
		json_t *one = json_array_get(json_object_get(reply, "documents"), 0);

		/* As api.h promises. */
		if (!json_is_string(json_object_get(one, "id")) ||
		    !json_is_string(json_object_get(one, "state")) ||
		    !json_is_array(json_object_get(one, "missing")))
			abort();
	}
	(void)!api_post(&a, "v1/x", NULL, &other, &err);
	(void)!api_put_blob(&a, sha256, -1, 64, &err);
	return 0;
}
