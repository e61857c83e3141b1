// SPDX-License-Identifier: Apache-2.0
// A queue of 2^LOG2 entries; the oldest is on `out` while not empty. Whoever pushes knows that there is room, by
// `full` or because every entry belongs to a slot and there are no more slots.
//
// A reset of 2^LOG2 clocks clears the contents too: both pointers run through the memory, side by side.
`default_nettype none

module fifo #(
	parameter integer WIDTH = 8,
	parameter integer LOG2 = 4
) (
	input  wire             clk,
	input  wire             rst,
	input  wire             push,
	input  wire [WIDTH-1:0] in,
	input  wire             pop,
	output wire [WIDTH-1:0] out,
	output wire             empty,
	output wire             full
);
	reg [WIDTH-1:0] mem [0:(1 << LOG2)-1];
	reg [LOG2:0] head, tail; // one bit more than the index: equal is empty, a full turn apart is full

	assign empty = head == tail;
	assign full  = head == {~tail[LOG2], tail[LOG2-1:0]};
	assign out   = mem[head[LOG2-1:0]];

	always @(posedge clk) begin
		if (rst) begin
			tail <= tail + 1'b1;
			head <= tail + 1'b1;
		end else begin
			if (push)
				tail <= tail + 1'b1;
			if (pop)
				head <= head + 1'b1;
		end
		if (push || rst)
			mem[tail[LOG2-1:0]] <= rst ? {WIDTH{1'b0}} : in;
	end

`ifdef FORMAL
	always @(posedge clk)
		if (!rst) begin
			assert (!(push && full));
			assert (!(pop && empty));
		end
`endif

	initial begin
		head = {(LOG2 + 1){1'b0}};
		tail = {(LOG2 + 1){1'b0}};
		if (LOG2 < 1) $fatal(1, "fifo: LOG2 must be 1 or more");
	end
endmodule

`default_nettype wire
