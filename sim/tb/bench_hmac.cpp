/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HMAC ring alone, never short of packets: clocks per packet in steady state. Prints "payload
 * clocks-per-packet".
 */
#include "Vhmac.h"
#include "tb.h"

static double run(unsigned payload)
{
	auto m = std::make_unique<Vhmac>();
	/* Packets of one length go round in step and are done a ringful at a time: of so many, that is 0.2 %. */
	const uint64_t warm = 400, wanted = 50000;
	uint64_t done = 0, clocks = 0, from = 0;

	m->rst = 1;
	for (int i = 0; i < 600; i++)
		tb_clock(*m);
	m->rst = 0;
	m->done_ready = 1;
	m->note_len = 12 + payload;
	m->note_aad = 12;
	for (unsigned slot = 0; slot < 128; slot++) {
		m->note = m->start = 1;
		m->note_slot = m->start_slot = slot;
		tb_clock(*m);
	}
	m->note = 0;
	while (done < warm + wanted) {
		m->start = 0;
		tb_clock(*m);
		clocks++;
		while (m->done_valid) { /* a slot that is done comes again */
			m->start = 1;
			m->start_slot = m->done_slot;
			if (++done == warm)
				from = clocks;
			tb_clock(*m);
			clocks++;
		}
		TB_CHECK(clocks < 30 * wanted, "the ring stands still");
	}
	return (double)(clocks - from) / (double)wanted;
}

int main()
{
	for (unsigned payload : {20u, 160u, 1200u})
		std::printf("%u %.2f\n", payload, run(payload));
	return 0;
}
