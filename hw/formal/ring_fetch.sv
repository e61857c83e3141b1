// SPDX-License-Identifier: Apache-2.0
// Descriptors of a ring: none is fetched that the host has not written, no line is asked for into a place that is
// still in use, no address is outside the ring, and whatever the order of answers they are handed on in ring order,
// each once, each with the data that answered the read of its own address.
//
// One queue (which: any) has a well-behaved host: at most a ring's worth of descriptors ahead, not disabled while its
// lines are inside. The other queue, answers (also unasked ones) and back-pressure are arbitrary.
`default_nettype none

module ring_fetch (
	input wire         clk,
	input wire         rst,
	input wire         stop,
	input wire [1:0]   enable,
	input wire [15:0]  written,    // descriptors that the host adds now
	input wire [15:0]  other_tail,
	input wire [3:0]   other_size,
	input wire         req_ready,
	input wire         rsp_valid,
	input wire [1:0]   rsp_line,
	input wire         rsp_err,
	input wire [3:0]   rsp_low,    // what is followed of each half of a line
	input wire [3:0]   rsp_high,
	input wire         desc_ready
);
	localparam integer B = 2, N = 4, INFO = 18;

	(* anyconst *) reg q;        // the queue
	(* anyconst *) reg [3:0] size;
	(* anyconst *) reg [B-1:0] l; // a line, to follow its data

	wire [127:0] base = {64'h0000010000000000, 64'h0};
	wire [511:0] rsp_data = {252'h0, rsp_high, 252'h0, rsp_low};
	reg [15:0] tail;
	wire [31:0] fetched;
	wire req_valid, desc_valid, desc_err, desc_queue, busy, rsp_stray;
	wire [63:0] req_addr;
	wire [B-1:0] req_line;
	wire [15:0] desc_index;
	wire [255:0] desc;
	desc_fetch #(.QUEUES (2), .QUEUE_BITS (1), .LINE_BITS (B)) dut (
		.clk (clk), .rst (rst), .stop (stop), .busy (busy), .enable (enable), .base (base),
		.size_log2 (q ? {size, other_size} : {other_size, size}), .tail (q ? {tail, other_tail} : {other_tail, tail}),
		.fetched (fetched), .req_valid (req_valid), .req_ready (req_ready), .req_addr (req_addr), .req_line (req_line),
		.rsp_valid (rsp_valid), .rsp_line (rsp_line), .rsp_err (rsp_err), .rsp_data (rsp_data), .rsp_stray (rsp_stray),
		.desc_valid (desc_valid), .desc_ready (desc_ready), .desc_queue (desc_queue), .desc_index (desc_index),
		.desc_err (desc_err), .desc (desc)
	);
	(* hierconn *) wire [B:0] \dut.ask ;
	(* hierconn *) wire [B:0] \dut.give ;
	(* hierconn *) wire \dut.turn ;
	(* hierconn *) wire \dut.second ;
	(* hierconn *) wire [N-1:0] \dut.waiting ;
	(* hierconn *) wire [N-1:0] \dut.failed ;
	(* hierconn *) wire [INFO*N-1:0] \dut.probe_infos ;
	(* hierconn *) wire [512*N-1:0] \dut.probe_lines ;
	wire [B:0] give = \dut.give ;
	wire [B:0] inside = \dut.ask - \dut.give ;
	wire turn = \dut.turn ;
	wire second = \dut.second ;
	wire [N-1:0] waiting = \dut.waiting ;
	wire [N-1:0] failed = \dut.failed ;
	wire [INFO*N-1:0] infos = \dut.probe_infos ;
	wire [512*N-1:0] lines = \dut.probe_lines ;

	// Words by number, as multiplexers: a solver does badly with shifts of wide vectors.
	function [INFO-1:0] info_of(input [B-1:0] n);
		info_of = n[1] ? (n[0] ? infos[INFO*3 +: INFO] : infos[INFO*2 +: INFO])
			: (n[0] ? infos[INFO +: INFO] : infos[0 +: INFO]);
	endfunction
	function [7:0] data_of(input [B-1:0] n);
		data_of = n[1] ? (n[0] ? {lines[1792 +: 4], lines[1536 +: 4]} : {lines[1280 +: 4], lines[1024 +: 4]})
			: (n[0] ? {lines[768 +: 4], lines[512 +: 4]} : {lines[256 +: 4], lines[0 +: 4]});
	endfunction

	wire on = enable[q];
	wire [15:0] at = q ? fetched[31:16] : fetched[15:0];
	wire req_fire = req_valid && req_ready;
	wire [15:0] mask = ~(16'hffff << size);
	wire [B-1:0] l_place = l - give[B-1:0];
	wire [B-1:0] req_place = req_line - give[B-1:0];
	wire l_inside = l_place < inside;

	// The host's view, and what one line was asked for and answered with.
	reg began = 1'b0, was_on = 1'b0;
	reg [15:0] last_at, next;    // next: descriptor to be handed on
	reg [16:0] owned;            // written and not fetched
	reg [7:0] data;
	reg error;
	reg [15:0] offset;           // in lines
	always @(posedge clk) begin
		began <= 1'b1;
		was_on <= on && !rst;
		last_at <= at;
		if (rst || !on) begin
			tail <= 0;
			next <= 0;
		end else begin
			tail <= tail + written;
			if (desc_valid && desc_ready && desc_queue == q)
				next <= next + 1;
		end
		if (rsp_valid && !rsp_stray && rsp_line == l) {data, error} <= {rsp_high, rsp_low, rsp_err};
		if (req_fire && req_line == l) offset <= req_addr[21:6];
	end
	// owned counts what the device took by what `fetched` says of it.
	wire [15:0] took = was_on && on ? at - last_at : 0;
	wire [16:0] left = owned - took;
	always @(posedge clk)
		owned <= rst || !on ? 0 : left + written;

	// A read that was offered and not taken.
	reg waits;
	reg [63:0] waits_addr;
	reg [B-1:0] waits_line;
	always @(posedge clk) begin
		waits <= !rst && req_valid && !req_ready && turn == q;
		waits_addr <= req_addr;
		waits_line <= req_line;
	end

	reg [B-1:0] j, m;
	reg [INFO-1:0] info;
	reg [15:0] e;
	integer i;
	reg mine;
	reg [INFO-1:0] head_info;
	always @* begin
		mine = 1'b0;
		for (i = 0; i < N; i = i + 1) begin
			m = give[B-1:0] + i;
			head_info = info_of(m);
			if (i < inside && head_info[17] == q) mine = 1'b1;
		end
	end
	always @* begin
		if (!began) assume (rst);
		assume (size >= 2 && size <= 14);
		if (on) assume ({1'b0, written} + left <= 17'd1 << size);
		if ((mine || (began && waits)) && !rst) assume (on);
	end

	wire [15:0] in_ring = desc_index & mask;
	always @* if (began && !rst) begin
		assert (took <= 2 && took <= owned);                       // the host wrote it
		if (was_on && on) assert (tail - at == left[15:0]);
		assert (inside <= N);
		if (req_valid) assert (req_place >= inside); // a free line
		if (req_valid && turn == q) assert (req_addr[63:22] == {23'h0, q, 18'h0} && {1'b0, req_addr[21:6], 1'b0} < 18'd1 << size && req_addr[5:0] == 0);
		if (waits) assert (req_valid && turn == q && req_addr == waits_addr && req_line == waits_line);
		if (desc_valid && desc_queue == q) begin
			assert (desc_index == next);                           // in ring order, each once
			if (l == give[B-1:0]) begin
				assert (desc_err == error);
				assert (desc[3:0] == (desc_index[0] ? data[7:4] : data[3:0]));
				assert (offset == in_ring[15:1]);
			end
		end
`ifdef INVARIANTS
		assert (owned <= 17'd1 << size);
		if (!was_on) assert (at == 0 && next == 0 && tail == 0 && owned == 0 && !mine);
		e = next;
		for (i = 0; i < N; i = i + 1) begin
			j = give[B-1:0] + i;
			info = info_of(j);
			if (i < inside) begin
				if (info[16]) assert (!info[0]);
				if (info[17] == q) begin
					assert (info[15:0] + (i == 0 && second) == e);
					e = e + (info[16] && !(i == 0 && second) ? 2 : 1);
				end
			end else
				assert (!waiting[j]);
		end
		if (was_on) assert (e == at);
		info = info_of(give[B-1:0]);
		if (second) assert (inside != 0 && info[16] && !waiting[give[B-1:0]]);
		info = info_of(l);
		if (l_inside || inside == N) begin
			if (info[17] == q) assert (offset == (info[15:1] & mask[15:1]));
			if (!waiting[l]) assert (data_of(l) == data && failed[l] == error);
		end
`endif
	end

	reg out_of_order = 1'b0;
	always @(posedge clk)
		out_of_order <= !rst && (out_of_order || (rsp_valid && !rsp_stray && waiting[give[B-1:0]] && rsp_line != give[B-1:0]));
	always @* begin
		cover (!rst && inside == N && !waiting[3]);
		cover (!rst && desc_valid && desc_queue == q && next == 3 && out_of_order && !desc_err);
		cover (!rst && req_valid && turn == q && at == 4 && size == 2);
		cover (!rst && desc_valid && desc_queue != q && next == 2);
		cover (began && !rst && waits && stop && req_ready);
	end
endmodule

`default_nettype wire
