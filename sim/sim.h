/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Verilated device as a library: its registers, its clock, and a model of the bus to host memory with
 * latency, reordering and back-pressure. Two libraries have this interface, the full RTL and the fast one.
 *
 * Host memory is what the caller maps, nothing else: an access outside it is answered with an error, as an
 * IOMMU would, and counted. One thread per device. Time is the device's own: it stands still between steps.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sim;

struct sim_conf {
	uint64_t seed;
	uint32_t latency_min, latency_max; /* clocks from a read request to its first beat, a write to its
					      acknowledgement */
	uint32_t ack_latency;              /* and to an acknowledgement in particular; 0: as above */
	uint32_t reorder;                  /* 1: reads that are due answer in random order, beat by beat */
	uint32_t read_stall, answer_stall,
		write_stall; /* percent of clocks in which the bus does not move there */
	const char *trace;   /* file for waveforms (FST), or NULL */
	uint64_t trace_from; /* the clock in which they begin */
};

struct sim_stats {
	uint64_t clocks;
	uint64_t read_requests, read_beats, write_beats;
	uint64_t faults;        /* accesses outside what is mapped */
	uint64_t broken_offers; /* of a read or write, changed or withdrawn while the bus had not taken it */
	uint64_t interrupts;    /* clocks in which any queue's was raised */
	uint64_t signature;     /* of every output pin in every clock: equal for equal behaviour */
};

/* -ENOMEM; -ENOTSUP: waveforms from a library that was built without. conf is copied. The device is in reset
 * for a few clocks, then clears its memories by itself. */
int sim_open(struct sim **sim, const struct sim_conf *conf);
void sim_close(struct sim *sim);

/* Gives the device n octets at iova. They stay the caller's. -EINVAL when they overlap others, -ENOSPC. */
int sim_map(struct sim *sim, uint64_t iova, void *memory, size_t n);
void sim_unmap(struct sim *sim, uint64_t iova);

/* Registers; each access takes a clock or two. */
uint32_t sim_rd32(struct sim *sim, uint32_t at);
void sim_wr32(struct sim *sim, uint32_t at, uint32_t value);

void sim_step(struct sim *sim, uint64_t clocks);

/* on: the bus takes and answers nothing any more. Registers go on. */
void sim_hang(struct sim *sim, int on);
/* on: the card is out of its slot: every read of a register is all ones, a write goes nowhere, and the bus is
 * still. Off: it is back, as after its power came on; what the bus had for it is of nobody. */
void sim_remove(struct sim *sim, int on);
void sim_get_stats(const struct sim *sim, struct sim_stats *out);

/* What happens on the way from the device to host memory, from now on: to completions, or to packets. */
enum sim_harm {
	SIM_HARM_NONE,
	SIM_HARM_INDEX,   /* a completion names the descriptor beside its own */
	SIM_HARM_CONTEXT, /* or another context */
	SIM_HARM_LENGTH,  /* or says an octet less than was written */
	SIM_HARM_OK,      /* or says of what was refused that it is done */
	SIM_HARM_LOST,    /* packets are acknowledged, and never reach memory */
	SIM_HARMS,
};
void sim_harm(struct sim *sim, enum sim_harm harm);

/*
 * Every register and every word of memory of the device, into a file: two devices in the same state make the
 * same file. -ENOTSUP from a library that was built without; -EIO.
 */
int sim_save(struct sim *sim, const char *file);

#ifdef __cplusplus
}
#endif
