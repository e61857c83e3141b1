/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random packets, everything mixed: suites, operations, lengths, alignments, forgeries, a different key on
 * every packet, two queues in bursts. usage: test_random LIBRARY PACKETS SEED [calm] Without calm the bus is
 * slow, disorderly and stalls.
 */
#include <string.h>

#include "sim/test/bench.h"

enum { SESSIONS = 120, INSIDE = 192, QUEUES = 2 };

static struct session sessions[SESSIONS];
static struct packet packets[INSIDE];

int main(int argc, char **argv)
{
	CHECK(argc >= 4, "usage: test_random LIBRARY PACKETS SEED [calm]");
	const unsigned long wanted = strtoul(argv[2], NULL, 0);
	struct sim_conf conf = {.seed = strtoul(argv[3], NULL, 0), .latency_min = 2, .latency_max = 2};
	struct fpga_ring *rings[QUEUES];
	struct packet *free_list[INSIDE];
	unsigned n_free = 0, turn = 0;
	unsigned long sent = 0, done = 0, forged = 0;
	struct bench b;
	struct fpga_counters n;

	if (argc < 5) {
		conf.latency_max = 300;
		conf.reorder = 1;
		conf.read_stall = conf.write_stall = 30;
		conf.answer_stall = 20;
	}
	bench_open(&b, argv[1], &conf);
	for (unsigned i = 0; i < SESSIONS; i++)
		bench_session(&b, &sessions[i], bench_suites[i % 6]);
	for (unsigned i = 0; i < INSIDE; i++) {
		packet_alloc(&b, &packets[i]);
		free_list[n_free++] = &packets[i];
	}
	for (unsigned q = 0; q < QUEUES; q++)
		CHECK(fpga_ring_open(&rings[q], b.dev, q, 6 + q) == 0, "ring %u", q);
	while (done < wanted) {
		struct fpga_ring *r = rings[bench_below(&b, QUEUES)];
		unsigned burst = bench_below(&b, 40);
		struct fpga_cpl c[32];

		while (burst-- && n_free && sent < wanted && fpga_ring_space(r)) {
			struct packet *p = free_list[--n_free];
			struct fpga_desc d;

			packet_random(&b, p, &sessions[turn++ % SESSIONS]);
			packet_desc(p, &d);
			fpga_ring_push(r, &d, p);
			sent++;
		}
		fpga_ring_doorbell(r);
		hw_sim_step(b.hw, bench_below(&b, 200));
		for (unsigned q = 0; q < QUEUES; q++) {
			unsigned k = fpga_ring_poll(rings[q], c, 32);

			for (unsigned i = 0; i < k; i++) {
				packet_check(c[i].cookie, &c[i]);
				forged += ((struct packet *)c[i].cookie)->forged;
				free_list[n_free++] = c[i].cookie;
			}
			done += k;
		}
		struct sim_stats st;
		hw_sim_stats(b.hw, &st);
		CHECK(st.clocks < 2000000 + 2000 * (uint64_t)wanted, "only %lu of %lu packets came back",
			done, wanted);
	}
	fpga_device_counters(b.dev, &n);
	CHECK(n.tag_fail == forged, "%lu forged, %lu counted", forged, (unsigned long)n.tag_fail);
	CHECK(n.errors == 0 && n.stray == 0 && n.lost_writes == 0, "errors %lu stray %lu",
		(unsigned long)n.errors, (unsigned long)n.stray);
	struct sim_stats st;
	hw_sim_stats(b.hw, &st);
	CHECK(st.faults == 0, "%lu accesses outside of mapped memory", (unsigned long)st.faults);
	printf("%lu packets right, %lu of them forged and refused, %lu clocks, signature %016lx\n", done,
		forged, (unsigned long)st.clocks, (unsigned long)st.signature);
	for (unsigned q = 0; q < QUEUES; q++)
		fpga_ring_close(rings[q]);
	for (unsigned i = 0; i < INSIDE; i++)
		packet_free(&b, &packets[i]);
	bench_close(&b);
	return 0;
}
