/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State of the gateway (srtp-gateway.yang as RFC 7951 JSON), printed for people. A member that is missing is
 * shown as "-".
 */
#pragma once

#include <stdio.h>

#include <jansson.h>

void print_calls(const json_t *calls, FILE *to);      /* the container calls */
void print_call(const json_t *call, FILE *to);        /* one entry of calls/call */
void print_stats(const json_t *statistics, FILE *to); /* the container statistics */
void print_trunks(const json_t *trunks, FILE *to);    /* the container trunks */

/* As it is, for programs. */
void print_json(const json_t *data, FILE *to);

/* The table of a watch: a row per leg. calls: the list calls/call. */
void print_legs(const json_t *calls, FILE *to);
