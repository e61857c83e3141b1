// SPDX-License-Identifier: Apache-2.0
// A queue gives back what it was given, in order, and says rightly when it is empty and full; enough clocks of reset
// leave nothing of what it held. The reference is a row of registers that moves up.
`default_nettype none

module fifo_order (
	input wire       clk,
	input wire       rst,
	input wire       push,
	input wire       pop,
	input wire [3:0] in
);
	localparam integer W = 4, LOG2 = 2, N = 4;

	wire [W-1:0] out;
	wire empty, full;
	fifo #(.WIDTH (W), .LOG2 (LOG2)) dut (
		.clk (clk), .rst (rst), .push (push), .in (in), .pop (pop), .out (out), .empty (empty), .full (full)
	);
	(* hierconn *) wire [LOG2:0] \dut.head ;
	(* hierconn *) wire [LOG2:0] \dut.tail ;
	(* hierconn *) wire [W*N-1:0] \dut.probe ;
	wire [LOG2:0] head = \dut.head ;
	wire [LOG2:0] tail = \dut.tail ;
	wire [W*N-1:0] mem = \dut.probe ;

	reg began = 1'b0;
	reg [W*N-1:0] row;
	reg [LOG2:0] n;
	reg [LOG2:0] cleared; // clocks of reset in a row, up to N
	integer j;
	always @(posedge clk) begin
		began <= 1'b1;
		if (rst) begin
			n <= 0;
			cleared <= !began ? 1 : cleared == N ? N : cleared + 1;
		end else begin
			cleared <= 0;
			n <= n + push - pop;
			for (j = 0; j < N; j = j + 1)
				if (push && j == n - pop)
					row[W*j +: W] <= in;
				else if (pop && j < N - 1)
					row[W*j +: W] <= row[W*(j + 1) +: W];
		end
	end

	always @* begin
		if (!began) assume (rst);
		if (push && !rst) assume (!full);
		if (pop && !rst) assume (!empty);
	end

	integer i;
	reg [LOG2-1:0] at;
	always @* if (began) begin
		assert (n <= N);
		assert (empty == (n == 0));
		assert (full == (n == N));
		if (!empty) assert (out == row[W-1:0]);
		if (cleared == N) assert (mem == 0);
`ifdef INVARIANTS
		assert (cleared <= N);
		if (cleared != 0) assert (n == 0);
		assert (tail - head == n);
		for (i = 0; i < N; i = i + 1) begin
			at = head[LOG2-1:0] + i;
			if (i < n) assert (mem[W*at +: W] == row[W*i +: W]);
			at = tail[LOG2-1:0] - 1 - i;
			if (i < cleared) assert (mem[W*at +: W] == 0);
		end
`endif
	end

	reg was_full = 1'b0;
	always @(posedge clk) was_full <= !rst && (was_full || full);
	always @* begin
		cover (full && row == 16'h4321);
		cover (was_full && empty && tail[LOG2-1:0] == 2);
		cover (cleared == N && was_full == 0 && began);
	end
endmodule

`default_nettype wire
