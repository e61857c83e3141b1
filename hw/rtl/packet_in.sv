// SPDX-License-Identifier: Apache-2.0
// Places the beats of packets that were read from the host, in whatever order the packets' beats mix: a packet comes
// to lie at the beginning of its slot whatever its address was. Its first 64 octets go to the header memory too, and
// the octets behind it (a received tag) to the tag memory. ready: the packet is all there.
`default_nettype none

module packet_in #(
	parameter integer SLOT_BITS = 7
) (
	input  wire                   clk,
	input  wire                   rst,
	// operations that start
	input  wire                   start,
	input  wire [SLOT_BITS-1:0]   start_slot,
	input  wire [5:0]             start_offset, // of the packet in its first beat
	input  wire [11:0]            start_len,
	// beats
	input  wire                   rsp_valid,
	input  wire [SLOT_BITS-1:0]   rsp_slot,
	input  wire [5:0]             rsp_beat,
	input  wire                   rsp_last,
	input  wire                   rsp_err,
	input  wire [511:0]           rsp_data,
	output wire                   rsp_stray,
	// packet memory: rows row and row + 1
	output reg                    mem_we,
	output reg  [SLOT_BITS+4:0]   mem_row,
	output reg  [1023:0]          mem_data,
	output reg  [127:0]           mem_be,
	// header and tag memories
	output reg  [SLOT_BITS-1:0]   side_slot,
	output wire                   head_we,
	output wire [511:0]           head_data,
	output wire [63:0]            head_be,
	output reg                    tag_we,
	output reg  [127:0]           tag_data,
	output reg  [15:0]            tag_be,
	// packets that are all there
	output reg                    ready,
	output reg  [SLOT_BITS-1:0]   ready_slot,
	output reg                    ready_err
);
	localparam integer SLOTS = 1 << SLOT_BITS;

	reg [17:0] infos [0:SLOTS-1];
	reg [SLOTS-1:0] reading, failed;

	wire [5:0]  offset;
	wire [11:0] len;
	assign {offset, len} = infos[rsp_slot];
	wire take = rsp_valid && reading[rsp_slot];
	assign rsp_stray = rsp_valid && !reading[rsp_slot];

	// Octet j of beat k is the packet's octet 64k + j - offset: with an offset, rows k - 1 and k.
	wire [5:0] up = 6'd0 - offset;
	wire [5:0] row = rsp_beat - {5'h0, offset != 6'd0};
	wire low_there = !row[5]; // row -1 (before the packet) and row 32 (behind the slot) are not written
	wire [5:0] row_high = row + 6'd1;
	wire high_there = !row_high[5];
	wire [127:0] be = {64'h0, {64{1'b1}}} << up;

	// The tag begins at octet len: beat tag_beat, octet tag_from, and may go on in the next beat.
	wire [12:0] tag_at = {1'b0, len} + {7'h0, offset};
	wire [5:0] tag_beat = tag_at[11:6];
	wire [5:0] tag_from = tag_at[5:0];
	wire [1023:0] twice = {rsp_data, rsp_data} >> {tag_from, 3'b000};
	wire [6:0] tag_room = 7'd64 - {1'b0, tag_from}; // octets of the tag that fit into its first beat
	wire [15:0] tag_first = tag_room >= 7'd16 ? 16'hffff : ~(16'hffff << tag_room[3:0]);

	reg last, last_err, first_low, first_high;
	reg [SLOT_BITS-1:0] last_slot;

	always @(posedge clk) begin
		if (start)
			infos[start_slot] <= {start_offset, start_len};
		if (rsp_valid || rst) begin // a reset leaves nothing in them, whatever the bus says
			mem_row  <= {rsp_slot, 5'h0} + {{(SLOT_BITS - 1){row[5]}}, row};
			mem_data <= rst ? 1024'h0 : {512'h0, rsp_data} << {up, 3'b000};
			mem_be   <= {high_there ? be[127:64] : 64'h0, low_there ? be[63:0] : 64'h0};
			tag_data <= rst ? 128'h0 : twice[127:0];
			tag_be   <= rsp_beat == tag_beat ? tag_first : ~tag_first;
			side_slot  <= rsp_slot;
			first_low  <= row == 6'h0;
			first_high <= row == 6'h3f;
		end
		last_slot <= rsp_slot;
		last_err  <= rsp_err || failed[rsp_slot];
		ready_slot <= last_slot;
		ready_err  <= last_err;
		if (rst) begin
			reading <= {SLOTS{1'b0}};
			failed  <= {SLOTS{1'b0}};
			mem_we  <= 1'b0;
			tag_we  <= 1'b0;
			last    <= 1'b0;
			ready   <= 1'b0;
		end else begin
			if (start) begin
				reading[start_slot] <= 1'b1;
				failed[start_slot]  <= 1'b0;
			end
			if (take && rsp_err)
				failed[rsp_slot] <= 1'b1;
			if (take && rsp_last)
				reading[rsp_slot] <= 1'b0;
			mem_we <= take && !rsp_err;
			tag_we <= take && !rsp_err && (rsp_beat == tag_beat || rsp_beat == tag_beat + 6'd1);
			last   <= take && rsp_last;
			ready  <= last;
		end
	end

	// The slot's first row is the header row, in whichever half it comes.
	assign head_we   = mem_we && (first_low || first_high);
	assign head_data = first_high ? mem_data[1023:512] : mem_data[511:0];
	assign head_be   = first_high ? mem_be[127:64] : mem_be[63:0];

	wire unused = ^{twice[1023:128], tag_at[12], row_high[4:0]};
endmodule

`default_nettype wire
