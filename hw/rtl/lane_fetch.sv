// SPDX-License-Identifier: Apache-2.0
// Fetches a lane's chunks from the packet memory ahead of their use: per thread up to four jobs with chunks to come and
// up to four chunks that are there or on their way. One request per read_turn, every fourth clock; threads take turns.
//
// Clocks: which thread | its job | request, in read_turn. Only a request takes a chunk or a credit away, so what the two
// clocks before it saw is so still.
`default_nettype none

module lane_fetch #(
	parameter integer SLOT_BITS = 7
) (
	input  wire                 clk,
	input  wire                 rst,
	input  wire                 read_turn,
	input  wire                 job_valid,
	input  wire [1:0]           job_thread,
	input  wire [SLOT_BITS-1:0] job_slot,
	input  wire [11:0]          job_aad,
	input  wire [11:0]          job_covered,
	input  wire [11:0]          job_payload,
	output reg                  read,
	output reg  [SLOT_BITS-1:0] read_slot,
	output reg  [10:0]          read_at,
	input  wire [511:0]         read_data,  // 4 clocks after the request is decided, 3 after `read`
	output reg  [3:0]           there,
	input  wire [1:0]           thread,
	output wire [511:0]         chunk,      // the thread's oldest
	input  wire                 pop,
	input  wire                 wipe,
	input  wire [3:0]           wipe_at
);
	// Chunks of a job: header octets from 64 on, then payload.
	wire [11:0] x_octets = job_covered > 12'd64 ? job_covered - 12'd64 : 12'd0;
	wire [11:0] x_up = x_octets + 12'd63;
	wire [11:0] p_up = job_payload + 12'd63;
	wire [5:0] x_chunks = x_up[11:6];
	wire [5:0] p_chunks = p_up[11:6];
	wire job_fetches = job_valid && (x_chunks != 6'd0 || p_chunks != 6'd0);

	reg [SLOT_BITS+23:0] todo [0:15];
	reg [1:0] todo_tail [0:3];
	reg [1:0] todo_head [0:3];
	reg [2:0] todo_count [0:3];
	reg [5:0] done [0:3];       // chunks of the head job asked for
	reg [2:0] credit [0:3];     // chunks that may still be asked for

	// The first thread from `first` on that has something to ask for.
	reg [1:0] first, pick;
	reg any;
	integer i;
	always @* begin
		pick = first;
		any = 1'b0;
		for (i = 3; i >= 0; i = i - 1)
			if (todo_count[first + i[1:0]] != 3'd0 && credit[first + i[1:0]] != 3'd0) begin
				pick = first + i[1:0];
				any = 1'b1;
			end
	end
	reg any_job, any_ask;
	reg [1:0] job_of, ask_for;
	reg [SLOT_BITS-1:0] slot;
	reg [11:0] aad;
	reg [5:0] xs, ps, nth;
	always @(posedge clk) begin
		{any_job, any_ask} <= rst ? 2'b00 : {any, any_job};
		job_of  <= pick;
		ask_for <= job_of;
		{slot, aad, xs, ps} <= todo[{job_of, todo_head[job_of]}];
		nth     <= done[job_of];
	end
	wire ask = any_ask && read_turn;
	wire in_x = nth < xs;
	wire [5:0] nth_p = nth - xs;
	wire last = in_x ? ps == 6'd0 && nth + 6'd1 == xs : nth_p + 6'd1 == ps;
	wire [11:0] at = in_x ? {nth + 6'd1, 6'h0} : aad + {nth_p, 6'h0};

	reg [2:0] pending;          // requests on their way, oldest in bit 2
	reg [1:0] for_thread [0:2];
	reg [511:0] chunks [0:15];
	reg [1:0] chunk_tail [0:3];
	reg [1:0] chunk_head [0:3];
	reg [2:0] chunk_count [0:3];

	assign chunk = chunks[{thread, chunk_head[thread]}];
	wire arrives = pending[2];
	wire [1:0] arrives_for = for_thread[2];
	reg arrived;
	reg [1:0] arrived_for;

	always @* begin
		for (i = 0; i < 4; i = i + 1)
			there[i] = chunk_count[i] != 3'd0;
	end

	always @(posedge clk) begin
		read      <= ask && !rst;
		read_slot <= slot;
		read_at   <= at[10:0];
		pending   <= rst ? 3'h0 : {pending[1:0], ask};
		for_thread[0] <= ask_for;
		for_thread[1] <= for_thread[0];
		for_thread[2] <= for_thread[1];
		arrived     <= arrives && !rst;
		arrived_for <= arrives_for;
		if (rst)
			first <= 2'd0;
		else if (ask)
			first <= ask_for + 2'd1;
		if (job_fetches)
			todo[{job_thread, todo_tail[job_thread]}] <= {job_slot, job_aad, x_chunks, p_chunks};
		if (wipe)
			chunks[wipe_at] <= 512'h0;
		else if (arrived)
			chunks[{arrived_for, chunk_tail[arrived_for]}] <= read_data;
		for (i = 0; i < 4; i = i + 1) begin
			if (rst) begin
				todo_tail[i] <= 2'd0;
				todo_head[i] <= 2'd0;
				todo_count[i] <= 3'd0;
				done[i] <= 6'd0;
				credit[i] <= 3'd4;
				chunk_tail[i] <= 2'd0;
				chunk_head[i] <= 2'd0;
				chunk_count[i] <= 3'd0;
			end else begin
				if (job_fetches && job_thread == i[1:0])
					todo_tail[i] <= todo_tail[i] + 2'd1;
				if (ask && ask_for == i[1:0]) begin
					done[i] <= last ? 6'd0 : nth + 6'd1;
					if (last)
						todo_head[i] <= todo_head[i] + 2'd1;
				end
				if (arrived && arrived_for == i[1:0])
					chunk_tail[i] <= chunk_tail[i] + 2'd1;
				if (pop && thread == i[1:0])
					chunk_head[i] <= chunk_head[i] + 2'd1;
				todo_count[i] <= todo_count[i] + {2'd0, job_fetches && job_thread == i[1:0]}
					- {2'd0, ask && last && ask_for == i[1:0]};
				credit[i] <= credit[i] + {2'd0, pop && thread == i[1:0]} - {2'd0, ask && ask_for == i[1:0]};
				chunk_count[i] <= chunk_count[i] + {2'd0, arrived && arrived_for == i[1:0]}
					- {2'd0, pop && thread == i[1:0]};
			end
		end
	end

	wire unused = ^{x_up[5:0], p_up[5:0], at[11]};
endmodule

`default_nettype wire
