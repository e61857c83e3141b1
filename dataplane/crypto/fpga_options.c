/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/crypto/fpga_options.h"

#include <string.h>

#include "dataplane/fpga/hw_sim.h"
#include "dataplane/fpga/hw_vfio.h"
#include "lib/base/str.h"

#define HANG_DEFAULT 250000 /* a millisecond at 250 MHz, where an answer takes two microseconds */
#define FAIL_FOR                                                                                             \
	1000000 /* clocks that a simulated card stands still with the option fail: some resets are tried */
#define CLOCKS_MAX 1000000000
#define VALUE_MAX 512

struct settings {
	char pci[VALUE_MAX], sim[VALUE_MAX];
	uint64_t hang, step, latency, fail;
};

static int set(
	struct settings *s, const char *name, size_t name_n, const char *value, size_t n, struct err *e)
{
	const struct {
		const char *name;
		char *text;
		uint64_t *number;
	} known[] = {
		{"pci", s->pci, NULL},
		{"sim", s->sim, NULL},
		{"hang", NULL, &s->hang},
		{"step", NULL, &s->step},
		{"latency", NULL, &s->latency},
		{"fail", NULL, &s->fail},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strlen(known[i].name) != name_n || memcmp(known[i].name, name, name_n) != 0)
			continue;
		if (known[i].number)
			return str_to_u64((struct str){value, n}, CLOCKS_MAX, known[i].number) == 0 &&
					       *known[i].number
				       ? 0
				       : err_set(e, EINVAL, "FPGA option %s takes clocks, not '%.*s'",
						 known[i].name, (int)n, value);
		if (n == 0 || n >= VALUE_MAX)
			return err_set(e, EINVAL, "FPGA option %s: empty or too long", known[i].name);
		memcpy(known[i].text, value, n);
		known[i].text[n] = 0;
		return 0;
	}
	return err_set(e, EINVAL, "unknown FPGA option '%.*s'", (int)name_n, name);
}

static int parse(struct settings *s, const char *text, struct err *e)
{
	while (text && *text) {
		size_t n = strcspn(text, ","), name = strcspn(text, "=,");
		int rc;

		if (text[name] != '=')
			return err_set(e, EINVAL, "FPGA option '%.*s' has no value", (int)n, text);
		rc = set(s, text, name, text + name + 1, n - name - 1, e);
		if (rc < 0)
			return rc;
		text += n + (text[n] == ',');
	}
	if (!s->pci[0] == !s->sim[0])
		return err_set(e, EINVAL,
			"say which FPGA: pci=ADDRESS for a card, or sim=LIBRARY for the simulated one");
	return 0;
}

/* One of several cards: the first that is free. */
static int open_card(char *addresses, void **hw, struct err *e)
{
	int rc = -ENODEV;

	for (char *save, *a = strtok_r(addresses, "+", &save); a; a = strtok_r(NULL, "+", &save)) {
		rc = hw_vfio_open(hw, a, e);
		if (rc != -EBUSY)
			break;
	}
	return rc;
}

int fpga_options_open(struct fpga_options *o, const char *text, struct fpga_device **dev, struct err *e)
{
	struct settings s = {.hang = HANG_DEFAULT, .step = 16, .latency = 40};
	void *hw;
	int rc = parse(&s, text, e);

	if (rc < 0)
		return rc;
	o->hang = s.hang;
	if (s.pci[0]) {
		rc = open_card(s.pci, &hw, e);
		return rc < 0 ? rc : fpga_device_open(dev, &hw_vfio_ops, hw, e);
	}
	struct sim_conf conf = {
		.seed = 1, .latency_min = (uint32_t)s.latency, .latency_max = (uint32_t)s.latency};

	rc = hw_sim_open(&hw, s.sim, &conf, (unsigned)s.step, e);
	if (rc < 0)
		return rc;
	if (s.fail)
		hw_sim_fail(hw, s.fail, FAIL_FOR);
	return fpga_device_open(dev, &hw_sim_ops, hw, e);
}
