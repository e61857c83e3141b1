/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lanes alone, given a job whenever they take one: clocks per packet in steady state, another key each.
 * Prints "payload gcm clocks-per-packet cm clocks-per-packet" (cm: the cipher's share; the hash is
 * bench_hmac's).
 */
#include "Vlanes.h"
#include "tb.h"

static double run(unsigned payload, bool gcm)
{
	auto m = std::make_unique<Vlanes>();
	tb_random rnd(payload);
	const uint64_t warm = 400, wanted = 2000;
	uint64_t done = 0, clocks = 0, from = 0;
	uint8_t key[32], head[64];

	m->rst = 1;
	m->job_valid = 0;
	for (int i = 0; i < 600; i++)
		tb_clock(*m);
	m->rst = 0;
	m->job_valid = 1;
	m->job_gcm = gcm;
	m->job_aad = 12;
	m->job_covered = 12;
	m->job_payload = payload;
	rnd.fill(head, sizeof(head));
	tb_put(m->job_head, head, sizeof(head));
	while (done < warm + wanted) {
		rnd.fill(key, 32);
		tb_put(m->job_key, key, 32);
		m->job_slot = (m->job_slot + 1) & 127;
		tb_clock(*m);
		clocks++;
		if (m->done && ++done == warm)
			from = clocks;
		TB_CHECK(clocks < 200000, "the lanes stand still");
	}
	return (double)(clocks - from) / (double)wanted;
}

int main()
{
	for (unsigned payload : {20u, 160u, 1200u})
		std::printf("%u gcm %.2f cm %.2f\n", payload, run(payload, true), run(payload, false));
	return 0;
}
