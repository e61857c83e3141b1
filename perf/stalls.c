/* SPDX-License-Identifier: Apache-2.0 */
/* How long the machine's cores stood still while a command ran: a virtual machine's do, and its figures show
 * it. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/base/clock.h"

#define PERIOD_NS (2 * NS_PER_MS)
#define LATE_NS NS_PER_MS
#define PRIORITY 50

static const char usage[] =
	"usage: stalls RESULT.json COMMAND [WORD...]\n"
	"\n"
	"Runs the command, and on each core that it may use a thread that goes before all that is not the kernel's. It wakes\n"
	"every 2 ms; where it comes more than 1 ms late the core stood still: another virtual machine had it, or the kernel\n"
	"let nobody in. RESULT.json has {\"seconds\", \"stood_still_ms\" of all cores together, \"longest_ms\"}. Needs the right\n"
	"to real-time priorities; without it the command is run all the same and there is no result.\n"
	"Exit codes: the command's, 126 it cannot be run, 2 wrong use.\n";

extern char **environ;

struct watch {
	pthread_t thread;
	atomic_bool *end;
	uint64_t late_ns, longest_ns;
};

static void add_ns(struct timespec *t, uint64_t ns)
{
	ns += (uint64_t)t->tv_nsec;
	t->tv_sec += (time_t)(ns / NS_PER_S);
	t->tv_nsec = (long)(ns % NS_PER_S);
}

static void *watch(void *arg)
{
	struct watch *w = arg;
	struct timespec due;

	clock_gettime(CLOCK_MONOTONIC, &due);
	while (!atomic_load_explicit(w->end, memory_order_relaxed)) {
		uint64_t late, due_ns;

		add_ns(&due, PERIOD_NS);
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
		due_ns = (uint64_t)due.tv_sec * NS_PER_S + (uint64_t)due.tv_nsec;
		late = clock_mono_ns() - due_ns;
		if (late <= LATE_NS)
			continue;
		w->late_ns += late;
		if (late > w->longest_ns)
			w->longest_ns = late;
		add_ns(&due, late); /* one that was missed is no second one */
	}
	return NULL;
}

/* 0, or an errno: EPERM where it may have no such priority. */
static int watch_begin(struct watch *w, int core, atomic_bool *end)
{
	struct sched_param param = {.sched_priority = PRIORITY};
	pthread_attr_t attr;
	cpu_set_t set;
	int rc;

	*w = (struct watch){.end = end};
	CPU_ZERO(&set);
	CPU_SET((size_t)core, &set);
	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &param);
	pthread_attr_setaffinity_np(&attr, sizeof set, &set);
	rc = pthread_create(&w->thread, &attr, watch, w);
	pthread_attr_destroy(&attr);
	return rc;
}

/* The command's exit code as a shell tells it. */
static int run(char **command)
{
	pid_t pid;
	int status, rc = posix_spawnp(&pid, command[0], NULL, NULL, command, environ);

	if (rc) {
		fprintf(stderr, "stalls: %s: %s\n", command[0], strerror(rc));
		return 126;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 126;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int report(const char *path, const struct watch *w, unsigned n, uint64_t took_ns)
{
	uint64_t late_ns = 0, longest_ns = 0;
	FILE *out = fopen(path, "w");

	for (unsigned i = 0; i < n; i++) {
		late_ns += w[i].late_ns;
		longest_ns = w[i].longest_ns > longest_ns ? w[i].longest_ns : longest_ns;
	}
	if (!out || fprintf(out, "{\"seconds\": %.1f, \"stood_still_ms\": %.1f, \"longest_ms\": %.1f}\n",
			    (double)took_ns / NS_PER_S, (double)late_ns / NS_PER_MS,
			    (double)longest_ns / NS_PER_MS) < 0) {
		fprintf(stderr, "stalls: %s: %s\n", path, strerror(errno));
		if (out)
			fclose(out);
		return -1;
	}
	return fclose(out);
}

int main(int argc, char **argv)
{
	static struct watch watches[CPU_SETSIZE];
	atomic_bool end = false;
	uint64_t began = clock_mono_ns();
	unsigned n = 0;
	cpu_set_t may;
	int rc = 0, code;

	if (argc > 1 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return 0;
	}
	if (argc > 1 && argv[1][0] == '-') {
		fprintf(stderr, "stalls: unknown option '%s' (stalls --help)\n", argv[1]);
		return 2;
	}
	if (argc < 3) {
		fprintf(stderr, "stalls: a file for the result and a command are wanted (stalls --help)\n");
		return 2;
	}
	if (sched_getaffinity(0, sizeof may, &may))
		CPU_ZERO(&may);
	for (int core = 0; core < CPU_SETSIZE && !rc; core++)
		if (CPU_ISSET((size_t)core, &may) && !(rc = watch_begin(&watches[n], core, &end)))
			n++;
	if (rc)
		fprintf(stderr, "stalls: no real-time priority: %s; the cores are not watched\n",
			strerror(rc));
	code = run(argv + 2);
	atomic_store(&end, true);
	for (unsigned i = 0; i < n; i++)
		pthread_join(watches[i].thread, NULL);
	if (!rc)
		report(argv[1], watches, n, clock_mono_ns() - began);
	return code;
}
