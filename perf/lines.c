/* SPDX-License-Identifier: Apache-2.0 */
#include "perf/lines.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define PIECES_MAX 64
#define TOUCHED_MAX 4096
#define TRAP_FLAG 0x100 /* of EFLAGS: SIGTRAP behind the next instruction */

struct piece {
	uint8_t *base;
	size_t octets;
	bool open; /* to the instruction that is under way */
};

/* Signal handlers know nothing else than what is static. */
static struct {
	struct piece pieces[PIECES_MAX];
	unsigned n;
	uintptr_t touched[TOUCHED_MAX];
	unsigned n_touched;
	struct sigaction before[2]; /* SIGSEGV, SIGTRAP */
} l;

int lines_watch(void *base, size_t octets, struct err *err)
{
	if (l.n == PIECES_MAX)
		return err_set(err, ENOSPC, "more than %u pieces of memory to watch", PIECES_MAX);
	l.pieces[l.n++] = (struct piece){base, octets, false};
	return 0;
}

void lines_forget(const void *base)
{
	for (unsigned i = 0; i < l.n; i++)
		if (l.pieces[i].base == base)
			l.pieces[i--] = l.pieces[--l.n];
}

static void note(uintptr_t line)
{
	for (unsigned i = 0; i < l.n_touched; i++)
		if (l.touched[i] == line)
			return;
	if (l.n_touched < TOUCHED_MAX)
		l.touched[l.n_touched++] = line;
}

/* An instruction may want several pieces: it faults for each, and all are open when it is through. */
static void on_fault(int signal, siginfo_t *info, void *context)
{
	uint8_t *at = info->si_addr;
	ucontext_t *u = context;

	(void)signal;
	for (unsigned i = 0; i < l.n; i++) {
		struct piece *p = &l.pieces[i];

		if (at < p->base || at >= p->base + p->octets || p->open)
			continue;
		note((uintptr_t)at / LINES_OCTETS);
		p->open = mprotect(p->base, p->octets, PROT_READ | PROT_WRITE) == 0;
		u->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
		if (p->open)
			return;
	}
	/* None of ours: it happens again, and as it would have. */
	sigaction(SIGSEGV, &l.before[0], NULL);
}

static void on_step(int signal, siginfo_t *info, void *context)
{
	ucontext_t *u = context;

	(void)signal;
	(void)info;
	for (unsigned i = 0; i < l.n; i++) {
		if (l.pieces[i].open)
			mprotect(l.pieces[i].base, l.pieces[i].octets, PROT_NONE);
		l.pieces[i].open = false;
	}
	u->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

void lines_begin(void)
{
	struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	struct sigaction step = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};

	l.n_touched = 0;
	sigaction(SIGSEGV, &fault, &l.before[0]);
	sigaction(SIGTRAP, &step, &l.before[1]);
	for (unsigned i = 0; i < l.n; i++)
		mprotect(l.pieces[i].base, l.pieces[i].octets, PROT_NONE);
}

unsigned lines_end(void)
{
	for (unsigned i = 0; i < l.n; i++)
		mprotect(l.pieces[i].base, l.pieces[i].octets, PROT_READ | PROT_WRITE);
	sigaction(SIGTRAP, &l.before[1], NULL);
	sigaction(SIGSEGV, &l.before[0], NULL);
	return l.n_touched;
}
