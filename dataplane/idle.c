/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/idle.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/worker_private.h"
#include "lib/msg/dp_msg.h"

int idle_open(struct idle *s, uint32_t idle_us, struct err *err)
{
	*s = (struct idle){
		.most_ns = idle_us * 1000, .start_ns = idle_us * 1000, .n_fds = 1, .can_wait = true};
	s->fds[0] = (struct pollfd){.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), .events = POLLIN};
	if (s->fds[0].fd < 0)
		return err_set(err, EIO, "no descriptor to wake a worker with: %s", strerror(errno));
	return 0;
}

bool idle_set(struct idle *s, uint32_t nap_us)
{
	uint32_t ns = nap_us == DP_NAP_AS_STARTED ? s->start_ns : nap_us == DP_NAP_NEVER ? 0 : nap_us * 1000;

	return atomic_exchange_explicit(&s->most_ns, ns, memory_order_relaxed) != ns;
}

void idle_close(struct idle *s)
{
	if (s->n_fds && s->fds[0].fd >= 0)
		close(s->fds[0].fd);
	s->n_fds = 0;
}

void idle_add(struct idle *s, int fd)
{
	if (fd < 0 || s->n_fds == IDLE_FDS_MAX)
		s->can_wait = false;
	else
		s->fds[s->n_fds++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

/* Older packets count less and less while it does not sleep. */
static void forget(struct idle *s, uint64_t now, uint64_t took)
{
	if (took <= IDLE_RATE_NS)
		return;
	s->since = now - took / 2;
	s->packets /= 2;
}

static struct idle_plan asleep(struct idle *s, enum idle_state kind, uint64_t now, uint64_t ns)
{
	s->since = now;
	s->packets = 0;
	return (struct idle_plan){kind, ns};
}

struct idle_plan idle_plan(struct idle *s, unsigned received, uint64_t now)
{
	const uint64_t most = atomic_load_explicit(&s->most_ns, memory_order_relaxed);
	uint64_t took = now - s->since, ns = most;

	s->packets += received;
	if (s->packets && IDLE_BATCH * took < ns * s->packets)
		ns = IDLE_BATCH * took / s->packets;
	if (most == 0 || received >= IDLE_BATCH || ns < IDLE_LEAST_NS) {
		forget(s, now, took);
		return (struct idle_plan){IDLE_AWAKE, 0};
	}
	return s->packets == 0 && s->can_wait ? asleep(s, IDLE_SLEEP, now, IDLE_DEEP_NS)
					      : asleep(s, IDLE_NAP, now, ns);
}

static bool work_waits(const struct worker *w)
{
	return !rte_ring_empty(w->mailbox.commands) || !rte_ring_empty(w->handover) || w->hold.again_n ||
	       atomic_load_explicit(&w->stop, memory_order_relaxed);
}

/* An interface that went down leaves an error behind, which is taken; anything else would wake it for ever.
 */
static bool faulty(const struct pollfd *p)
{
	int error = 0;
	socklen_t n = sizeof(error);

	if (!(p->revents & (POLLERR | POLLHUP | POLLNVAL)))
		return false;
	return getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0 || error == 0;
}

/* What woke it. */
static void settle(struct idle *s)
{
	uint64_t times;

	if (s->fds[0].revents & POLLIN)
		(void)!read(s->fds[0].fd, &times, sizeof(times));
	for (uint32_t i = 1; i < s->n_fds; i++)
		if (faulty(&s->fds[i]))
			s->can_wait = false;
}

bool idle_rest(struct worker *w, unsigned received, uint64_t now)
{
	struct idle *s = &w->idle;
	struct idle_plan plan = idle_plan(s, received, now);
	struct timespec most = {.tv_nsec = (long)plan.ns};
	bool sleeps;

	if (plan.kind == IDLE_AWAKE)
		return false;
	/* Pairs with idle_wake(): either the waker sees the state, or work_waits() sees what it has written.
	 */
	atomic_store_explicit(&s->state, plan.kind, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	sleeps = !work_waits(w);
	if (sleeps && ppoll(s->fds, plan.kind == IDLE_SLEEP ? s->n_fds : 1, &most, NULL) > 0)
		settle(s);
	atomic_store_explicit(&s->state, IDLE_AWAKE, memory_order_relaxed);
	return sleeps;
}

void idle_wake(struct idle *s, enum idle_state least)
{
	uint64_t one = 1;

	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(&s->state, memory_order_relaxed) < least)
		return;
	/* One of several wakers writes. */
	if (atomic_exchange_explicit(&s->state, IDLE_AWAKE, memory_order_relaxed) != IDLE_AWAKE)
		(void)!write(s->fds[0].fd, &one, sizeof(one));
}
