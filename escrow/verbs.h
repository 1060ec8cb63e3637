/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of bequest-escrow; main.c has the table, docs/man/bequest-escrow.1.scd the manual. */
#ifndef ESCROW_VERBS_H
#define ESCROW_VERBS_H

#include "lib/base/cli.h"

/* verb_product.c */
extern const struct cli_verb escrow_product_new, escrow_product_edit;
/* verb_root.c */
extern const struct cli_verb escrow_root_sign, escrow_root_rotate, escrow_root_bridge;
/* verb_key.c */
extern const struct cli_verb escrow_key_new, escrow_key_export;
/* verb_seal.c */
extern const struct cli_verb escrow_seal;
/* verb_check.c */
extern const struct cli_verb escrow_lint, escrow_verify;
/* verb_send.c */
extern const struct cli_verb escrow_submit, escrow_deposit;
/* verb_vendor.c */
extern const struct cli_verb escrow_heartbeat, escrow_eol, escrow_object;
/* verb_openeox.c */
extern const struct cli_verb escrow_openeox;
/* verb_trustee.c */
extern const struct cli_verb escrow_inbox, escrow_notice, escrow_approve, escrow_refuse;
/* verb_share.c */
extern const struct cli_verb escrow_share;
/* verb_open.c */
extern const struct cli_verb escrow_open;
/* verb_status.c */
extern const struct cli_verb escrow_status;
/* verb_steward.c */
extern const struct cli_verb escrow_countersign, escrow_appoint;
/* verb_pass.c */
extern const struct cli_verb escrow_pass, escrow_return;
/* verb_step.c */
extern const struct cli_verb escrow_rotation, escrow_succession;
/* verb_log.c */
extern const struct cli_verb escrow_log_move;

#endif
