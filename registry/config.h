/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config - DIR/config.json, which the operator edits; read when the registry starts
 *
 *	{"name": "…", "origin": "registry.example/log", "admission": "moderated",
 *	 "witnesses": {"keys": [{"vkey": "…", "url": "https://…"}], "threshold": 2}}
 *
 * `witnesses` may be absent. With a threshold of t, a checkpoint and the proofs
 * under it are published once t of the witnesses have cosigned it.
 */
#ifndef REGISTRY_CONFIG_H
#define REGISTRY_CONFIG_H

#include <stdbool.h>

#include "lib/tlog/note.h"

struct error;

#define CONFIG_FILE "config.json"

enum {
	ORIGIN_SIZE = 256,
	NAME_SIZE = 256,
	WITNESS_URL_SIZE = 1024,
	WITNESSES_MAX = 32, /* a root names no more either */
};

struct config_witness {
	struct note_key key;
	char url[WITNESS_URL_SIZE]; /* its prefix: add-checkpoint is below it */
};

struct config {
	char name[NAME_SIZE], origin[ORIGIN_SIZE];
	bool open_admission;
	struct config_witness witnesses[WITNESSES_MAX];
	size_t nwitnesses, threshold;
};

/* E_USAGE: config.json: field: ... */
MUSTCHECK int config_load(int data, struct config *out, struct error *err);
MUSTCHECK int config_save(int data, const struct config *c, struct error *err);

/*
 * "VKEY=URL": a key for cosignatures, under a name and of a material that no other
 * witness has, and that are not the log's. E_USAGE.
 */
MUSTCHECK int config_add_witness(struct config *c, const char *text, struct error *err);
/* By the key's name. E_USAGE: there is none. */
MUSTCHECK int config_drop_witness(struct config *c, const char *name, struct error *err);
/* 0 to the number of witnesses. E_USAGE. */
MUSTCHECK int config_set_threshold(struct config *c, size_t threshold, struct error *err);

#endif
