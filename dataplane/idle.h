/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a worker has nothing to do. One that asks for packets all the time burns a core, and on interfaces of
 * the kernel each answer costs it more than a packet does. So it sleeps, as drivers with interrupts do:
 *
 * It naps for as long as IDLE_BATCH packets take to arrive at the rate of the last moments, idle_us at most
 * (the command line's, or what the control plane says, idle_set()); at a rate at which that is under
 * IDLE_LEAST_NS it never does. After a nap that met no packet it sleeps until one arrives, where every port
 * has a descriptor to wait for (port_fd()), and IDLE_DEEP_NS at most, so that timers run.
 *
 * So a packet waits idle_us and the scheduler's delay at most. A command from the main thread ends either, a
 * packet that another worker hands over ends a sleep.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <poll.h>

#include "dataplane/dp_clock.h"
#include "lib/base/err.h"

#define IDLE_BATCH 32
#define IDLE_LEAST_NS UINT64_C(20000) /* shorter than this a nap costs more than it saves */
#define IDLE_DEEP_NS (10 * NS_PER_MS)
#define IDLE_RATE_NS NS_PER_MS /* what came before this counts half towards the rate */
#define IDLE_FDS_MAX 9         /* PORTS_MAX and the one that wakes */

enum idle_state { IDLE_AWAKE, IDLE_NAP, IDLE_SLEEP };

/* How long to sleep, and how. */
struct idle_plan {
	enum idle_state kind; /* IDLE_AWAKE: go on */
	uint64_t ns;
};

struct idle {
	_Atomic uint32_t
		most_ns;   /* the longest nap; 0: it never sleeps. Written by the main thread, idle_set() */
	uint32_t start_ns; /* the same as it was opened */
	uint64_t packets;                /* that came since `since`, older ones less */
	uint64_t since;                  /* ns: when it last went to sleep, or later */
	struct pollfd fds[IDLE_FDS_MAX]; /* [0] wakes it, then the ports' */
	uint32_t n_fds;
	bool can_wait;          /* every port has a descriptor */
	_Atomic unsigned state; /* enum idle_state; the worker's, and whoever wakes it */
};

struct worker;

/* idle_us: the longest nap, microseconds; 0: never sleeps. -EIO without descriptors. */
int idle_open(struct idle *s, uint32_t idle_us, struct err *err);
void idle_close(struct idle *s);
/* The main thread: another longest nap from the worker's next one on, as dp_configure.nap_us has it. False:
 * it was so already. */
bool idle_set(struct idle *s, uint32_t nap_us);
/* A port's descriptor; -1: it has none, and the worker naps instead of waiting. */
void idle_add(struct idle *s, int fd);

/* What to do after an iteration at `now` that had `received` frames, and did it. */
struct idle_plan idle_plan(struct idle *s, unsigned received, uint64_t now);

/* The worker: sleeps as planned unless there is work. True: it slept. */
bool idle_rest(struct worker *w, unsigned received, uint64_t now);

/* Any thread, after it has written what the worker is to find: wakes one that is at least so deep asleep. */
void idle_wake(struct idle *s, enum idle_state least);
