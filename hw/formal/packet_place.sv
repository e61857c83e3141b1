// SPDX-License-Identifier: Apache-2.0
// Packets come to lie where they belong: each octet of a packet, of its header and of the tag behind it, in its place
// when the packet is said to be there, whatever its address, its lengths and the beats of others between its own. It is
// said once, two clocks after its last beat, and with an error if any beat had one. Whatever beats the bus makes up,
// nothing is written outside the slot that they are for, nor for a slot that reads nothing: those are strays.
//
// One octet (which: any) of one slot (which: any) is followed, by one bit. That slot's beats come in order, as many as
// were asked for; those of the others have any numbers and ends.
`default_nettype none

module packet_place (
	input wire         clk,
	input wire         rst,
	input wire         start,
	input wire [1:0]   start_slot,
	input wire [5:0]   start_offset,
	input wire [11:0]  start_len,
	input wire [4:0]   start_tag,
	input wire         rsp_valid,
	input wire [1:0]   rsp_slot,
	input wire [5:0]   rsp_beat,
	input wire         rsp_last,
	input wire         rsp_err,
	input wire [511:0] rsp_data
);
	localparam integer B = 2, N = 4;

	(* anyconst *) reg [B-1:0] s;
	(* anyconst *) reg [11:0] o; // the octet, from the packet's first on; behind its last: of the tag
	(* anyconst *) reg d;        // its lowest bit

	wire rsp_stray, mem_we, head_we, tag_we, ready, ready_err;
	wire [B+4:0] mem_row;
	wire [1023:0] mem_data;
	wire [127:0] mem_be, tag_data;
	wire [B-1:0] side_slot, ready_slot;
	wire [511:0] head_data;
	wire [63:0] head_be;
	wire [15:0] tag_be;
	packet_in #(.SLOT_BITS (B)) dut (
		.clk (clk), .rst (rst), .start (start), .start_slot (start_slot), .start_offset (start_offset),
		.start_len (start_len), .rsp_valid (rsp_valid), .rsp_slot (rsp_slot), .rsp_beat (rsp_beat),
		.rsp_last (rsp_last), .rsp_err (rsp_err), .rsp_data (rsp_data), .rsp_stray (rsp_stray), .mem_we (mem_we),
		.mem_row (mem_row), .mem_data (mem_data), .mem_be (mem_be), .side_slot (side_slot), .head_we (head_we),
		.head_data (head_data), .head_be (head_be), .tag_we (tag_we), .tag_data (tag_data), .tag_be (tag_be),
		.ready (ready), .ready_slot (ready_slot), .ready_err (ready_err)
	);
	(* hierconn *) wire [N-1:0] \dut.reading ;
	(* hierconn *) wire [N-1:0] \dut.failed ;
	(* hierconn *) wire [18*N-1:0] \dut.probe_infos ;

	// What was asked for, and what of it has come.
	reg began = 1'b0;
	reg [N-1:0] open, held;   // beats are to come; not said to be there yet
	reg [5:0] offset, next;
	reg [11:0] len;
	reg [4:0] tag;
	reg err;
	wire [12:0] end_at = {1'b0, len} + tag + offset;
	wire [12:0] place = {1'b0, o} + offset;
	wire followed = {1'b0, o} < {1'b0, len} + tag;
	wire take = rsp_valid && open[rsp_slot];
	wire mine = take && rsp_slot == s;
	wire now = mine && rsp_beat == place[11:6]; // the octet's beat
	reg [B-1:0] slot1, slot2, taken_slot;
	reg last1, last2, err1, err2, taken, came, came1;
	always @(posedge clk) begin
		began <= 1'b1;
		taken <= take && !rsp_err && !rst;
		taken_slot <= rsp_slot;
		{slot1, slot2} <= {rsp_slot, slot1};
		{last1, last2} <= rst ? 2'b00 : {take && rsp_last, last1};
		{err1, err2} <= {rsp_err || err, err1};
		came1 <= came;
		if (rst) begin
			open <= 0;
			held <= 0;
		end else begin
			if (start) open[start_slot] <= 1'b1;
			if (start) held[start_slot] <= 1'b1;
			if (take && rsp_last) open[rsp_slot] <= 1'b0;
			if (ready) held[ready_slot] <= 1'b0;
		end
		if (mine) begin
			next <= next + 1;
			err <= err || rsp_err;
			came <= came || (now && !rsp_err);
		end
		if (rst || (start && start_slot == s)) begin
			{offset, len, tag} <= {start_offset, start_len, start_tag};
			{next, err, came, came1} <= 0;
		end
	end

	always @* begin
		if (!began) assume (rst);
		if (start) assume (!held[start_slot] && start_len >= 8 && start_len <= 2048 && start_tag <= 16);
		if (mine) assume (rsp_beat == next && rsp_last == ({1'b0, next, 6'h0} + 13'd64 >= end_at));
		if (now) assume (rsp_data[{place[5:0], 3'b000}] == d);
	end

	// The three memories, as far as the octet goes.
	wire [12:0] behind = {1'b0, o} - {1'b0, len};
	wire is_tag = o >= len;
	wire [B+4:0] row = {s, o[10:6]};
	reg in_mem, in_head, in_tag;
	always @(posedge clk) begin
		if (mem_we && mem_row == row && mem_be[o[5:0]]) in_mem <= mem_data[{1'b0, o[5:0], 3'b000}];
		if (mem_we && mem_row + 7'd1 == row && mem_be[{1'b1, o[5:0]}]) in_mem <= mem_data[{1'b1, o[5:0], 3'b000}];
		if (head_we && side_slot == s && head_be[o[5:0]]) in_head <= head_data[{o[5:0], 3'b000}];
		if (tag_we && side_slot == s && tag_be[behind[3:0]]) in_tag <= tag_data[{behind[3:0], 3'b000}];
	end

	wire [B+4:0] row_high = mem_row + 1;
	always @* if (began && !rst) begin
		assert (rsp_stray == (rsp_valid && !open[rsp_slot]));
		assert (mem_we == taken);
		if (mem_we && mem_be[63:0] != 0) assert (mem_row[B+4:5] == taken_slot);
		if (mem_we && mem_be[127:64] != 0) assert (row_high[B+4:5] == taken_slot);
		if (head_we || tag_we) assert (taken && side_slot == taken_slot);
		assert (ready == last2);
		if (ready) assert (ready_slot == slot2 && held[ready_slot]);
		if (ready && ready_slot == s) begin
			assert (ready_err == err);
			if (!err && followed) begin
				assert (came1);
				if (!is_tag) assert (in_mem == d);
				if (!is_tag && o < 64) assert (in_head == d);
				if (is_tag) assert (in_tag == d);
			end
		end
`ifdef INVARIANTS
		assert (open == \dut.reading && (open & ~held) == 0);
		if (open[s]) assert (\dut.failed [s] == err);
		if (open[s]) assert ((s[1] ? (s[0] ? \dut.probe_infos [71:54] : \dut.probe_infos [53:36])
			: (s[0] ? \dut.probe_infos [35:18] : \dut.probe_infos [17:0])) == {offset, len});
		if (held[s]) assert (len >= 8 && len <= 2048 && tag <= 16);
		if (open[s]) assert ({1'b0, next, 6'h0} < end_at);
		if (held[s] && !open[s]) assert ({1'b0, next, 6'h0} >= end_at && {1'b0, next, 6'h0} < end_at + 64);
		if (held[s] && !open[s]) assert ((last1 && slot1 == s) || (last2 && slot2 == s));
		if (last1) assert (held[slot1] && !open[slot1]);
		if (last2) assert (held[slot2] && !open[slot2]);
		if (last1 && last2) assert (slot1 != slot2);
		if (held[s] && !err) assert (came == (next > place[11:6]));
		if (came1) assert (came);
		if (held[s] && came1 && followed) begin
			if (!is_tag) assert (in_mem == d);
			if (!is_tag && o < 64) assert (in_head == d);
			if (is_tag) assert (in_tag == d);
		end
`endif
	end

	always @* begin
		cover (began && !rst && ready && ready_slot == s && !ready_err && offset == 61 && behind == 9 && place == 130);
		cover (began && !rst && ready && ready_slot == s && ready_err && !rsp_stray && next == 2);
		cover (began && !rst && ready && rsp_stray && last1 && slot1 == s && offset == 5 && o == 60 && next == 2);
	end
endmodule

`default_nettype wire
