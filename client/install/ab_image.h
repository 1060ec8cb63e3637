/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ab_image - the backend for two slots that are files or block devices
 *
 * The slots and the boot environment are where the configuration says; the
 * environment is a file (client/bootenv.h). A slot keeps its size: an image is
 * written from its start, and what was behind it stays there.
 */
#ifndef CLIENT_INSTALL_AB_IMAGE_H
#define CLIENT_INSTALL_AB_IMAGE_H

#include "client/install/backend.h"

/* E_USAGE: the two slots are one. `c` is borrowed and must live on. */
MUSTCHECK int ab_image_open(const struct conf *c, struct backend **out, struct error *err);

#endif
