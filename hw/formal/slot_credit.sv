// SPDX-License-Identifier: Apache-2.0
// Slots are the block's credits: none is out twice, none is lost, and the count is right. The environment gives back
// only what it has (complete_order proves that of `complete`).
`default_nettype none

module slot_credit (
	input wire       clk,
	input wire       rst,
	input wire       take,
	input wire       give,
	input wire [1:0] give_slot
);
	localparam integer B = 2, N = 4;

	wire available;
	wire [B-1:0] slot;
	wire [B:0] used;
	slot_pool #(.SLOT_BITS (B)) dut (
		.clk (clk), .rst (rst), .available (available), .slot (slot), .take (take), .give (give),
		.give_slot (give_slot), .used (used)
	);
	(* hierconn *) wire [B:0] \dut.fresh ;
	(* hierconn *) wire [B:0] \dut.free.head ;
	(* hierconn *) wire [B:0] \dut.free.tail ;
	(* hierconn *) wire [B*N-1:0] \dut.free.probe ;
	wire [B:0] fresh = \dut.fresh ;
	wire [B:0] head = \dut.free.head ;
	wire [B:0] queued = \dut.free.tail - \dut.free.head ;
	wire [B*N-1:0] mem = \dut.free.probe ;

	reg began = 1'b0;
	reg [N-1:0] out; // slots that the environment has
	always @(posedge clk) begin
		began <= 1'b1;
		if (rst)
			out <= 0;
		else begin
			if (give) out[give_slot] <= 1'b0;
			if (take) out[slot] <= 1'b1;
		end
	end

	always @* begin
		if (!began) assume (rst);
		if (take && !rst) assume (available);
		if (give && !rst) assume (out[give_slot]);
	end

	integer s, i;
	reg [B-1:0] at;
	reg [B:0] places;
	always @* if (began) begin
		if (available) assert (!out[slot]);
		assert (available == (out != {N{1'b1}}));
		assert (used == out[0] + out[1] + out[2] + out[3]);
`ifdef INVARIANTS
		// Each slot is in one place: outside, never used, or once in the queue.
		assert (fresh <= N && queued <= N);
		for (s = 0; s < N; s = s + 1) begin
			places = out[s] + (s >= fresh);
			for (i = 0; i < N; i = i + 1) begin
				at = head[B-1:0] + i;
				places = places + (i < queued && mem[B*at +: B] == s);
			end
			assert (places == 1);
		end
`endif
	end

	reg was_out = 1'b0, came_back = 1'b0;
	always @(posedge clk) begin
		was_out <= !rst && (was_out || out == {N{1'b1}});
		came_back <= !rst && (came_back || (was_out && used == 0));
	end
	always @* begin
		cover (came_back && used == N);
		cover (take && give && slot == 1 && give_slot == 2 && used == 3);
	end
endmodule

`default_nettype wire
