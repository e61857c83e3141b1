// SPDX-License-Identifier: Apache-2.0
// Operations end in the order in which they began and never before they are done: with their writes acknowledged, once
// each, with their own status; each completion is written once, to its own place of its ring, before that place is used
// again; when nothing is busy none is owed.
//
// One slot, one queue and one place of its ring are followed, which: any. Environment: a slot is started when it is
// free (slot_credit) and said to be done once; the queue's descriptors follow one another (ring_fetch), and the host
// uses a place of the ring again when it has its completion. The other queue, acknowledgements and back-pressure are
// arbitrary.
`default_nettype none

module complete_order (
	input wire        clk,
	input wire        rst,
	input wire [15:0] flush,
	input wire [3:0]  other_size,
	input wire        start,
	input wire [1:0]  start_slot,
	input wire        start_queue,
	input wire [15:0] other_desc,
	input wire [31:0] start_ctx,
	input wire        out_valid,
	input wire [1:0]  out_slot,
	input wire [3:0]  out_status,
	input wire [11:0] out_octets,
	input wire        out_writes,
	input wire        ack_valid,
	input wire [1:0]  ack_slot,
	input wire        ack_err,
	input wire        wr_ready
);
	localparam integer B = 2, N = 4;

	(* anyconst *) reg [B-1:0] a;     // the slot
	(* anyconst *) reg q;             // the queue
	(* anyconst *) reg [3:0] size;
	(* anyconst *) reg [15:0] p;      // the place
	wire [15:0] mask = ~(16'hffff << size);

	reg [15:0] next;                  // the queue's next descriptor
	wire [15:0] start_desc = start_queue == q ? next : other_desc;
	wire [31:0] completed;
	wire ack_stray, wr_valid, wr_queue, give, event_valid, event_queue, busy;
	wire [63:0] wr_addr, wr_strb;
	wire [511:0] wr_data;
	wire [B-1:0] give_slot;
	wire [3:0] event_status;
	wire [15:0] event_desc;
	wire [31:0] event_ctx;
	complete #(.SLOT_BITS (B), .QUEUES (2), .QUEUE_BITS (1)) dut (
		.clk (clk), .rst (rst), .flush (flush), .base ({64'h0000010000000000, 64'h0}),
		.size_log2 (q ? {size, other_size} : {other_size, size}), .completed (completed), .start (start),
		.start_slot (start_slot), .start_queue (start_queue), .start_desc (start_desc), .start_ctx (start_ctx),
		.out_valid (out_valid), .out_slot (out_slot), .out_status (out_status), .out_octets (out_octets),
		.out_writes (out_writes), .ack_valid (ack_valid), .ack_slot (ack_slot), .ack_err (ack_err),
		.ack_stray (ack_stray), .wr_valid (wr_valid), .wr_ready (wr_ready), .wr_addr (wr_addr), .wr_data (wr_data),
		.wr_strb (wr_strb), .wr_queue (wr_queue), .give (give), .give_slot (give_slot), .event_valid (event_valid),
		.event_status (event_status), .event_queue (event_queue), .event_desc (event_desc), .event_ctx (event_ctx),
		.busy (busy)
	);

	// Words by number, as multiplexers: a solver does badly with shifts of wide vectors.
	function [127:0] record_of(input [511:0] line, input [1:0] at);
		record_of = at[1] ? (at[0] ? line[511:384] : line[383:256]) : (at[0] ? line[255:128] : line[127:0]);
	endfunction
	function covers(input queue, input [63:0] addr, input [3:0] filled, input the_queue, input [15:0] place);
		covers = queue == the_queue && addr == {23'h0, the_queue, 20'h0, place[15:2], 6'h0}
			&& (place[1] ? (place[0] ? filled[3] : filled[2]) : (place[0] ? filled[1] : filled[0]));
	endfunction

	// The slot, and how many began before it that have not ended.
	reg began = 1'b0;
	reg [N-1:0] live;
	reg [B:0] n, before;
	reg out, owes, done;
	reg [3:0] status;
	reg [11:0] octets;
	reg [31:0] ctx;
	reg [15:0] desc;
	// The ring: descriptor of the next completion; the place is in use; its completion was given and is to be written.
	reg [15:0] last;
	reg used, pending, known;
	reg [127:0] record;
	reg [15:0] rounds;            // of the place, to cover its second use
	wire fire = wr_valid && wr_ready;
	wire [3:0] there = {wr_strb[48], wr_strb[32], wr_strb[16], wr_strb[0]};
	wire its_start = start && start_queue == q && (next & mask) == p;
	wire its_give = give && event_queue == q && (event_desc & mask) == p;
	wire its_write = fire && covers(wr_queue, wr_addr, there, q, p);
	wire acked = ack_valid && ack_slot == a && owes;
	always @(posedge clk) begin
		began <= 1'b1;
		if (rst) begin
			live <= 0;
			{n, out, owes, done, next, last, used, pending, rounds} <= 0;
		end else begin
			n <= n + start - give;
			if (give) live[give_slot] <= 1'b0;
			if (give && give_slot == a) {out, owes, done} <= 3'b000;
			if (start) live[start_slot] <= 1'b1;
			if (give && live[a]) before <= before - 1;
			if (start && start_slot == a) begin
				{out, owes, done, before, ctx, desc} <= {3'b000, n - give, start_ctx, start_desc};
			end
			if (out_valid && out_slot == a)
				{out, owes, done, status, octets} <= {1'b1, out_writes, !out_writes, out_status, out_octets};
			if (acked) {owes, done} <= 2'b01;
			if (acked && ack_err) {status, octets} <= {srtpdev::ST_DMA_WR, 12'd0};
			if (start && start_queue == q) next <= next + 1;
			if (give && event_queue == q) last <= last + 1;
			if (its_start) used <= 1'b1;
			if (its_write) {used, pending, rounds} <= {2'b00, rounds + 16'd1};
			if (its_give) begin
				pending <= 1'b1;
				known <= give_slot == a;
				record <= {32'h0, ctx, 20'h0, octets, desc, 7'h0, !desc[size], 4'h0, status};
			end
		end
	end

	always @* begin
		if (!began) assume (rst);
		assume (size >= 2 && size <= 14 && p <= mask);
		if (!rst) begin
			if (start) assume (!live[start_slot]);
			if (its_start) assume (!used);
			if (out_valid && out_slot == a) assume (live[a] && !out);
		end
	end

	always @* if (began && !rst) begin
		if (give && give_slot == a) begin
			assert (live[a] && before == 0);                       // in order, once
			assert (done && event_valid);                          // not before it is done
			assert (event_status == status && event_ctx == ctx && event_desc == desc);
		end
		if (give && live[a] && before == 0) assert (give_slot == a);
		if (give && event_queue == q) assert (event_desc == last); // the ring's pointer takes each step once
		assert ((q ? completed[31:16] : completed[15:0]) == last);
		if (its_give) assert (!pending);                           // none lies over another
		if (its_write) assert (pending);                           // each is written once,
		if (its_write && known) assert (record_of(wr_data, p[1:0]) == record); // as it ended
		if (!busy) assert (!pending);                              // and none is lost
		if (fire) assert (there != 0);
		if (fire && wr_queue == q) assert (wr_addr[63:20] == {23'h0, q, 20'h0} && wr_addr[19:4] <= mask && wr_addr[5:0] == 0);
	end

`ifdef INVARIANTS
	localparam integer OP = 49, LINE = 1 + 64 + 4 + 512;
	(* hierconn *) wire [N-1:0] \dut.done , \dut.owes , \dut.refused ;
	(* hierconn *) wire [OP*N-1:0] \dut.probe_ops ;
	(* hierconn *) wire [16*N-1:0] \dut.probe_outs ;
	(* hierconn *) wire [B:0] \dut.order.head , \dut.order.tail ;
	(* hierconn *) wire [B*N-1:0] \dut.order.probe ;
	(* hierconn *) wire [3:0] \dut.filled ;
	(* hierconn *) wire [511:0] \dut.line ;
	(* hierconn *) wire \dut.line_queue ;
	(* hierconn *) wire [15:0] \dut.line_desc ;
	(* hierconn *) wire [2:0] \dut.lines.head , \dut.lines.tail ;
	(* hierconn *) wire [LINE*4-1:0] \dut.lines.probe ;

	function [OP-1:0] op_of(input [OP*N-1:0] ops, input [B-1:0] i);
		op_of = i[1] ? (i[0] ? ops[OP*3 +: OP] : ops[OP*2 +: OP]) : (i[0] ? ops[OP +: OP] : ops[0 +: OP]);
	endfunction
	function [LINE-1:0] line_of(input [LINE*4-1:0] lines, input [1:0] i);
		line_of = i[1] ? (i[0] ? lines[LINE*3 +: LINE] : lines[LINE*2 +: LINE])
			: (i[0] ? lines[LINE +: LINE] : lines[0 +: LINE]);
	endfunction
	function [1:0] slot_of(input [7:0] row, input [1:0] i);
		slot_of = i[1] ? (i[0] ? row[7:6] : row[5:4]) : (i[0] ? row[3:2] : row[1:0]);
	endfunction
	function [15:0] out_of(input [63:0] row, input [1:0] i);
		out_of = i[1] ? (i[0] ? row[63:48] : row[47:32]) : (i[0] ? row[31:16] : row[15:0]);
	endfunction

	// Each live slot is in the order once; the device's notes of the slot are ours; the queue's descriptors in the order
	// are those from `last` to `next`; the place is in one of them as long as it is used and not given.
	integer s, i;
	reg [B-1:0] at, slot;
	reg [OP-1:0] op;
	reg [B:0] times, queued, placed;
	always @* if (began && !rst) begin
		assert (\dut.order.tail - \dut.order.head == n && n <= N);
		for (s = 0; s < N; s = s + 1) begin
			times = 0;
			for (i = 0; i < N; i = i + 1) begin
				at = \dut.order.head [B-1:0] + i;
				times = times + (i < n && slot_of(\dut.order.probe , at) == s);
			end
			assert (times == live[s]);
		end
		queued = 0;
		placed = 0;
		for (i = 0; i < N; i = i + 1) begin
			at = \dut.order.head [B-1:0] + i;
			slot = slot_of(\dut.order.probe , at);
			op = op_of(\dut.probe_ops , slot);
			if (i < n) begin
				if (live[a]) assert ((slot == a) == (before == i));
				if (op[48] == q) assert (op[47:32] == last + queued);
				if (op[48] == q) begin
					queued = queued + 1;
					placed = placed + ((op[47:32] & mask) == p);
				end
			end
		end
		assert (next == last + queued && placed == (used && !pending));
		if (live[a]) begin
			assert (before < n);
			assert (\dut.done [a] == done && \dut.owes [a] == owes && !(done && owes) && (done || owes) == out);
			assert (!\dut.refused [a] || done);
			op = op_of(\dut.probe_ops , a);
			assert (op[47:0] == {desc, ctx});
			if (out) assert ({status, octets} == (\dut.refused [a] ? {srtpdev::ST_DMA_WR, 12'd0} : out_of(\dut.probe_outs , a)));
		end else
			assert (!\dut.done [a] && !\dut.owes [a] && !\dut.refused [a] && !out && !done && !owes);
	end

	// The place is in one line as long as it is pending: in the one that is being filled, or in one that waits.
	wire [2:0] waiting = \dut.lines.tail - \dut.lines.head ;
	wire [15:0] line_place = \dut.line_desc & mask;
	reg [1:0] line_at;
	reg [LINE-1:0] entry;
	reg [2:0] found;
	always @* if (began && !rst) begin
		assert (waiting <= 4);
		if (pending) assert (used);
		found = 0;
		for (i = 0; i < 5; i = i + 1) begin
			line_at = \dut.lines.head [1:0] + i;
			entry = line_of(\dut.lines.probe , line_at);
			if (i == 4)
				entry = {\dut.line_queue , 23'h0, \dut.line_queue , 20'h0, line_place[15:2], 6'h0, \dut.filled , \dut.line };
			if (i < waiting || (i == 4 && \dut.filled != 0)) begin
				assert (entry[515:512] != 0);
				if (entry[LINE-1] == q)
					assert (entry[579:536] == {23'h0, q, 20'h0} && entry[535:520] <= mask && entry[521:516] == 0);
				if (covers(entry[LINE-1], entry[579:516], entry[515:512], q, p)) begin
					found = found + 1;
					if (known) assert (record_of(entry[511:0], p[1:0]) == record);
				end
			end
		end
		assert (found == pending);
	end
`endif

	reg turned = 1'b0;
	always @(posedge clk) turned <= !rst && (turned || (out_valid && out_slot != a && n > 2 && live[a] && before == 0 && !out));
	always @* begin
		cover (!rst && fire && there == 15 && wr_queue == q);
		cover (!rst && give && turned && n == 1);
		cover (!rst && give && event_status == srtpdev::ST_DMA_WR && n == 3);
		cover (!rst && its_write && known && rounds == 1);
	end
endmodule

`default_nettype wire
