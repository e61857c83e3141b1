/* SPDX-License-Identifier: Apache-2.0 */
#include "sim.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "Vdevice.h"
#include "verilated.h"
#include "verilated_cov.h"
#ifdef SIM_DEBUG
#include "verilated_fst_c.h"
#include "verilated_save.h"
#endif

#define SIM_API extern "C" __attribute__((visibility("default")))

namespace
{
constexpr size_t BEAT = 64;
constexpr size_t MAPS_MAX = 4096;

struct mapping {
	uint64_t iova;
	uint8_t *memory;
	size_t n;
};

struct read_request {
	uint64_t addr, due;
	uint32_t beats, at, tag;
};

struct acknowledgement {
	uint64_t due;
	uint32_t tag;
	bool err;
};

/* What the device offered on one channel, and whether it still waits for the bus to take it. */
struct offer {
	bool waits = false, lapsed = false; /* not taken yet; withdrawn meanwhile */
	uint32_t tag = 0;
	uint64_t content = 0;
};
constexpr unsigned EPOCH_LSB = 10;
constexpr unsigned KIND_LSB = 8, KIND_PACKET = 0, KIND_CPL = 3; /* as in device.sv */

void mix(uint64_t &into, uint64_t v)
{
	into = (into ^ v) * 0x100000001b3u;
}
} // namespace

struct sim {
	std::unique_ptr<VerilatedContext> context = std::make_unique<VerilatedContext>();
	std::unique_ptr<Vdevice> device;
#ifdef SIM_DEBUG
	std::unique_ptr<VerilatedFstC> waves;
#endif
	sim_conf conf;
	sim_stats stats = {};
	uint64_t random = 1;
	std::vector<mapping> maps;
	size_t last_map = 0;
	std::vector<read_request> reads;
	std::deque<acknowledgement> acks;
	bool hung = false, removed = false;
	enum sim_harm harm = SIM_HARM_NONE;
	std::vector<uint32_t> refused; /* tags of groups being written of which a beat was refused */
	offer read_offer, write_offer;

	uint32_t below(uint32_t n)
	{
		random ^= random >> 12;
		random ^= random << 25;
		random ^= random >> 27;
		return (uint32_t)(((random * 0x2545f4914f6cdd1du) >> 32) * n >> 32);
	}
	bool chance(uint32_t percent)
	{
		return percent && below(100) < percent;
	}
	uint64_t due()
	{
		return stats.clocks + conf.latency_min + below(conf.latency_max - conf.latency_min + 1);
	}
	/* Host memory of [iova, iova + n), or null: counted. */
	uint8_t *at(uint64_t iova, size_t n)
	{
		for (size_t i = 0; i < maps.size(); i++) {
			size_t k = (last_map + i) % maps.size();
			const mapping &m = maps[k];
			if (iova >= m.iova && n <= m.n && iova - m.iova <= m.n - n) {
				last_map = k;
				return m.memory + (iova - m.iova);
			}
		}
		stats.faults++;
		return nullptr;
	}
	void sign(uint64_t v)
	{
		mix(stats.signature, v);
	}
	void stands(offer &o, bool valid, bool ready, uint32_t tag, uint64_t content);
	void answer();
	void take_read();
	void take_write();
	void do_harm(uint8_t *line);
	void clock();
	void power_on();
	bool still() const
	{
		return hung || removed;
	}
	void dump(uint64_t when);
	void open_waves(const char *file);
	void close_waves();
	void write_coverage();
};

#ifdef SIM_DEBUG
/* Waveforms of devices that a test leaves open when it fails are closed at the program's end. */
static std::vector<sim *> traced;

static void close_all_waves()
{
	while (!traced.empty())
		traced.back()->close_waves();
}

void sim::dump(uint64_t when)
{
	if (waves && stats.clocks >= conf.trace_from)
		waves->dump(when);
}

void sim::open_waves(const char *file)
{
	if (traced.empty())
		std::atexit(close_all_waves);
	context->traceEverOn(true);
	waves = std::make_unique<VerilatedFstC>();
	device->trace(waves.get(), 99);
	waves->open(file);
	traced.push_back(this);
}

void sim::close_waves()
{
	for (size_t i = 0; i < traced.size(); i++)
		if (traced[i] == this) {
			traced.erase(traced.begin() + (ptrdiff_t)i);
			waves->close();
			waves.reset();
			return;
		}
}
#else
void sim::dump(uint64_t)
{
}
void sim::open_waves(const char *)
{
}
void sim::close_waves()
{
}
#endif

/* Into a file of its own in the directory that SRTPGW_SIM_COVERAGE names; merged by who reads them. */
void sim::write_coverage()
{
#if VM_COVERAGE
	static unsigned written;
	const char *directory = getenv("SRTPGW_SIM_COVERAGE");

	if (directory)
		context->coveragep()->write(
			(std::string(directory) + "/" + std::to_string(written++) + ".dat").c_str());
#endif
}

/* Puts the next beat of some due read, and the next due acknowledgement, on the device's pins. */
void sim::answer()
{
	device->rsp_valid = 0;
	if (!reads.empty() && !still() && !chance(conf.answer_stall)) {
		size_t pick = reads.size(), seen = 0;
		for (size_t i = 0; i < reads.size(); i++) {
			if (reads[i].due > stats.clocks)
				continue;
			seen++;
			if (pick == reads.size() || (conf.reorder && below((uint32_t)seen) == 0))
				pick = i;
			if (!conf.reorder)
				break;
		}
		if (pick < reads.size()) {
			read_request &r = reads[pick];
			const uint8_t *p = at(r.addr + BEAT * r.at, BEAT);
			device->rsp_valid = 1;
			device->rsp_tag = (uint16_t)r.tag;
			device->rsp_beat = (uint8_t)r.at;
			device->rsp_last = r.at + 1 == r.beats;
			device->rsp_err = p == nullptr;
			if (p) /* else what was there before: with an error it means nothing */
				memcpy(&device->rsp_data[0], p, BEAT);
			stats.read_beats++;
			if (++r.at == r.beats)
				reads.erase(reads.begin() + (ptrdiff_t)pick);
		}
	}
	device->ack_valid = 0;
	if (!acks.empty() && !still() && acks.front().due <= stats.clocks) {
		device->ack_valid = 1;
		device->ack_tag = (uint16_t)acks.front().tag;
		device->ack_err = acks.front().err;
		acks.pop_front();
	}
}

/* An offer stays as it is until it is taken. Only a reset withdraws one, and a new epoch begins. */
void sim::stands(offer &o, bool valid, bool ready, uint32_t tag, uint64_t content)
{
	if (!valid) {
		o.lapsed = o.waits;
		return;
	}
	if (o.waits && o.tag >> EPOCH_LSB == tag >> EPOCH_LSB &&
		(o.lapsed || o.tag != tag || o.content != content))
		stats.broken_offers++;
	o = {!ready, false, tag, content};
}

void sim::take_read()
{
	stats.read_requests++;
	reads.push_back({device->rd_addr, due(), device->rd_beats, 0, device->rd_tag});
}

/* To the completions of a line. A place that holds none is not written. */
void sim::do_harm(uint8_t *line)
{
	for (uint8_t *c = line; c < line + BEAT; c += BEAT / 4) {
		uint8_t &status = c[0], &index = c[2], &len = c[4], &ctx = c[8];
		index ^= harm == SIM_HARM_INDEX;
		ctx ^= harm == SIM_HARM_CONTEXT;
		len -= harm == SIM_HARM_LENGTH;
		if (harm == SIM_HARM_OK)
			status = 0;
	}
}

void sim::take_write()
{
	uint64_t strobes = device->wr_strb;
	unsigned kind = device->wr_tag >> KIND_LSB & 3;
	uint8_t data[BEAT];

	memcpy(data, &device->wr_data[0], BEAT);
	if (kind == KIND_CPL)
		do_harm(data);
	if (kind == KIND_PACKET && harm == SIM_HARM_LOST)
		strobes = 0;
	stats.write_beats++;
	if (strobes) { /* only the octets that are written need to be mapped */
		unsigned first = (unsigned)__builtin_ctzll(strobes),
			 last = 63 - (unsigned)__builtin_clzll(strobes);
		uint8_t *p = at(device->wr_addr + first, last - first + 1);
		if (!p)
			refused.push_back(device->wr_tag);
		for (unsigned i = first; p && i <= last; i++)
			if (strobes >> i & 1)
				p[i - first] = data[i];
	}
	if (device->wr_last) {
		uint64_t when = conf.ack_latency ? stats.clocks + conf.ack_latency : due();
		if (!acks.empty() && acks.back().due > when) /* writes are posted in order */
			when = acks.back().due;
		size_t before = refused.size();
		refused.erase(std::remove(refused.begin(), refused.end(), device->wr_tag), refused.end());
		acks.push_back({when, device->wr_tag, refused.size() != before});
	}
}

void sim::clock()
{
	answer();
	device->rd_ready = !chance(conf.read_stall) && !still();
	device->wr_ready = !chance(conf.write_stall) && !still();
	device->clk = 0;
	device->eval();
	dump(2 * stats.clocks);
	uint64_t offered = (uint64_t)device->rd_beats << 40 ^ device->rd_addr;
	stands(read_offer, device->rd_valid, device->rd_ready, device->rd_tag, offered);
	if (device->rd_valid) {
		sign(offered ^ (uint64_t)device->rd_tag << 48);
		if (device->rd_ready)
			take_read();
	}
	offered = 0;
	if (device->wr_valid) {
		mix(offered, device->wr_addr ^ (uint64_t)device->wr_last << 40);
		mix(offered, device->wr_strb);
		for (int i = 0; i < 16; i++) { /* octets that are not written may be anything */
			uint32_t nibble = (uint32_t)(device->wr_strb >> 4 * i) & 15;
			uint32_t mask = (nibble & 1) * 0xffu | (nibble >> 1 & 1) * 0xff00u |
					(nibble >> 2 & 1) * 0xff0000u | (nibble >> 3) * 0xff000000u;
			mix(offered, device->wr_data[i] & mask);
		}
		sign(offered ^ (uint64_t)device->wr_tag << 48);
	}
	stands(write_offer, device->wr_valid, device->wr_ready, device->wr_tag, offered);
	if (device->wr_valid && device->wr_ready)
		take_write();
	stats.interrupts += device->irq != 0;
	sign((uint64_t)device->rd_valid << 1 | device->wr_valid | (uint64_t)device->irq << 2 |
		(uint64_t)device->reg_rdata << 32);
	device->clk = 1;
	device->eval();
	dump(2 * stats.clocks + 1);
	stats.clocks++;
}

/* The device is in any state until its reset: what it does before is nothing. */
void sim::power_on()
{
	uint64_t broken = stats.broken_offers;

	device->rst = 1;
	for (int i = 0; i < 4; i++)
		clock();
	device->rst = 0;
	read_offer = write_offer = {};
	reads.clear();
	acks.clear();
	refused.clear();
	stats.broken_offers = broken;
}

SIM_API int sim_open(struct sim **out, const struct sim_conf *conf)
{
#ifndef SIM_DEBUG
	if (conf->trace)
		return -ENOTSUP;
#endif
	auto s = std::make_unique<sim>();
	s->conf = *conf;
	if (s->conf.latency_max < s->conf.latency_min)
		s->conf.latency_max = s->conf.latency_min;
	s->context->randReset(2); /* what nothing sets holds anything, as it may on a card */
	s->context->randSeed((int)(conf->seed % INT_MAX) + 1);
	s->device = std::make_unique<Vdevice>(s->context.get());
	if (conf->trace)
		s->open_waves(conf->trace);
	s->power_on();
	s->random = conf->seed * 0x9e3779b97f4a7c15u | 1;
	uint64_t clocks = s->stats.clocks;
	s->stats = {};
	s->stats.clocks = clocks;
	*out = s.release();
	return 0;
}

SIM_API void sim_close(struct sim *s)
{
	if (!s)
		return;
	s->close_waves();
	s->write_coverage();
	s->device->final();
	delete s;
}

SIM_API int sim_map(struct sim *s, uint64_t iova, void *memory, size_t n)
{
	if (!n || iova + n < iova)
		return -EINVAL;
	for (const mapping &m : s->maps)
		if (iova < m.iova + m.n && m.iova < iova + n)
			return -EINVAL;
	if (s->maps.size() == MAPS_MAX)
		return -ENOSPC;
	s->maps.push_back({iova, (uint8_t *)memory, n});
	return 0;
}

SIM_API void sim_unmap(struct sim *s, uint64_t iova)
{
	for (size_t i = 0; i < s->maps.size(); i++)
		if (s->maps[i].iova == iova) {
			s->maps.erase(s->maps.begin() + (ptrdiff_t)i);
			return;
		}
}

SIM_API uint32_t sim_rd32(struct sim *s, uint32_t at)
{
	if (s->removed) {
		s->clock();
		return UINT32_MAX;
	}
	s->device->reg_read = 1;
	s->device->reg_addr = at & 0xfff;
	s->clock();
	s->device->reg_read = 0;
	return s->device->reg_rdata;
}

SIM_API void sim_wr32(struct sim *s, uint32_t at, uint32_t value)
{
	s->device->reg_write = !s->removed;
	s->device->reg_addr = at & 0xfff;
	s->device->reg_wdata = value;
	s->clock();
	s->device->reg_write = 0;
}

SIM_API void sim_step(struct sim *s, uint64_t clocks)
{
	while (clocks--)
		s->clock();
}

SIM_API void sim_hang(struct sim *s, int on)
{
	s->hung = on != 0;
}

SIM_API void sim_harm(struct sim *s, enum sim_harm harm)
{
	s->harm = harm;
}

SIM_API void sim_remove(struct sim *s, int on)
{
	if (s->removed && !on)
		s->power_on(); /* before it reaches memory again */
	s->removed = on != 0;
}

SIM_API int sim_save(struct sim *s, const char *file)
{
#ifdef SIM_DEBUG
	VerilatedSave out;

	memset(&s->device->rsp_data[0], 0, BEAT); /* what is left on the bus's wires is not the device's */
	s->device->eval();
	out.open(file);
	if (!out.isOpen())
		return -EIO;
	out << *s->device;
	return 0;
#else
	(void)s;
	(void)file;
	return -ENOTSUP;
#endif
}

SIM_API void sim_get_stats(const struct sim *s, struct sim_stats *out)
{
	*out = s->stats;
}
