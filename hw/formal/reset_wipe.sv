// SPDX-License-Identifier: Apache-2.0
// After each reset, wipe or power-on and before the block is ready again, every address has been cleared while the
// block was held in reset; no round passes without a new epoch, which begins when the block has been held in reset;
// stopping comes first. Full width: 2^9 addresses.
`default_nettype none

module reset_wipe (
	input wire        clk,
	input wire        rst,
	input wire        ask_reset,
	input wire        ask_wipe,
	input wire [31:0] limit,
	input wire        busy
);
`ifdef SHORT
	localparam integer B = 3, REST = 4;     // cover and mutations: 8 addresses, 8 clocks' rest
`else
	localparam integer B = 9, REST = 250;
`endif

	(* anyconst *) reg [B-1:0] a; // an address

	wire stop, block_rst, wipe, ready, timed_out;
	wire [B-1:0] wipe_at;
	wire [1:0] epoch;
	reset_ctl #(.WIPE_BITS (B)) dut (
		.clk (clk), .rst (rst), .ask_reset (ask_reset), .ask_wipe (ask_wipe), .limit (limit), .busy (busy),
		.stop (stop), .block_rst (block_rst), .wipe (wipe), .wipe_at (wipe_at), .ready (ready),
		.timed_out (timed_out), .epoch (epoch)
	);
	(* hierconn *) wire [1:0] \dut.state ;
	(* hierconn *) wire [31:0] \dut.clocks ;
	wire [1:0] state = \dut.state ;
	wire [31:0] clocks = \dut.clocks ;

	// cleared: a was, in this time without ready. resting: clocks of block_rst in a row since wipe ended, up to REST.
	reg began = 1'b0, was_ready = 1'b0, was_reset, was_held, cleared, asked_wipe;
	reg [7:0] resting;
	reg [1:0] last_epoch;
	always @(posedge clk) begin
		began <= 1'b1;
		was_ready <= ready && !rst;
		was_reset <= rst;
		asked_wipe <= ask_wipe && !rst;
		last_epoch <= epoch;
		was_held <= block_rst;
		cleared <= !rst && !ready && (cleared || (wipe && block_rst && wipe_at == a));
		resting <= wipe || !block_rst ? 0 : resting == REST ? REST : resting + 1;
	end
	// The epoch that the block last ran in.
	reg ran;
	reg [1:0] ran_epoch;
	always @(posedge clk)
		if (rst) ran <= 1'b0;
		else if (ready) {ran, ran_epoch} <= {1'b1, epoch};

	always @* if (!began) assume (rst);

	always @* if (began) begin
		if (ready && !was_ready && !was_reset) assert (cleared && resting == REST);
		if (ready && !was_ready && ran) assert (epoch == ran_epoch + 2'd1);
		if (epoch != last_epoch && !was_reset) assert (was_held); // nothing of before is on the bus any more
		if (wipe) assert (block_rst && !ready);
		if (ready) assert (!stop && (!block_rst || !was_ready));
		if (was_ready && asked_wipe) assert (!ready);             // a wipe never waits
		if (!ready) assert (stop);
`ifdef INVARIANTS
		if (was_reset) assert (state == 0 && clocks == 0 && !wipe && !cleared && !ran);
		if (state == 0) begin
			assert (clocks < 512);
			if (clocks > 0) assert (block_rst && !was_reset);
			if (clocks > a + 1) assert (cleared);
			if (clocks > 0) assert (wipe && wipe_at == clocks - 1);
			assert (clocks != 0 || !wipe);
			if (ran) assert (epoch == ran_epoch);
		end
		if (state == 1) begin
			assert (clocks < 256 && block_rst && !was_reset);
			assert (cleared || (wipe && wipe_at == a && a == 511));
			assert (wipe == (clocks == 0));
			if (wipe) assert (wipe_at == 511);
			if (clocks > 0) assert (resting == (clocks - 1 > 250 ? 250 : clocks - 1));
			if (ran) assert (epoch == ran_epoch + 2'd1);
		end
		if (state == 2) begin
			assert (!wipe);
			if (was_ready) assert (!block_rst);
			if (!was_ready) assert (clocks == 256 && block_rst && resting == 250 && cleared);
			if (!was_ready && ran) assert (epoch == ran_epoch + 2'd1);
			if (was_ready && ran) assert (epoch == ran_epoch);
			if (was_ready) assert (ran);
		end
		if (state == 3) assert (!wipe && ran && epoch == ran_epoch);
`endif
	end

	always @* begin
		cover (began && state == 0 && was_ready);
		cover (began && state == 3 && clocks == 3);
		cover (began && state == 0 && timed_out);
		cover (began && state == 1 && !wipe);
	end
endmodule

`default_nettype wire
