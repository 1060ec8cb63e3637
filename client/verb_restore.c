/* SPDX-License-Identifier: Apache-2.0 */
/* restore: back to the image that was kept. */
#include "client/install/image.h"
#include "client/verbs.h"
#include "lib/base/error.h"

static int restore(const struct cli_call *call, struct device *d, struct error *err)
{
	enum slot to = slot_other(d->boot.running);
	const struct slot_record *kept = &d->st.kept;
	int r = image_restore(d, err);

	if (r < 0)
		return r;
	state_wait(&d->st, WAITING_UPDATE, kept->sha256,
		   "%s, which was kept, is in slot %c and starts at the next boot",
		   kept->version[0] ? kept->version : "the image", slot_letter(to));
	r = device_note(d, "restored", err, "%s of %s into slot %c",
			kept->version[0] ? kept->version : "the image",
			kept->publisher[0] ? kept->publisher : "the old publisher",
			slot_letter(to));
	return r == 0 ? verb_print_slot(call, d, "starts at the next boot", to, err) : r;
}

int verb_restore(const struct cli_call *call, struct error *err)
{
	const struct verb_options *v = call->opt;
	CLEANUP(device_close) struct device d = DEVICE_NONE;
	int r = device_open(v->config, DEVICE_CHANGE, &d, err);

	if (r < 0)
		return r;
	r = restore(call, &d, err);
	return verb_end(&d, "restore", r, err);
}
