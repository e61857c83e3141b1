/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of the gateway, printed for people. A member that is missing is shown as "-". */
#pragma once

#include <stdio.h>

#include <jansson.h>

void print_calls(const json_t *data, FILE *to);
void print_call(const json_t *data, FILE *to);
void print_stats(const json_t *data, FILE *to);
void print_trunks(const json_t *data, FILE *to);

/* As it is, for programs. */
void print_json(const json_t *data, FILE *to);

/* The table of a watch: a row per leg. calls: an array of CALL, as 'show call' answers them. */
void print_legs(const json_t *calls, FILE *to);
