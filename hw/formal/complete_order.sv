// SPDX-License-Identifier: Apache-2.0
// Operations end in the order in which they began and never before they are done: with their writes acknowledged, once
// each, with their own status; each completion is written once, to its own place; when nothing is busy none is owed.
// Environment: a slot is started when it is free (slot_credit), ends once; a queue's descriptors follow one another
// (ring_fetch). Acknowledgements are arbitrary. Rings of four and eight entries.
`default_nettype none

module complete_order (
	input wire        clk,
	input wire        rst,
	input wire [15:0] flush,
	input wire        start,
	input wire [1:0]  start_slot,
	input wire        start_queue,
	input wire [3:0]  start_ctx,
	input wire        out_valid,
	input wire [1:0]  out_slot,
	input wire [3:0]  out_status,
	input wire        out_writes,
	input wire        ack_valid,
	input wire [1:0]  ack_slot,
	input wire        ack_err,
	input wire        wr_ready,
	input wire        mark         // follow the completion of the operation that ends now
);
	localparam integer B = 2, N = 4;

	reg [15:0] next0, next1;
	wire [15:0] start_desc = start_queue ? next1 : next0;
	wire [31:0] completed;
	wire ack_stray, wr_valid, wr_queue, give, event_valid, event_queue, busy;
	wire [63:0] wr_addr, wr_strb;
	wire [511:0] wr_data;
	wire [B-1:0] give_slot;
	wire [3:0] event_status;
	wire [15:0] event_desc;
	wire [31:0] event_ctx;
	complete #(.SLOT_BITS (B), .QUEUES (2), .QUEUE_BITS (1)) dut (
		.clk (clk), .rst (rst), .flush (flush), .base ({64'h10000, 64'h0}), .size_log2 ({4'd3, 4'd2}),
		.completed (completed), .start (start), .start_slot (start_slot), .start_queue (start_queue),
		.start_desc (start_desc), .start_ctx ({28'h0, start_ctx}), .out_valid (out_valid), .out_slot (out_slot),
		.out_status (out_status), .out_octets (12'd0), .out_writes (out_writes), .ack_valid (ack_valid),
		.ack_slot (ack_slot), .ack_err (ack_err), .ack_stray (ack_stray), .wr_valid (wr_valid), .wr_ready (wr_ready),
		.wr_addr (wr_addr), .wr_data (wr_data), .wr_strb (wr_strb), .wr_queue (wr_queue), .give (give),
		.give_slot (give_slot), .event_valid (event_valid), .event_status (event_status), .event_queue (event_queue),
		.event_desc (event_desc), .event_ctx (event_ctx), .busy (busy)
	);

	// What has begun, in order, and what is known of each slot.
	reg began = 1'b0;
	reg [B*N-1:0] row;
	reg [B:0] n;
	reg [N-1:0] live, out, owes, done;
	reg [4*N-1:0] status;
	reg [5:0] owed;               // completions given and not written
	wire fire = wr_valid && wr_ready;
	wire [2:0] written = wr_strb[0] + wr_strb[16] + wr_strb[32] + wr_strb[48];
	reg [15:0] end0, end1;        // descriptors that each queue's next completion must have
	reg [15:0] host0, host1;      // completions that the host has
	reg marked, marked_queue;
	reg [15:0] marked_desc;
	reg [3:0] marked_status, marked_ctx;
	reg [4*N-1:0] ctx;
	integer j;
	always @(posedge clk) begin
		began <= 1'b1;
		if (rst) begin
			{n, live, out, owes, done, owed, next0, next1, end0, end1, host0, host1, marked} <= 0;
		end else begin
			if (start && start_queue) next1 <= next1 + 1;
			if (start && !start_queue) next0 <= next0 + 1;
			n <= n + start - give;
			for (j = 0; j < N; j = j + 1) begin
				if (start && j == n - give) row[B*j +: B] <= start_slot;
				else if (give && j < N - 1) row[B*j +: B] <= row[B*(j + 1) +: B];
				if (start && start_slot == j) begin
					{live[j], out[j], owes[j], done[j]} <= 4'b1000;
					ctx[4*j +: 4] <= start_ctx;
				end
				if (give && give_slot == j) {live[j], out[j], owes[j], done[j]} <= 4'b0000;
				if (out_valid && out_slot == j) begin
					out[j] <= 1'b1;
					status[4*j +: 4] <= out_status;
					owes[j] <= out_writes;
					done[j] <= !out_writes;
				end
				if (ack_valid && ack_slot == j && owes[j]) begin
					owes[j] <= 1'b0;
					done[j] <= 1'b1;
					if (ack_err) status[4*j +: 4] <= srtpdev::ST_DMA_WR;
				end
			end
			owed <= owed + give - (fire ? written : 3'd0);
			if (fire && wr_queue) host1 <= host1 + written;
			if (fire && !wr_queue) host0 <= host0 + written;
			if (give && event_queue) end1 <= end1 + 1;
			if (give && !event_queue) end0 <= end0 + 1;
			if (give && mark && !marked)
				{marked, marked_queue, marked_desc, marked_status, marked_ctx}
					<= {1'b1, event_queue, event_desc, status[4*give_slot +: 4], ctx[4*give_slot +: 4]};
		end
	end

	always @* begin
		if (!began) assume (rst);
		if (start && !rst) assume (!live[start_slot]);
		// The host has at most a ring's worth of descriptors whose completions it has not seen.
		if (start && !rst) assume (start_queue ? next1 - host1 < 16'd8 : next0 - host0 < 16'd4);
		if (out_valid && !rst) assume (live[out_slot] && !out[out_slot]);
	end

	// The marked completion's line goes by: same queue, same line, and its place is in it; the first such line.
	wire [15:0] place = marked_desc & (marked_queue ? 16'h7 : 16'h3);
	wire [3:0] there = {wr_strb[48], wr_strb[32], wr_strb[16], wr_strb[0]};
	wire its_line = fire && wr_queue == marked_queue && wr_addr == {47'h0, marked_queue, 9'h0, place[2], 6'h0}
		&& there[place[1:0]];
	reg seen;
	always @(posedge clk) seen <= !rst && marked && (seen || its_line);
	reg [127:0] record;
	always @* case (place[1:0])
		2'd0: record = wr_data[127:0];
		2'd1: record = wr_data[255:128];
		2'd2: record = wr_data[383:256];
		default: record = wr_data[511:384];
	endcase
	wire phase = marked_queue ? !marked_desc[3] : !marked_desc[2];

	always @* if (began && !rst) begin
		if (give) begin
			assert (n != 0 && give_slot == row[B-1:0]);            // in order
			assert (live[give_slot] && done[give_slot]);           // once, and not before it is done
			assert (event_valid && event_status == status[4*give_slot +: 4]);
			assert (event_ctx == {28'h0, ctx[4*give_slot +: 4]});
			assert (event_desc == (event_queue ? end1 : end0));    // the ring's pointers take each step once
		end
		assert (completed == {end1, end0});
		if (fire) assert (owed >= written && written != 0);
		if (fire) assert (there == 1 || there == 2 || there == 4 || there == 8 || there == 3 || there == 6 || there == 12
			|| there == 7 || there == 14 || there == 15);
		if (!busy) assert (owed == 0);                             // none is lost
		if (marked && owed == 0) assert (seen);                    // it was written to its place
		if (marked && !seen && its_line)
			assert (record == {60'h0, marked_ctx, 20'h0, 12'h0, marked_desc, 7'h0, phase, 4'h0, marked_status});
	end

	reg turned = 1'b0;
	always @(posedge clk) turned <= !rst && (turned || (out_valid && n > 2 && out_slot != row[B-1:0] && out == 0));
	always @* begin
		cover (!rst && fire && written == 4);
		cover (!rst && give && turned && n == 1);
		cover (!rst && give && event_status == srtpdev::ST_DMA_WR && n == 3);
		cover (!rst && marked && its_line && end1 == 2 && end0 == 2);
	end
endmodule

`default_nettype wire
